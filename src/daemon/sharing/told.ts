/** What the preload of a Node program tells of its sockets: a file of JSON lines in the run's directory, that also the next daemon reads from its beginning. */
import { closeSync, constants, type FSWatcher, openSync, readSync, watch } from 'node:fs';

export interface ListeningKey {
  readonly address: string;
  readonly isShared: boolean;
}

/** Where no watch is to be had. */
const lookMs = 100;
const chunkBytes = 16 * 1024;
/** A program's own file: what it writes there beyond this is not read. */
const mostBytes = 4 * 1024 * 1024;

export class Told {
  readonly #path: string;
  readonly #changed: () => void;
  #listening: ReadonlyMap<string, ListeningKey> = new Map();
  #closed: ReadonlySet<string> = new Set();
  #isDraining = false;
  #isDrained = false;
  #offset = 0;
  #rest = '';
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** `changed` is called after something new was read, not before this returns. */
  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
    this.#watch();
    this.look();
  }

  /** By key: what it listens on now. */
  get listening(): ReadonlyMap<string, ListeningKey> {
    return this.#listening;
  }
  /** Keys on which it listened once and does no more. */
  get closed(): ReadonlySet<string> {
    return this.#closed;
  }
  get isDraining(): boolean {
    return this.#isDraining;
  }
  /** It answers nobody any more. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** Reads what is new. */
  look(): boolean {
    let isNew = false;
    for (let text = this.#read(); text !== ''; text = this.#read()) {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop()!.slice(-chunkBytes);
      for (const line of lines) this.#take(line);
      isNew = true;
    }
    return isNew;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #watch(): void {
    const look = () => {
      if (this.look()) this.#changed();
    };
    try {
      this.#watcher = watch(this.#path, { persistent: false }, look);
      this.#watcher.on('error', () => {});
    } catch {
      // No inotify to be had.
      this.#timer = setInterval(look, lookMs);
    }
  }

  #take(line: string): void {
    let said: {
      readonly do?: unknown;
      readonly key?: unknown;
      readonly address?: unknown;
      readonly isShared?: unknown;
    };
    try {
      said = JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) ?? {};
    } catch {
      return;
    }
    const { do: what, key, address, isShared } = said;
    if (what === 'draining') this.#isDraining = true;
    if (what === 'drained') this.#isDrained = true;
    if (typeof key !== 'string' || key.length > 1000) return;
    if (what === 'listen') {
      const entry = { address: typeof address === 'string' ? address : key, isShared: isShared === true };
      this.#listening = new Map([...this.#listening, [key, entry]]);
    }
    if (what !== 'close') return;
    this.#closed = new Set([...this.#closed, key]);
    this.#listening = new Map([...this.#listening].filter(([other]) => other !== key));
  }

  #read(): string {
    try {
      const fd = openSync(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        if (this.#offset >= mostBytes) return '';
        const buffer = Buffer.alloc(chunkBytes);
        const read = readSync(fd, buffer, 0, chunkBytes, this.#offset);
        this.#offset += read;
        // A character may be half read: lines are whole.
        return buffer.toString('latin1', 0, read);
      } finally {
        closeSync(fd);
      }
    } catch {
      return '';
    }
  }
}

/**
 * Follows logs as they grow. Nobody keeps a watch on a file that is being written: the kernel would queue an event per write, which cuts
 * the writer's speed to a third. So while bytes come, they are read every 10 ms without any watch; once a file is quiet, a watch
 * is armed, the file is looked at once more (what came in between is seen), and the first event closes the watch again.
 *
 * A file that shrank was truncated: reading begins at its start. A path that leads to another file was replaced: the old one is read to
 * its end first. A file that isn't there (yet) is waited for through its directory. Files are read side by side, but the writer is called
 * for one chunk at a time, and the next is only read when it has resolved.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyRange, type Writer } from './read.ts';
import { wakeOn } from './wake.ts';

export interface FollowedFile {
  readonly path: string;
  /** Where to begin, in bytes: what `lastLines` returned. */
  readonly from: number;
  readonly write: Writer;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** When aborted, still write what the files hold at that moment. */
  readonly drain?: boolean;
}

/** Long enough that a writer doesn't notice us, short enough for who reads along. */
const restMs = 10;

/** Writes what is appended to files until aborted, then resolves. Throws what a writer throws, or the system's error. */
export async function followFiles(
  files: readonly FollowedFile[],
  { signal, drain = false }: FollowOptions,
): Promise<void> {
  const inTurn = turns();
  const followers = files.map(
    ({ path, from, write }) => new Follower(path, from, (chunk) => inTurn(() => write(chunk))),
  );
  const endAll = () => {
    for (const follower of followers) follower.end();
  };
  signal.addEventListener('abort', endAll);
  if (signal.aborted) endAll();
  const follow = async (follower: Follower) => {
    try {
      await follower.run();
      if (drain && signal.aborted) await follower.readNew();
    } catch (error) {
      endAll();
      throw error;
    } finally {
      await follower.close();
    }
  };
  const results = await Promise.allSettled(followers.map(follow));
  signal.removeEventListener('abort', endAll);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

/** Runs one task after the other. */
function turns(): (task: () => void | Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (task) => {
    const next = last.then(task);
    last = next.catch(() => {});
    return next;
  };
}

class Follower {
  readonly #path: string;
  readonly #write: Writer;
  #offset: number;
  #file: FileHandle | null = null;
  #identity = '';
  /** One for each file: an AbortSignal warns of more than ten listeners. */
  readonly #ended = new AbortController();

  constructor(path: string, from: number, write: Writer) {
    this.#path = path;
    this.#offset = from;
    this.#write = write;
  }

  end(): void {
    this.#ended.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      if (!(await this.readNew())) await this.#wait(signal);
      await rest(signal);
    }
  }

  /** Writes what is new as of now; false if nothing is. */
  async readNew(): Promise<boolean> {
    if (this.#file === null && !(await this.#open())) return false;
    const hadNew = await this.#readFile(this.#file!);
    const current = await statIfThere(this.#path);
    if (current !== null && identityOf(current) === this.#identity) return hadNew;
    // Deleted or replaced: what its writer still appends to the old one until now belongs before the new one's.
    const hadMore = await this.#readFile(this.#file!);
    if (current === null) return hadNew || hadMore;
    await this.close();
    this.#offset = 0;
    return true;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #open(): Promise<boolean> {
    try {
      this.#file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    this.#identity = identityOf(await this.#file.stat());
    return true;
  }

  async #readFile(file: FileHandle): Promise<boolean> {
    const { size } = await file.stat();
    if (size < this.#offset) this.#offset = 0;
    if (size === this.#offset) return false;
    const { to } = await copyRange(file, { from: this.#offset, to: size }, this.#write);
    this.#offset = to;
    return true;
  }

  /** Until something happens to the file: on its path, or in its directory while it isn't there. */
  async #wait(signal: AbortSignal): Promise<void> {
    const wake = wakeOn(this.#path);
    signal.addEventListener('abort', wake.close);
    try {
      if (!signal.aborted && !(await this.readNew())) await wake.happened;
    } finally {
      signal.removeEventListener('abort', wake.close);
      wake.close();
    }
  }
}

const rest = (signal: AbortSignal) => sleep(restMs, undefined, { signal }).catch(() => {});

const identityOf = ({ dev, ino }: Stats) => `${dev}:${ino}`;

async function statIfThere(path: string): Promise<Stats | null> {
  return stat(path).catch(() => null);
}

/**
 * The sockets that are held for one app: a descriptor of each in this process, and in a holder, which outlives it.
 *
 * A shell can be given no descriptor once it runs: each change of the set is a new holder, and when that is on record the one before ends. So at each moment
 * there is one that has all that was held before the change.
 */
import { closeSync, type FSWatcher, fstatSync, mkdirSync } from 'node:fs';
import { addressInWords } from './address.ts';
import { endSocket, isPathTaken, keepPath, type PathState, removePath, restorePath, watchPath } from './bind.ts';
import { endHolder, type HolderPrograms, type KeyedSocket, startHolder, takeBack, watchHolder } from './holder.ts';
import { fenceHolders, findHolders, type Holder, nextGeneration, readSockets } from './records.ts';

/** Programs listen on several sockets one after the other, and instances begin together: one holder for all of it. */
const togetherMs = 50;
/** A holder that dies young, or can't be started, is not replaced hot: after so long, twice as long … */
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
const youngMs = 10_000;

export interface HeldOptions extends HolderPrograms {
  /** The app's: its holder's records, and the links to its Unix sockets. */
  readonly directory: string;
  readonly log: (line: string) => void;
  /** As where this process may not take sockets out of others: for tests. */
  readonly mustAsk?: boolean;
}

interface Watched {
  readonly holder: Holder;
  readonly since: number;
  close(): void;
}

export class HeldSockets {
  readonly #options: HeldOptions;
  readonly #sockets = new Map<string, number>();
  /** Those that were another program's, which may still serve: they are let go, and never ended. */
  readonly #lent = new Set<string>();
  /** Of Unix sockets' files: by key. */
  readonly #paths = new Map<string, FSWatcher>();
  #current: Watched | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The renewals, one after the other. */
  #renewing: Promise<void> = Promise.resolve();
  #isDue = false;
  #pauseMs = 0;
  #isClosed = false;

  constructor(options: HeldOptions) {
    this.#options = options;
  }

  /** Takes back what a holder of an earlier daemon has. Once, before all else. Never rejects. */
  async recover(): Promise<void> {
    try {
      fenceHolders(this.#options.directory);
      const [newest, ...others] = findHolders(this.#options.directory);
      if (newest === undefined) return;
      const taken = await takeBack(newest, this.#options);
      if (this.#isClosed) for (const fd of taken.values()) closeSync(fd);
      if (this.#isClosed) return;
      for (const [key, fd] of taken) this.#sockets.set(key, fd);
      for (const key of taken.keys()) this.#watchPath(key);
      this.#watch(newest, watchHolder(newest));
      await Promise.all(others.map(endHolder));
      this.#checkTaken(newest);
    } catch (error) {
      this.#options.log(`held sockets can't be taken back: ${(error as Error).message}`);
    }
  }

  has(key: string): boolean {
    return this.#sockets.has(key);
  }

  /** This process's descriptor; it stays the owner's. */
  get(key: string): number | undefined {
    return this.#sockets.get(key);
  }

  /** In the order in which they came. */
  entries(): KeyedSocket[] {
    return [...this.#sockets].map(([key, fd]) => ({ key, fd }));
  }

  /** Holds a socket; the descriptor is this object's from now on. Another one under the same key is closed, and not ended. `isLent`: it is another program's, too. */
  add(key: string, fd: number, { isLent = false } = {}): void {
    if (isLent) this.#lent.add(key);
    const before = this.#sockets.get(key);
    if (before !== undefined && (before === fd || isSameFile(before, fd))) {
      if (before !== fd) closeSync(fd);
      return;
    }
    if (before !== undefined) closeSync(before);
    this.#sockets.set(key, fd);
    this.#keepPath(key);
    this.#changed();
  }

  /**
   * Sees to it that a Unix socket can be reached at its path, which a program may have unlinked. `lost`: it is not held, or can't be reached and is dropped, to be
   * opened anew. `taken`: a file of somebody else's is there, and the socket is held on. Else, and for all other sockets, `there`.
   */
  ensurePath(key: string): 'there' | 'lost' | 'taken' {
    if (!this.has(key)) return 'lost';
    const state = restorePath(key, this.#options.directory);
    if (state === 'lost') this.drop(key);
    return state === 'restored' ? 'there' : state;
  }

  /** Nobody reaches it: a file of somebody else's is at its path. */
  isPathTaken(key: string): boolean {
    return isPathTaken(key, this.#options.directory);
  }

  /** Ends a socket in every process that has it (a UDP socket is only closed), and its path. */
  drop(key: string): void {
    if (this.#end(key)) this.#changed();
  }

  /** Ends all of them, and the holder; resolves when that is gone. Never rejects. */
  async dropAll(): Promise<void> {
    for (const key of [...this.#sockets.keys()]) this.#end(key);
    await this.renew();
  }

  /** Resolves when a holder has all that is held now, or could not be started (that is logged, and tried again). */
  async settled(): Promise<void> {
    if (this.#isDue) await this.renew();
    else await this.#renewing;
  }

  /** Starts a holder with what is held now in place of the one that there is: at once, also if nothing changed (its directory was made again). Never rejects. */
  renew(): Promise<void> {
    this.#isDue = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#renewing = this.#renewing.then(() => this.#replaceHolder());
    return this.#renewing;
  }

  /** This process's descriptors alone; the sockets live on in the holder. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#current?.close();
    this.#current = null;
    for (const watcher of this.#paths.values()) watcher.close();
    for (const fd of this.#sockets.values()) closeSync(fd);
    this.#sockets.clear();
  }

  #end(key: string): boolean {
    const fd = this.#sockets.get(key);
    if (fd === undefined) return false;
    this.#sockets.delete(key);
    this.#paths.get(key)?.close();
    this.#paths.delete(key);
    if (this.#lent.delete(key)) {
      closeSync(fd);
      return true;
    }
    endSocket(key, fd);
    this.#try(() => removePath(key, this.#options.directory));
    return true;
  }

  #changed(): void {
    // The timer of one that failed may be far away.
    if (!this.#isDue && this.#timer) clearTimeout(this.#timer);
    if (!this.#isDue) this.#timer = null;
    this.#isDue = true;
    this.#later(togetherMs);
  }

  #later(ms: number): void {
    if (this.#isClosed || this.#timer !== null) return;
    this.#timer = setTimeout(() => void this.renew(), ms);
  }

  async #replaceHolder(): Promise<void> {
    if (this.#isClosed) return;
    const sockets = this.entries();
    try {
      const before = this.#current;
      if (sockets.length > 0) {
        mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 });
        const started = await startHolder({ ...this.#options, sockets });
        if (this.#isClosed) started.close();
        if (this.#isClosed) return;
        this.#watch(started, started);
      } else this.#current = null;
      before?.close();
      await this.#endOthers(before?.holder);
    } catch (error) {
      this.#options.log(`${(error as Error).message}: its sockets would not outlive this daemon; trying again`);
      this.#again();
    }
  }

  /** Those that an earlier daemon had under way among them. */
  async #endOthers(before: Holder | undefined): Promise<void> {
    const { directory } = this.#options;
    const generation = this.#current?.holder.generation ?? nextGeneration(directory);
    fenceHolders(directory);
    const found = findHolders(directory).filter((each) => each.generation < generation);
    // Its record may have gone with the directory.
    const isMissing = before !== undefined && !found.some((each) => each.generation === before.generation);
    await Promise.all([...found, ...(isMissing ? [before] : [])].map(endHolder));
  }

  #watch(holder: Holder, { gone, close }: { readonly gone: Promise<void>; close(): void }): void {
    const watched: Watched = { holder, since: performance.now(), close };
    this.#current?.close();
    this.#current = watched;
    void gone.then(() => {
      if (this.#current !== watched || this.#isClosed) return;
      this.#current = null;
      if (performance.now() - watched.since > youngMs) this.#pauseMs = 0;
      this.#again();
    });
  }

  /** At once the first time. */
  #again(): void {
    this.#later(this.#pauseMs);
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2 || firstPauseMs);
  }

  /** A socket that was ended, but for whose end there was no new holder yet, is one of these. */
  #checkTaken(holder: Holder): void {
    const missing = readSockets(holder).filter(({ key }) => !this.has(key));
    if (missing.length === 0) return;
    this.#options.log(`not held any more: ${missing.map(({ key }) => addressInWords(key)).join(', ')}`);
    this.#changed();
  }

  #keepPath(key: string): void {
    this.#try(() => keepPath(key, this.#options.directory));
    this.#watchPath(key);
  }

  /** Many programs remove the path as they end, while others still listen there. */
  #watchPath(key: string): void {
    if (this.#paths.has(key)) return;
    const told: { state: PathState } = { state: 'there' };
    const look = () =>
      this.#try(() => {
        const state = this.has(key) ? restorePath(key, this.#options.directory) : 'there';
        if (state === 'taken' && told.state !== state)
          this.#options.log(`${addressInWords(key)}: another file is at this path: nobody reaches what listens there`);
        told.state = state;
      });
    this.#try(() => {
      const watcher = watchPath(key, this.#options.directory, look);
      if (watcher !== null) this.#paths.set(key, watcher);
    });
    look();
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.log(`held sockets: ${(error as Error).message}`);
    }
  }
}

function isSameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

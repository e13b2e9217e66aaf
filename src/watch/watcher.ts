/**
 * Watches what the rules name, and tells of each burst of changes once.
 *
 * An event is only a hint where to look: what has changed is what differs from what is known once the burst is over (look.ts), so that the last state counts,
 * a file that came and went doesn't, and nothing depends on the order or the number of events. An event is asked at once only whether it is of anything that is
 * watched, and whether a directory has appeared, which is opened without delay (tree.ts). Where events may have been lost (tally.ts), all is looked at; where
 * there are none, all is looked at again and again (background.ts).
 */
import { type Stats, statSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { Poller, readTimes, readUnknown } from './background.ts';
import { Burst } from './burst.ts';
import type { Directory } from './directory.ts';
import { type FileSystem, fileSystemOf } from './file-system.ts';
import { gitLockTest } from './git-lock.ts';
import { Known } from './known.ts';
import { loadRules } from './load-rules.ts';
import { isSameDirectory, Looker, mostHashed } from './look.ts';
import { noteOf, type PollReason } from './notes.ts';
import { includeFile, type PlacingOptions, placeRoots } from './placing.ts';
import type { RuleOptions, Rules } from './rules.ts';
import { countEvent, onOverflow } from './tally.ts';
import { type EventType, Tree } from './tree.ts';

export interface WatchOptions {
  /** Files, directories, globs; from `rules.cwd`, or absolute. An empty list is all of `rules.cwd`; null is nothing but `rules.always`. */
  readonly roots: readonly string[] | null;
  readonly rules: RuleOptions;
  /** A burst is over when nothing has come for so long … */
  readonly quietMs: number;
  /** … or after so long. */
  readonly mostMs: number;
  /** Polls everything, so often. */
  readonly pollMs?: number | undefined;
  /**
   * Programs are in `rules.cwd`. The kernel tells of a directory's end only when nobody is in it any more, so the one above is watched for it, too. Without this what is watched
   * there is placed anew when the last one has left.
   */
  readonly isInhabited?: boolean | undefined;
  /** Other than the system's own answer, for tests. */
  readonly fileSystemOf?: ((path: string) => FileSystem) | undefined;
  onChange(change: ChangeSet): void;
  /** Once per matter: why it polls, and what would end that. */
  onNote(text: string): void;
}

export interface ChangeSet {
  /** The first that changed, at most 20, relative to `rules.cwd`. */
  readonly paths: readonly string[];
  /** How many changed. */
  readonly count: number;
  /** When the first event of it came, in milliseconds since the epoch. */
  readonly at: number;
}

export interface Watch {
  /** How many are watched. */
  readonly directories: number;
  readonly files: number;
  /** Some of it is polled. */
  readonly isPolling: boolean;
  /** Resolves when the files have been read, from when on the same bytes saved again are known as such. */
  readonly known: Promise<void>;
  /** Watches more files, as those of `rules.always`. Absolute paths. */
  include(paths: readonly string[]): void;
  close(): void;
}

export const usualQuietMs = 300;
export const usualMostMs = 2000;

const mostPaths = 20;
const usualPollMs = 1000;
/** More names of one directory than this, and all of it is looked at. */
const mostNames = 500;

/** Resolves when everything is watched. Throws OPTION_INVALID for a pattern that can't be used. */
export async function startWatch(options: WatchOptions): Promise<Watch> {
  const watcher = new Watcher(options, loadRules(options.roots, options.rules));
  await watcher.begin();
  return watcher;
}

class Watcher implements Watch {
  readonly #options: WatchOptions;
  readonly #rules: Rules;
  readonly #rows = new Known();
  readonly #tree: Tree;
  readonly #looker: Looker;
  readonly #burst: Burst;
  readonly #poller: Poller;
  readonly #placing: PlacingOptions;
  /** What has changed and is not told yet. */
  readonly #found = new Set<string>();
  /** Of those, the hashes of what vanished with its directory. */
  readonly #gone = new Map<string, number>();
  /** Where to look when the burst is over; null: at all of it. */
  #marked = new Map<Directory, Set<string> | null>();
  #isAllDue = false;
  #isPlacingDue = false;
  #isReadingDue = true;
  #reloads = new Set<Directory>();
  /** One look at a time. */
  #turn: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();
  readonly #stopListening: () => void;
  readonly #notes = new Set<string>();
  known: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions, rules: Rules) {
    const { quietMs, mostMs, pollMs } = options;
    this.#options = options;
    this.#rules = rules;
    this.#tree = new Tree({
      rules,
      known: this.#rows,
      isPolling: pollMs !== undefined,
      fileSystemOf: options.fileSystemOf ?? fileSystemOf,
      hooks: {
        event: (directory, type, name) => this.#event(directory, type, name),
        appeared: (directory, name) => this.#appeared(directory, name),
        vanished: (directory, name, row) => this.#vanished(directory, name, row),
        closed: (directory) => this.#closed(directory),
        polled: (reason) => this.#poll(reason),
      },
    });
    this.#looker = new Looker({ tree: this.#tree, known: this.#rows, rules, found: this.#found, gone: this.#gone });
    const isHeld = gitLockTest(options.rules.cwd);
    this.#burst = new Burst({ quietMs, mostMs, isHeld, onEnd: (at) => this.#over(at) });
    this.#poller = new Poller({ pollMs: pollMs ?? usualPollMs, sweep: () => this.#inTurn(() => this.#sweep()) });
    const always = options.rules.always.map((path) => resolve(options.rules.cwd, path));
    this.#placing = {
      tree: this.#tree,
      rules,
      always: new Set(always),
      inhabited: options.isInhabited === true ? options.rules.cwd : null,
      appeared: (directory, name) => this.#mark(directory, name),
    };
    this.#stopListening = onOverflow(() => {
      this.#isAllDue = true;
      this.#placeAnew();
    });
  }

  begin(): Promise<void> {
    return this.#inTurn(async () => {
      placeRoots(this.#placing, false);
      await this.#tree.whenOpen();
      for (const directory of this.#tree.directories.values()) {
        if (directory.isPolled) await readTimes(directory, this.#rows);
      }
      if (this.#options.pollMs !== undefined) this.#poller.start();
      this.#readUnknown();
    });
  }

  include(paths: readonly string[]): void {
    if (this.#ending.signal.aborted) return;
    for (const path of paths) includeFile(this.#placing, path);
    this.#isReadingDue = true;
    this.#readUnknown();
  }

  get directories(): number {
    return this.#tree.directories.size;
  }

  get files(): number {
    return this.#rows.count;
  }

  get isPolling(): boolean {
    return this.#tree.isPolling;
  }

  close(): void {
    this.#ending.abort();
    this.#stopListening();
    this.#burst.cancel();
    this.#poller.stop();
    this.#tree.end();
  }

  #event(directory: Directory, type: EventType, name: string | null): void {
    countEvent();
    if (name === null) {
      this.#mark(directory, null);
      return;
    }
    for (const alias of directory.aliases?.get(name) ?? []) this.#markIfWatched(alias.directory, alias.name);
    if (directory.awaited?.has(name)) this.#placeAnew();
    if (type === 'rename' && isOwnEnd(directory, name)) {
      this.#endOf(directory, name);
      return;
    }
    if (name === '.gitignore' && directory.place !== null && this.#rules.readsGitignores) this.#reloadLater(directory);
    const child = directory.children?.get(name);
    if (child !== undefined && type === 'rename') this.#eventOfChild(directory, name, child);
    else if (isKnownName(directory, name)) this.#markIfWatched(directory, name);
    else if (directory.place !== null) this.#eventOfUnknown(directory, type, name);
  }

  #endOf(directory: Directory, name: string): void {
    const { parent } = directory;
    directory.isDead = true;
    if (parent === null) this.#placeAnew();
    else if (!parent.isClosed) this.#eventOfChild(parent, name, directory);
  }

  /** At once: what happens in a new one is to be of this burst. */
  #eventOfChild(directory: Directory, name: string, child: Directory): void {
    if (isSameDirectory(child, statOf(child.path))) return;
    this.#tree.close(child);
    this.#burst.touch();
    this.#eventOfUnknown(directory, 'rename', name);
  }

  #eventOfUnknown(directory: Directory, type: EventType, name: string): void {
    // A Kubernetes volume: its files are links that lead through this one.
    if (name === '..data') this.#mark(directory, null);
    else if (type === 'rename' && statOf(directory.at(name))?.isDirectory()) this.#tree.openIn(directory, name);
    else this.#markIfWatched(directory, name);
  }

  #reloadLater(directory: Directory): void {
    this.#reloads.add(directory);
    this.#burst.touch();
  }

  #vanished(directory: Directory, name: string, row: number): void {
    if (!this.#looker.isWatched(directory, name)) return;
    this.#found.add(directory.at(name));
    if (this.#rows.isKnown(row) && this.#rows.hasHash(row)) this.#gone.set(directory.at(name), this.#rows.hashOf(row));
  }

  #markIfWatched(directory: Directory, name: string): void {
    if (this.#marked.get(directory)?.has(name)) this.#burst.touch();
    else if (directory.children?.has(name) || this.#looker.isWatched(directory, name)) this.#mark(directory, name);
  }

  #appeared(directory: Directory, name: string): void {
    if (this.#looker.isWatched(directory, name)) this.#mark(directory, name);
  }

  #mark(directory: Directory, name: string | null): void {
    this.#burst.touch();
    const names = this.#marked.get(directory);
    if (names === null) return;
    if (name === null || (names !== undefined && names.size >= mostNames)) this.#marked.set(directory, null);
    else if (names === undefined) this.#marked.set(directory, new Set([name]));
    else names.add(name);
  }

  #placeAnew(): void {
    this.#isPlacingDue = true;
    this.#burst.touch();
  }

  /** What was to be seen from there is placed somewhere else. */
  #closed(directory: Directory): void {
    this.#marked.delete(directory);
    this.#reloads.delete(directory);
    const hasOthers = directory.explicit ?? directory.awaited ?? directory.aliases;
    if (directory.parent === null || hasOthers !== null) this.#placeAnew();
  }

  #over(at: number): void {
    void this.#inTurn(async () => {
      await this.#settle();
      this.#tell(at);
      this.#readUnknown();
    });
  }

  async #settle(): Promise<void> {
    await this.#tree.whenOpen();
    if (this.#isPlacingDue) await this.#place();
    // A directory of which all is looked at may have directories that are looked at later, and so on.
    for (const [directory, names] of this.#takeMarked()) {
      if (names === null) await this.#looker.lookAtAll(directory);
      else for (const name of names) await this.#looker.look(directory, name, true);
    }
    if (this.#isAllDue) await this.#lookAtAll(() => true);
    if (this.#reloads.size > 0) await this.#reload();
    await this.#tree.whenOpen();
    for (const [directory, names] of this.#takeMarked()) {
      for (const name of names ?? directory.names.keys()) await this.#looker.look(directory, name, true);
    }
  }

  #takeMarked(): Map<Directory, Set<string> | null> {
    const marked = this.#marked;
    this.#marked = new Map();
    return marked;
  }

  async #place(): Promise<void> {
    this.#isPlacingDue = false;
    placeRoots(this.#placing, true);
    await this.#tree.whenOpen();
  }

  async #lookAtAll(isMeant: (directory: Directory) => boolean): Promise<void> {
    this.#isAllDue = false;
    for (const directory of [...this.#tree.directories.values()]) {
      if (isMeant(directory)) await this.#looker.lookAtAll(directory);
    }
  }

  async #sweep(): Promise<void> {
    placeRoots(this.#placing, true);
    await this.#lookAtAll(({ isPolled }) => isPolled);
    await this.#tree.whenOpen();
    if (this.#found.size > 0) this.#burst.touch();
  }

  /** Other `.gitignore` files: everything is opened anew. What is changed between the end of the old watches and the new ones is found by its time. */
  async #reload(): Promise<void> {
    this.#reloads.clear();
    const before = [...this.#found];
    for (const directory of [...this.#tree.directories.values()]) this.#tree.close(directory);
    this.#found.clear();
    this.#gone.clear();
    for (const path of before) this.#found.add(path);
    placeRoots(this.#placing, false);
    await this.#tree.whenOpen();
    this.#isAllDue = true;
    this.#isReadingDue = true;
  }

  #tell(at: number): void {
    this.#gone.clear();
    if (this.#found.size === 0 || this.#ending.signal.aborted) return;
    const { cwd } = this.#options.rules;
    const paths = [...this.#found].slice(0, mostPaths).map((path) => relative(cwd, path));
    const count = this.#found.size;
    if (count >= mostHashed) this.#isReadingDue = true;
    this.#found.clear();
    this.#options.onChange({ paths, count, at });
  }

  #readUnknown(): void {
    const { signal } = this.#ending;
    if (signal.aborted || !this.#isReadingDue) return;
    this.#isReadingDue = false;
    this.known = this.known.then(() => readUnknown(this.#tree, this.#rows, signal)).catch(() => {});
  }

  #poll(reason: PollReason): void {
    this.#poller.start();
    const key = 'code' in reason ? reason.code : reason.fileSystem;
    if (this.#notes.has(key)) return;
    this.#notes.add(key);
    this.#options.onNote(noteOf(reason));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#turn.then(() => (this.#ending.signal.aborted ? undefined : work()));
    this.#turn = next.catch(() => {});
    return next;
  }
}

const isKnownName = (directory: Directory, name: string): boolean =>
  directory.names.has(name) || directory.children?.has(name) === true || directory.explicit?.has(name) === true;

/** A directory's end, or that it was moved, is told with its own name, as if it were of something in it. */
const isOwnEnd = (directory: Directory, name: string): boolean =>
  name === basename(directory.path) && !isKnownName(directory, name) && statOf(directory.at(name)) === null;

function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

/**
 * The directories that are watched, each with a watch of its own. One is opened in this order: a watch, then a list, then what is listed; so what appears
 * in it meanwhile is either listed or told of, and `mkdir -p a/b/c && touch a/b/c/x.js` is seen whole. Opening goes on in slices, so that whoever
 * lives in the same process gets his turn; its first slice is at once, as every moment counts in a directory that is being filled.
 */
import { type Dirent, lstatSync, readFileSync, realpathSync, type Stats, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonicMs, wallMs } from '../host/clock.ts';
import { errnoOf } from '../host/files.ts';
import { Directory } from './directory.ts';
import type { FileSystem } from './file-system.ts';
import { localFiles, remoteFiles } from './files.ts';
import type { Known } from './known.ts';
import type { Place, Rules } from './rules.ts';

const sliceMs = 15;

export type EventType = 'rename' | 'change';

export interface TreeHooks {
  /** `name` is null where the kernel told none. */
  event(directory: Directory, type: EventType, name: string | null): void;
  /** A file that lies in a directory which is new. */
  appeared(directory: Directory, name: string): void;
  /** A file that was known is gone, with its directory. */
  vanished(directory: Directory, name: string, row: number): void;
  /** A directory is no longer watched. */
  closed(directory: Directory): void;
  /** Watched by polling, as there is no inotify for it, or no more of it (ENOSPC, EMFILE). */
  polled(reason: { readonly path: string; readonly fileSystem: string } | { readonly code: 'ENOSPC' | 'EMFILE' }): void;
}

export interface TreeOptions {
  readonly rules: Rules;
  readonly known: Known;
  /** Nothing is watched by inotify. */
  readonly isPolling: boolean;
  fileSystemOf(path: string): FileSystem;
  readonly hooks: TreeHooks;
}

interface Opening {
  readonly path: string;
  readonly parent: Directory | null;
  readonly place: Place;
  /** What is in it has not been there before. */
  readonly isNew: boolean;
}

export class Tree {
  readonly directories = new Map<string, Directory>();
  readonly #options: TreeOptions;
  readonly #identities = new Set<string>();
  readonly #fileSystems = new Map<number, FileSystem>();
  readonly #local = localFiles();
  /** Taken from the end. Symlinks wait until no directory is left, so that each directory has its own name where it has one. */
  readonly #openings: Opening[] = [];
  readonly #links: Opening[] = [];
  #work: Promise<void> | null = null;
  #isOpening = false;
  #isFull = false;
  #isClosed = false;

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  get isPolling(): boolean {
    for (const directory of this.directories.values()) if (directory.isPolled) return true;
    return false;
  }

  /** Opens a directory and all below it. What of it can be done in a slice is done when this returns. */
  open(opening: Opening): void {
    this.#openings.push(opening);
    this.#goOn();
  }

  /** Resolves when all is open. */
  async whenOpen(): Promise<void> {
    while (this.#work !== null) await this.#work;
  }

  /** A directory in which some names are watched; null if it isn't there. */
  part(path: string): Directory | null {
    const there = this.directories.get(path);
    if (there !== undefined) return there;
    const stats = this.#local.stat(path) as Stats | null;
    if (stats === null || !stats.isDirectory()) return null;
    return this.#make(path, null, stats);
  }

  /** A directory is gone, or no longer the one it was: with all below it. */
  close(directory: Directory): void {
    if (directory.isClosed) return;
    directory.isClosed = true;
    directory.watcher?.close();
    directory.parent?.children?.delete(basename(directory.path));
    this.directories.delete(directory.path);
    if (directory.place !== null) this.#identities.delete(directory.identity);
    for (const [name, row] of directory.names) {
      this.#options.hooks.vanished(directory, name, row);
      this.#options.known.remove(row);
    }
    for (const child of [...(directory.children?.values() ?? [])]) this.close(child);
    this.#options.hooks.closed(directory);
  }

  /** Without a word to the hooks. */
  end(): void {
    this.#isClosed = true;
    for (const directory of this.directories.values()) {
      directory.isClosed = true;
      directory.watcher?.close();
    }
    this.directories.clear();
  }

  #goOn(): void {
    if (this.#isOpening || this.#isClosed) return;
    this.#isOpening = true;
    this.#work = this.#openAll().finally(() => {
      this.#isOpening = false;
      this.#work = null;
      // Something may have come between its end and this.
      if (this.#openings.length + this.#links.length > 0) this.#goOn();
    });
  }

  async #openAll(): Promise<void> {
    let beganMs = monotonicMs();
    for (;;) {
      const next = this.#openings.pop() ?? this.#links.shift();
      if (next === undefined || this.#isClosed) return;
      const later = this.#openOne(next);
      if (later !== null) await later;
      if (monotonicMs() - beganMs < sliceMs) continue;
      await nextTurn();
      beganMs = monotonicMs();
    }
  }

  /** A promise only where the files are remote: all else is done when it returns. */
  #openOne(opening: Opening): Promise<void> | null {
    const { path, parent } = opening;
    if (parent?.isClosed) return null;
    const files = parent?.files ?? this.#local;
    const stats = files.stat(path);
    if (stats instanceof Promise) return stats.then((found) => this.#enter(opening, found) ?? undefined);
    return this.#enter(opening, stats);
  }

  #enter(opening: Opening, stats: Stats | null): Promise<void> | null {
    if (stats === null || !stats.isDirectory() || this.#isClosed) return null;
    const directory = this.#wholeDirectory(opening, stats);
    if (directory === null) return null;
    const entries = directory.files.list(directory.path);
    if (entries instanceof Promise) return entries.then((found) => this.#takeIn(directory, found ?? [], opening.isNew));
    this.#takeIn(directory, entries ?? [], opening.isNew);
    return null;
  }

  /** null: it is watched already, under this name or another. */
  #wholeDirectory({ path, parent, place }: Opening, stats: Stats): Directory | null {
    const identity = `${stats.dev}:${stats.ino}`;
    if (this.#identities.has(identity)) return null;
    const part = this.directories.get(path);
    const directory = part ?? this.#make(path, parent, stats);
    if (directory === null) return null;
    this.#identities.add(identity);
    directory.identity = identity;
    directory.place = place;
    directory.parent = parent;
    if (parent !== null) {
      parent.children ??= new Map();
      parent.children.set(basename(path), directory);
    }
    return directory;
  }

  /** Watched, but with nothing known to be in it. */
  #make(path: string, parent: Directory | null, stats: Stats): Directory | null {
    const fileSystem = this.#fileSystemOf(path, stats.dev);
    if (fileSystem.kind === 'pseudo') return null;
    const isRemote = fileSystem.kind === 'polled';
    const directory = new Directory(path, parent, isRemote ? remoteFiles : this.#local);
    directory.device = stats.dev;
    directory.identity = `${stats.dev}:${stats.ino}`;
    directory.since = wallMs();
    if (isRemote) this.#options.hooks.polled({ path, fileSystem: fileSystem.name });
    else if (!this.#watch(directory)) return null;
    this.directories.set(path, directory);
    return directory;
  }

  #fileSystemOf(path: string, device: number): FileSystem {
    const known = this.#fileSystems.get(device) ?? this.#options.fileSystemOf(path);
    this.#fileSystems.set(device, known);
    return known;
  }

  /** False if it can't be watched at all, as it is gone or not for this user to read. */
  #watch(directory: Directory): boolean {
    if (this.#options.isPolling || this.#isFull) return true;
    try {
      directory.watcher = watch(directory.path, (type, name) => {
        if (!directory.isClosed) this.#options.hooks.event(directory, type as EventType, name);
      });
      // It is gone: its parent tells of that, too.
      directory.watcher.on('error', () => {});
      return true;
    } catch (error) {
      const code = errnoOf(error);
      if (code !== 'ENOSPC' && code !== 'EMFILE') return false;
      this.#isFull = true;
      this.#options.hooks.polled({ code });
      return true;
    }
  }

  #takeIn(directory: Directory, entries: readonly Dirent[], isNew: boolean): void {
    if (directory.isClosed) return;
    if (this.#options.rules.readsGitignores && entries.some(({ name }) => name === '.gitignore'))
      this.#readGitignore(directory);
    for (const entry of entries) this.takeInOne(directory, entry, isNew);
  }

  #readGitignore(directory: Directory): void {
    try {
      const text = readFileSync(directory.at('.gitignore'), 'utf8');
      directory.place = this.#options.rules.add(directory.place!, directory.path, text);
    } catch {
      // A directory of that name, or not for this user to read.
    }
  }

  /** An entry that isn't known: a file, or a directory that is opened. */
  takeInOne(directory: Directory, entry: Dirent, isNew: boolean): void {
    const { name } = entry;
    if (entry.isDirectory()) this.openBelow(directory, name, isNew);
    else if (entry.isFile()) this.addFile(directory, name, isNew);
    else if (entry.isSymbolicLink()) this.#followLink(directory, name, isNew);
  }

  /** A directory, or a symlink to one, that has appeared in one that is watched. */
  openIn(directory: Directory, name: string): void {
    if (isLink(directory.at(name))) this.#followLink(directory, name, true);
    else this.openBelow(directory, name, true);
  }

  /** True if it is entered. */
  openBelow(directory: Directory, name: string, isNew: boolean): boolean {
    const path = directory.at(name);
    const place = directory.place && this.#options.rules.enter(directory.place, path, name);
    if (place === null) return false;
    this.open({ path, parent: directory, place, isNew });
    return true;
  }

  /** True if it may be watched. */
  addFile(directory: Directory, name: string, isNew: boolean): boolean {
    const { rules, known, hooks } = this.#options;
    if (directory.names.has(name)) return true;
    const isExplicit = directory.explicit?.has(name) === true;
    if (!isExplicit && !(directory.place && rules.isCandidate(directory.place, directory.at(name), name))) return false;
    directory.names.set(name, known.add(isNew));
    if (isNew) hooks.appeared(directory, name);
    return true;
  }

  /** To a directory: opened under the link's name, if no other leads to it. To a file: watched where it lies as well. */
  #followLink(directory: Directory, name: string, isNew: boolean): void {
    const path = directory.at(name);
    let target: string;
    try {
      target = realpathSync(path);
    } catch {
      return;
    }
    const stats = this.#local.stat(target) as Stats | null;
    if (stats === null) return;
    if (!stats.isDirectory()) {
      if (this.addFile(directory, name, isNew)) this.addAlias(directory, name, target);
      return;
    }
    // One that leads above would bring in all that lies beside.
    if (directory.place === null || `${realOf(directory.path)}/`.startsWith(target === '/' ? '/' : `${target}/`))
      return;
    const place = this.#options.rules.enter(directory.place, path, name);
    if (place !== null) this.#links.push({ path, parent: directory, place, isNew });
    this.#goOn();
  }

  addAlias(directory: Directory, name: string, target: string): void {
    const lies = this.part(dirname(target));
    if (lies === null || lies === directory) return;
    lies.aliases ??= new Map();
    const of = lies.aliases.get(basename(target)) ?? [];
    const others = of.filter((one) => one.directory !== directory || one.name !== name);
    lies.aliases.set(basename(target), [...others, { directory, name }]);
  }
}

export function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

export function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

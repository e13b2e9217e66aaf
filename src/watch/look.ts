/** Compares what is there with what is known: one name, or all of a directory. What has changed is told, what has appeared is opened. */
import type { Dirent, Stats } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonicMs } from '../host/clock.ts';
import type { Directory } from './directory.ts';
import { hasChanged, type Known } from './known.ts';
import type { Rules } from './rules.ts';
import { isLink, realOf, type Tree } from './tree.ts';

const sliceMs = 15;
/** With so many changes it makes no difference whether another one is of the same bytes, and reading them all takes long. */
export const mostHashed = 100;
/** So many that vanished with their directory are compared with what is there in their place: a build that begins with a clean-up. */
const mostGone = 2000;

export interface LookerOptions {
  readonly tree: Tree;
  readonly known: Known;
  readonly rules: Rules;
  /** What has changed so far, as absolute paths. */
  readonly found: Set<string>;
  /** Hashes of files whose directory has vanished, and that may be back with another of the same name. */
  readonly gone: Map<string, number>;
}

export class Looker {
  readonly #options: LookerOptions;
  #sliceMs = monotonicMs();

  constructor(options: LookerOptions) {
    this.#options = options;
  }

  /** `isNamed`: an event told of it. */
  async look(directory: Directory, name: string, isNamed: boolean): Promise<void> {
    if (directory.isClosed) return;
    const soon = directory.files.stat(directory.at(name));
    const stats = soon instanceof Promise ? await soon : soon;
    const child = directory.children?.get(name);
    if (child !== undefined && !isSameDirectory(child, stats)) this.#options.tree.close(child);
    if (stats?.isDirectory() === true) {
      this.#forget(directory, name);
      if (directory.place !== null && directory.children?.has(name) !== true)
        this.#options.tree.openIn(directory, name);
    } else if (stats === null || !stats.isFile()) this.#forget(directory, name);
    else await this.#lookAtFile(directory, name, stats, isNamed);
    await this.#breathe();
  }

  /** All that a directory holds; what lies below it is looked at in its own turn. */
  async lookAtAll(directory: Directory): Promise<void> {
    if (directory.isClosed) return;
    const soon = directory.place === null ? null : directory.files.list(directory.path);
    const entries = soon instanceof Promise ? await soon : soon;
    const fresh = (entries ?? []).filter(({ name }) => !isKnown(directory, name));
    for (const entry of fresh) if (isRelevant(entry)) this.#options.tree.takeInOne(directory, entry, true);
    for (const name of [...directory.names.keys()]) await this.look(directory, name, false);
    for (const [name, child] of [...(directory.children ?? [])]) {
      // One reached over a symlink has its own inode, which the list does not tell.
      const at = directory.files.stat(child.path);
      const stats = at instanceof Promise ? await at : at;
      if (!isSameDirectory(child, stats)) await this.look(directory, name, false);
    }
    await this.#breathe();
  }

  async #lookAtFile(directory: Directory, name: string, stats: Stats, isNamed: boolean): Promise<void> {
    const { known, found, gone, tree } = this.#options;
    const path = directory.at(name);
    const before = directory.names.get(name);
    if (before !== undefined && !isNamed && known.isAsKnown(before, stats)) return;
    if (!this.isWatched(directory, name)) return;
    tree.addFile(directory, name, false);
    const row = directory.names.get(name);
    if (row === undefined) return;
    const { since } = directory;
    const isHashed = found.size - gone.size < mostHashed && gone.size < mostGone;
    const look = { path, row, stats, isNamed: isNamed || before === undefined, since, isHashed };
    if (!(await hasChanged(known, directory.files, look)) || this.#isBack(path, row)) return;
    found.add(path);
    if (isLink(path)) tree.addAlias(directory, name, realOf(path));
  }

  /** With the directory that it was in, and the same as before. */
  #isBack(path: string, row: number): boolean {
    const { known, found, gone } = this.#options;
    if (!gone.has(path) || gone.get(path) !== known.hashOf(row)) return false;
    found.delete(path);
    gone.delete(path);
    return true;
  }

  isWatched(directory: Directory, name: string): boolean {
    if (directory.explicit?.has(name)) return true;
    return directory.place !== null && this.#options.rules.isWatched(directory.place, directory.at(name), name);
  }

  /** A file that was known is no longer there. */
  #forget(directory: Directory, name: string): void {
    const row = directory.names.get(name);
    if (row === undefined) return;
    const isWatched = this.isWatched(directory, name);
    directory.names.delete(name);
    this.#options.known.remove(row);
    if (isWatched) this.#options.found.add(directory.at(name));
  }

  /** Lets others have their turn now and then. */
  async #breathe(): Promise<void> {
    if (monotonicMs() - this.#sliceMs < sliceMs) return;
    await nextTurn();
    this.#sliceMs = monotonicMs();
  }
}

const isKnown = (directory: Directory, name: string): boolean =>
  directory.names.has(name) || directory.children?.has(name) === true;

const isRelevant = (entry: Dirent): boolean => entry.isFile() || entry.isDirectory() || entry.isSymbolicLink();

export const isSameDirectory = ({ identity, isDead }: Directory, stats: Stats | null): boolean =>
  !isDead && stats?.isDirectory() === true && identity === `${stats.dev}:${stats.ino}`;

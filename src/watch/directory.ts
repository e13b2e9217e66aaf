import type { FSWatcher } from 'node:fs';
import type { Files } from './files.ts';
import type { Place } from './rules.ts';

/** One directory that is watched, whole or for some names in it. */
export class Directory {
  /** Absolute, as it was reached: over a symlink where one led there. */
  readonly path: string;
  parent: Directory | null;
  readonly files: Files;
  /** Its files, by name, with their rows in what is known. */
  readonly names = new Map<string, number>();
  children: Map<string, Directory> | null = null;
  /** What holds in it; null where only some names are watched. */
  place: Place | null = null;
  /** Device and inode. */
  identity = '';
  device = 0;
  /** null: it is polled. */
  watcher: FSWatcher | null = null;
  isClosed = false;
  /** Its watch has told of its end: another one at its place may have the same inode. */
  isDead = false;
  /** When it came to be watched, in milliseconds since the epoch. */
  since = 0;
  /** Files that are watched whatever the rules say. */
  explicit: Set<string> | null = null;
  /** What is to become or to lead to a root. */
  awaited: Set<string> | null = null;
  /** Files here that symlinks elsewhere lead to. */
  aliases: Map<string, { readonly directory: Directory; readonly name: string }[]> | null = null;

  constructor(path: string, parent: Directory | null, files: Files) {
    this.path = path;
    this.parent = parent;
    this.files = files;
  }

  at(name: string): string {
    return this.path === '/' ? `/${name}` : `${this.path}/${name}`;
  }

  get isPolled(): boolean {
    return this.watcher === null;
  }
}

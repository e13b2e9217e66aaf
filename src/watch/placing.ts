/**
 * Roots, wherever they are: one that isn't there is awaited in the nearest directory that is, one that vanishes or is replaced by another is placed anew. A file is
 * watched in its directory, as its inode changes with each save by rename.
 */
import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Directory } from './directory.ts';
import { type Gitignores, noGitignores, withGitignore } from './gitignore.ts';
import { isSameDirectory } from './look.ts';
import type { Root, Rules } from './rules.ts';
import { isLink, type Tree } from './tree.ts';

export interface PlacingOptions {
  readonly tree: Tree;
  readonly rules: Rules;
  /** Absolute. */
  readonly always: Set<string>;
  /** A directory whose end is to be known though programs are in it; null: none. Absolute. */
  readonly inhabited: string | null;
  /** Something is to be looked at for a first time. */
  appeared(directory: Directory, name: string): void;
}

/** Places all that is not placed; `isNew`: what is found now was not there before. */
export function placeRoots(options: PlacingOptions, isNew: boolean): void {
  for (const directory of [...options.tree.directories.values()]) {
    if (directory.parent === null && !isSameDirectory(directory, statOf(directory.path))) options.tree.close(directory);
  }
  for (const root of options.rules.roots) {
    if (root.kind === 'tree') placeTree(options, root, isNew);
    else placeFile(options, root.path, isNew);
  }
  for (const path of options.always) placeFile(options, path, isNew);
  if (options.inhabited !== null) awaitEnd(options.tree, options.inhabited);
}

/** Its own watch tells of it only when the last one has left; so it is awaited above, but where it is mounted and can't be removed. */
function awaitEnd(tree: Tree, path: string): void {
  const stats = statOf(path);
  if (stats !== null && statOf(dirname(path))?.dev === stats.dev) awaitName(tree, path);
}

/** Another file that is always watched; as it is now, it is known. */
export function includeFile(options: PlacingOptions, path: string): void {
  if (options.always.has(path)) return;
  options.always.add(path);
  placeFile(options, path, false);
}

function placeTree(options: PlacingOptions, root: Root, isNew: boolean): void {
  const { tree, rules } = options;
  if (isLink(root.path)) awaitName(tree, root.path);
  if (tree.directories.get(root.path)?.place != null) return;
  const stats = statOf(root.path);
  if (stats === null) awaitIn(options, root.path, isNew);
  else if (!stats.isDirectory()) placeFile(options, root.path, isNew);
  else {
    const above = rules.readsGitignores ? gitignoresAbove(root.path) : noGitignores;
    tree.open({ path: root.path, parent: null, place: rules.begin(root, above), isNew });
  }
}

function placeFile(options: PlacingOptions, path: string, isNew: boolean): void {
  const directory = options.tree.part(dirname(path));
  if (directory === null) {
    awaitIn(options, dirname(path), isNew);
    return;
  }
  const name = basename(path);
  directory.explicit ??= new Set();
  directory.explicit.add(name);
  if (directory.names.has(name) || !statOf(path)?.isFile()) return;
  if (isNew) options.appeared(directory, name);
  else options.tree.addFile(directory, name, false);
}

/** Waits in the nearest directory there is for what leads to a path. */
function awaitIn(options: PlacingOptions, path: string, isNew: boolean): void {
  // It is there, but not to be watched.
  if (existsSync(path)) return;
  let at = path;
  while (at !== dirname(at) && options.tree.part(dirname(at)) === null) at = dirname(at);
  awaitName(options.tree, at);
  // It may have come before the watch.
  if (existsSync(path)) placeRoots(options, isNew);
}

function awaitName(tree: Tree, path: string): void {
  const directory = tree.part(dirname(path));
  if (directory === null) return;
  directory.awaited ??= new Set();
  directory.awaited.add(basename(path));
}

/** Those of the directories above, up to that of the repository, and the repository's own; none outside a repository. */
function gitignoresAbove(path: string): Gitignores {
  const above: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    if (at !== path) above.push(at);
    if (existsSync(join(at, '.git'))) break;
    if (at === dirname(at)) return noGitignores;
  }
  const top = above.at(-1) ?? path;
  const texts = above.reverse().map((directory) => ({ directory, file: join(directory, '.gitignore') }));
  return [{ directory: top, file: join(top, '.git/info/exclude') }, ...texts].reduce(
    (found, { directory, file }) => withGitignore(found, directory, readText(file)),
    noGitignores,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const statOf = (path: string): Stats | null => {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
};

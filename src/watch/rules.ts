/**
 * What is watched and what is not. Asked before a directory is opened, so that what is ignored costs nothing, and again at each event. It decides by paths
 * alone: which `.gitignore` files hold is handed on from a directory to those in it, as a Place.
 */
import { resolve } from 'node:path';
import { isBuiltInDirectory, isEditorsFile } from './builtin.ts';
import { extensionTest } from './extensions.ts';
import { type Gitignores, isGitignored, noGitignores, withGitignore } from './gitignore.ts';
import { compileIgnores, type Style, type Subject, type Test } from './ignores.ts';
import { parseRoots, type Root } from './roots.ts';

export type { Root };

export interface RuleOptions {
  /** Absolute: the directory of the app, which patterns are relative to. */
  readonly cwd: string;
  /** What files end with, without the dot; null for any file. */
  readonly ext: readonly string[] | null;
  readonly ignore: readonly string[];
  /** Whose meaning roots and ignore patterns have. */
  readonly style: Style;
  /** More of them, in pm2's meaning. */
  readonly ignoreWatch: readonly string[];
  /** And in forever's, which is that of `.foreverignore` files. */
  readonly foreverIgnore: readonly string[];
  /** In place of the directories that are ignored by themselves, as nodemon's ignoreRoot; null for those. */
  readonly ignoreRoot: readonly string[] | null;
  /** `.gitignore` files hold. */
  readonly gitignore: boolean;
  /** Names that begin with a dot are like others; else only what is named itself. */
  readonly dotfiles: boolean;
  /** Files watched whatever the rest says: the program's script, its `.env` files. Absolute, or from `cwd`. */
  readonly always: readonly string[];
  /** Directories and files never watched: stead's home, the app's logs. Absolute. */
  readonly own: readonly string[];
}

export const defaultRules: Omit<RuleOptions, 'cwd'> = {
  ext: ['js', 'mjs', 'cjs', 'json'],
  ignore: [],
  style: 'stead',
  ignoreWatch: [],
  foreverIgnore: [],
  ignoreRoot: null,
  gitignore: true,
  dotfiles: false,
  always: [],
  own: [],
};

/** What holds in a directory. */
export interface Place {
  readonly root: Root;
  readonly gitignores: Gitignores;
}

export interface Rules {
  readonly roots: readonly Root[];
  readonly readsGitignores: boolean;
  /** What holds in a root; `above` are the gitignore files of the directories above it. */
  begin(root: Root, above: Gitignores): Place;
  /** What holds in a directory that lies in another one; null if it is not entered. */
  enter(place: Place, path: string, name: string): Place | null;
  /** With the text of the directory's own gitignore file. */
  add(place: Place, path: string, text: string): Place;
  /** Whether a file may be watched, without the tests that take time: what is false here is never watched. */
  isCandidate(place: Place, path: string, name: string): boolean;
  isWatched(place: Place, path: string, name: string): boolean;
}

export interface Surroundings {
  kindOf(path: string): 'file' | 'directory' | null;
}

/** Throws OPTION_INVALID for a pattern that can't be used. */
export function makeRules(texts: readonly string[] | null, options: RuleOptions, { kindOf }: Surroundings): Rules {
  const { cwd, style } = options;
  const isDirectory = (path: string) => kindOf(path) === 'directory';
  const { roots, ignore } = parseRoots(texts, { cwd, style, kindOf });
  const ignores = anyOf([
    compileIgnores([...options.ignore, ...ignore], { cwd, style, isDirectory }),
    compileIgnores(options.ignoreWatch, { cwd, style: 'pm2', isDirectory }),
    compileIgnores(options.foreverIgnore, { cwd, style: 'forever', isDirectory }),
  ]);
  const builtIn: Test =
    options.ignoreRoot === null
      ? () => false
      : compileIgnores(options.ignoreRoot, { cwd, style: 'nodemon', isDirectory });
  const hasExtension = extensionTest(options.ext);
  const own = new Set(options.own);
  const trees = roots.filter(({ kind }) => kind === 'tree');
  // As nodemon has it: with one of them named, all of them count.
  const seesDots =
    options.dotfiles || (style === 'nodemon' && trees.some(({ path }) => /\/\./.test(path.slice(cwd.length))));

  const subject = (place: Place, path: string, isDirectoryPath: boolean): Subject => {
    const fromRoot = pathFrom(place.root.path, path) ?? path;
    return { path, relative: pathFrom(cwd, path) ?? fromRoot, fromRoot, isDirectory: isDirectoryPath };
  };
  /** Of the roots above it, the one that wants it most. */
  const choose = (place: Place, path: string, name: string): boolean => {
    const { relative } = subject(place, path, false);
    return trees.some((root) => {
      if (root !== place.root && !path.startsWith(`${root.path}/`)) return false;
      // A glob sees a dot where it has one itself.
      if (!seesDots && name.startsWith('.') && (root.isPlain || style === 'nodemon')) return false;
      const choice = root.choose(path, relative);
      return choice === 'chosen' || (choice === 'tested' && hasExtension(name));
    });
  };
  const isPlain = trees.every((root) => root.isPlain);
  const always = options.always.map((path) => resolve(cwd, path));

  return {
    roots,
    readsGitignores: options.gitignore,
    begin: (root, above) => ({ root, gitignores: isGitignored(above, root.path, true) ? noGitignores : above }),
    enter(place, path, name) {
      if (own.has(path) || (!seesDots && name.startsWith('.'))) return null;
      if (options.ignoreRoot === null && isBuiltInDirectory(name)) return null;
      const asked = subject(place, path, true);
      if (builtIn(asked) || ignores(asked)) return null;
      if (!isGitignored(place.gitignores, path, true)) return place;
      // What a build writes is seldom in git, but it is what runs.
      return always.some((one) => one.startsWith(`${path}/`)) ? { ...place, gitignores: noGitignores } : null;
    },
    add: (place, path, text) => ({ ...place, gitignores: withGitignore(place.gitignores, path, text) }),
    isCandidate(place, path, name) {
      if (isEditorsFile(name)) return false;
      if (isPlain) return hasExtension(name) && (seesDots || !name.startsWith('.'));
      return choose(place, path, name);
    },
    isWatched(place, path, name) {
      if (own.has(path) || isEditorsFile(name)) return false;
      if (!choose(place, path, name)) return false;
      const asked = subject(place, path, false);
      return !builtIn(asked) && !ignores(asked) && !isGitignored(place.gitignores, path, false);
    },
  };
}

const anyOf =
  (tests: readonly Test[]): Test =>
  (subject) =>
    tests.some((test) => test(subject));

/** null for what isn't below. */
function pathFrom(directory: string, path: string): string | null {
  if (directory === '/') return path.slice(1);
  return path.startsWith(directory) && path[directory.length] === '/' ? path.slice(directory.length + 1) : null;
}

/** What was asked to be watched, as it was written: files, directories, globs. */
import { resolve } from 'node:path';
import { compileGlob, isGlob, splitGlob } from './globs.ts';
import { nodemonRule, nodemonTest, type Style } from './ignores.ts';

/** Whether a file is asked for by its extension too (`tested`), or in any case (`chosen`); null if it isn't. `relative` is as in Subject. */
export type Choice = 'tested' | 'chosen' | null;

export interface Root {
  /** Absolute. Of a glob, the directory that it begins with. */
  readonly path: string;
  /** A file is named itself: whatever its extension, and also if something ignores it. */
  readonly kind: 'file' | 'tree';
  /** All of a tree, by extension alone. */
  readonly isPlain: boolean;
  choose(path: string, relative: string): Choice;
}

export interface RootOptions {
  readonly cwd: string;
  readonly style: Style;
  /** null: nothing is there. */
  kindOf(path: string): 'file' | 'directory' | null;
}

export interface Roots {
  readonly roots: readonly Root[];
  /** What was written as `!pattern`. */
  readonly ignore: readonly string[];
}

/** Throws OPTION_INVALID. An empty list is the directory of the app; null is no root. */
export function parseRoots(texts: readonly string[] | null, options: RootOptions): Roots {
  if (texts === null) return { roots: [], ignore: [] };
  const trimmed = texts.map((text) => text.trim()).filter((text) => text !== '');
  const wanted = trimmed.filter((text) => !text.startsWith('!'));
  const parse = options.style === 'nodemon' ? nodemonRoot : steadRoot;
  const roots = (wanted.length === 0 ? ['.'] : wanted).map((text) => parse(text, options));
  return { roots, ignore: trimmed.filter((text) => text.startsWith('!')).map((text) => text.slice(1)) };
}

function plainRoot(text: string, { cwd, kindOf }: RootOptions): Root {
  const path = resolve(cwd, text);
  const kind = kindOf(path);
  // What isn't there yet may become either.
  const choose = (at: string): Choice => (at === path ? 'chosen' : 'tested');
  return { path, kind: kind === 'file' ? 'file' : 'tree', isPlain: true, choose };
}

function steadRoot(text: string, options: RootOptions): Root {
  if (!isGlob(text) || options.kindOf(resolve(options.cwd, text)) !== null) return plainRoot(text, options);
  const { base, glob } = splitGlob(text);
  const path = resolve(options.cwd, base);
  const test = compileGlob(glob, { dot: false });
  // One that names an extension means it.
  const choice: Choice = /\.[^/]+$/.test(glob) ? 'chosen' : 'tested';
  const from = path === '/' ? 1 : path.length + 1;
  return { path, kind: 'tree', isPlain: false, choose: (at) => (test(at.slice(from)) ? choice : null) };
}

function nodemonRoot(text: string, options: RootOptions): Root {
  const isDirectory = (path: string) => options.kindOf(path) === 'directory';
  const rule = nodemonRule(text, { ...options, isDirectory });
  // Everything, as far as the extension goes; with any extension also what has none.
  if (rule === null || (rule === '*.*' && text !== rule)) return plainRoot('.', options);
  const at = resolve(options.cwd, rule);
  if (options.kindOf(at) === 'file' || !isGlob(rule)) return plainRoot(rule, options);
  const path = isDirectory(resolve(options.cwd, text))
    ? resolve(options.cwd, text)
    : resolve(options.cwd, splitGlob(rule).base);
  const test = nodemonTest(rule, options.cwd);
  const isChosen = rule !== '*.*' && rule.endsWith('*.*');
  const name = rule.slice(rule.lastIndexOf('/') + 1);
  return {
    path,
    kind: 'tree',
    isPlain: rule === '*.*',
    choose(file, relative) {
      if (!test({ path: file, relative, fromRoot: relative, isDirectory: false })) return null;
      return isChosen || file.endsWith(`/${name}`) ? 'chosen' : 'tested';
    },
  };
}

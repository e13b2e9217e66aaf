/**
 * Ignore patterns in the four meanings that people know. stead's is that of a `.gitignore` in the directory of the app. nodemon's rules hold at any depth, and a
 * directory, `lib/` and `lib/*` stand for all in it. pm2 hands its list to chokidar: paths and globs from the directory of the app. forever's globs are
 * from the watched directory, those without a slash for any name.
 */
import { resolve } from 'node:path';
import { checkPattern, compileGitignore, compileGlob, isGlob, splitGlob } from './globs.ts';

export type Style = 'stead' | 'nodemon' | 'pm2' | 'forever';

export interface Subject {
  /** Absolute. */
  readonly path: string;
  /** The path from the directory of the app; where it isn't below that, from the root that is watched. */
  readonly relative: string;
  /** The path from the root that is watched. */
  readonly fromRoot: string;
  readonly isDirectory: boolean;
}

export type Test = (subject: Subject) => boolean;

export interface IgnoreOptions {
  readonly cwd: string;
  readonly style: Style;
  /** Whether a path is a directory: nodemon's meaning of a rule depends on it. */
  isDirectory(path: string): boolean;
}

/** Throws OPTION_INVALID. A directory that is ignored is not entered. */
export function compileIgnores(patterns: readonly string[], options: IgnoreOptions): Test {
  const compile = { stead: ofStead, nodemon: ofNodemon, pm2: ofPm2, forever: ofForever }[options.style];
  const tests = compile(
    patterns.map((pattern) => pattern.trim()).filter((pattern) => pattern !== ''),
    options,
  );
  return (subject) => tests.some((test) => test(subject));
}

function ofStead(patterns: readonly string[], options: IgnoreOptions): readonly Test[] {
  const local = patterns.map((pattern) => localPattern(pattern, options));
  for (const pattern of patterns) checkPattern(pattern);
  const verdict = compileGitignore(local.filter((pattern) => pattern !== null));
  const outside = patterns.filter((_, at) => local[at] === null).map((pattern) => below(pattern, options.cwd));
  return [({ relative, isDirectory }) => verdict(isDirectory ? `${relative}/` : relative) === 'ignored', ...outside];
}

/** As a line of a `.gitignore` in `cwd`; null for one that leads out of it: `/src/x` is in the app, `/home/u/x` is not. */
function localPattern(pattern: string, { cwd, isDirectory }: IgnoreOptions): string | null {
  const negation = pattern.startsWith('!') ? '!' : '';
  const rest = pattern.slice(negation.length).replace(/^\.\/(?=.)/, '/');
  if (isBelow(rest, cwd)) return negation + rest.slice(cwd === '/' ? 0 : cwd.length);
  const first = /^\/[^/]+/.exec(rest)?.[0];
  const isElsewhere = first !== undefined && isDirectory(first) && !isDirectory(cwd + first);
  return isElsewhere || rest.startsWith('../') ? null : negation + rest;
}

const isBelow = (path: string, directory: string): boolean =>
  path.startsWith(directory === '/' ? '/' : `${directory}/`);

/** A path or a glob, and all below what it fits. */
function below(pattern: string, cwd: string): Test {
  checkPattern(pattern);
  if (!isGlob(pattern)) {
    const at = resolve(cwd, pattern);
    return ({ path }) => path === at || isBelow(path, at);
  }
  const { base, glob } = splitGlob(pattern);
  const at = resolve(cwd, base);
  const test = compileGlob(glob);
  return ({ path }) => isBelow(path, at) && test(path.slice(at === '/' ? 1 : at.length + 1));
}

const ofPm2 = (patterns: readonly string[], { cwd }: IgnoreOptions): readonly Test[] =>
  patterns.map((pattern) => (isDotIdiom(pattern) ? isDotted : below(pattern, cwd)));

/** As pm2's documentation writes "files that begin with a dot": a regular expression, which it takes for a glob. */
const isDotIdiom = (pattern: string): boolean => /^\/?\[\\?\/\\\\?\]\\?\.\/?$/.test(pattern);
const isDotted: Test = ({ fromRoot }) => /(?:^|\/)\./.test(fromRoot);

const ofForever = (patterns: readonly string[]): readonly Test[] =>
  patterns
    .filter((pattern) => !pattern.startsWith('#'))
    .map((pattern) => {
      const test = compileGlob(pattern, { dot: false, basename: true });
      return ({ path, fromRoot }) => test(pattern.startsWith('/') ? path : fromRoot);
    });

function ofNodemon(patterns: readonly string[], options: IgnoreOptions): readonly Test[] {
  return patterns.flatMap((pattern) => {
    const rule = nodemonRule(pattern, options);
    if (rule === null) return [];
    const test = nodemonTest(rule, options.cwd);
    const whole = /\/\*\*(?:\/\*)?$/.test(rule) ? nodemonTest(rule.replace(/\/\*\*(?:\/\*)?$/, ''), options.cwd) : null;
    return [(subject: Subject) => (subject.isDirectory ? whole?.(subject) === true : test(subject))];
  });
}

/** A rule as nodemon rewrites it before it matches; null for a comment. */
export function nodemonRule(text: string, { cwd, isDirectory }: IgnoreOptions): string | null {
  const bare = text
    .replace(/(?<!\\)#.*$/, '')
    .replace(/\\#/g, '#')
    .trim();
  if (bare === '') return null;
  const rule = bare === '.' || bare === '.*' ? '*.*' : bare;
  const at = resolve(cwd, rule);
  if (isDirectory(at)) return `${at === '/' ? '' : at}/**/*`;
  const open = rule.endsWith('/') ? `${rule}*` : rule;
  const isWhole = open.endsWith('*') && !open.endsWith('**') && !open.endsWith('**/*') && !open.includes('*.');
  return isWhole ? `${open}*/*` : open;
}

/** A rewritten rule's match: at any depth, unless it is absolute or begins with a dot. */
export function nodemonTest(rule: string, cwd: string): Test {
  const at = rule.startsWith('.') ? resolve(cwd, rule) : rule;
  if (!at.startsWith('/')) {
    const test = compileGlob(`**/${at}`);
    return ({ relative }) => test(relative);
  }
  // The directory's own name may look like a glob.
  if (isBelow(at, cwd)) {
    const test = compileGlob(at.slice(cwd === '/' ? 1 : cwd.length + 1));
    return ({ path }) => isBelow(path, cwd) && test(path.slice(cwd === '/' ? 1 : cwd.length + 1));
  }
  const test = compileGlob(at);
  return ({ path }) => test(path);
}

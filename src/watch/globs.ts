/** Globs, and lines of gitignore files. Both become regular expressions, which backtrack: so what makes them do so for long is refused. */
import ignore from 'ignore';
import picomatch from 'picomatch';
import { SteadError } from '../protocol/errors.ts';

const longestPattern = 1000;
/** In one path segment: names are up to 255 characters long, and the time grows with that to the power of this. */
const mostStars = 5;
/** The results that the `ignore` package keeps for ever are dropped after so many. */
const keptResults = 1000;

export interface GlobOptions {
  /** `*` and `**` match names that begin with a dot. */
  readonly dot?: boolean;
  /** A pattern without a slash is for names at any depth. */
  readonly basename?: boolean;
}

/** Whether a pattern would take for ever on some names. */
export const isUnbounded = (pattern: string): boolean =>
  pattern.length > longestPattern ||
  pattern.split('/').some((segment) => (segment.match(/\*+|[+@?!]\(/g)?.length ?? 0) > mostStars);

/** Throws OPTION_INVALID. */
export function checkPattern(pattern: string): void {
  if (!isUnbounded(pattern)) return;
  const shown = pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern;
  throw new SteadError(
    'OPTION_INVALID',
    `The pattern "${shown}" can't be used: it has more than ${longestPattern} characters, or more than ${mostStars} wildcards between two slashes.`,
    { hint: 'Say it with several shorter patterns.' },
  );
}

export const isGlob = (text: string): boolean => /[*?{[]|[!@+]\(/.test(text);

/** Throws OPTION_INVALID for a pattern that can't be bounded. */
export function compileGlob(
  pattern: string,
  { dot = true, basename = false }: GlobOptions = {},
): (path: string) => boolean {
  checkPattern(pattern);
  return picomatch(pattern, { dot, basename: basename && !pattern.includes('/') });
}

/** `../lib/*.js` → the directory that it begins with, `../lib`, and the rest. */
export function splitGlob(pattern: string): { readonly base: string; readonly glob: string } {
  const segments = pattern.split('/');
  const first = segments.findIndex(isGlob);
  return {
    base: segments.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.'),
    glob: segments.slice(first).join('/'),
  };
}

/** What a list of gitignore lines says of a path: null if nothing. */
export type Verdict = 'ignored' | 'kept' | null;

/** `path` is relative to where the lines hold, with a slash at its end for a directory. Lines that can't be bounded are passed over. */
export function compileGitignore(lines: readonly string[]): (path: string) => Verdict {
  const good = lines.filter((line) => !isUnbounded(line));
  let left = 0;
  let matcher = ignore({ allowRelativePaths: true });
  return (path) => {
    if (left-- <= 0) {
      left = keptResults;
      matcher = ignore({ allowRelativePaths: true }).add(good);
    }
    const { ignored, unignored } = matcher.test(path);
    return ignored ? 'ignored' : unignored ? 'kept' : null;
  };
}

/** `.gitignore` files: that of a directory holds for all below it, and the nearest one that says anything of a path decides. */
import { compileGitignore, type Verdict } from './globs.ts';

interface Link {
  /** Absolute. */
  readonly base: string;
  readonly verdict: (path: string) => Verdict;
}

/** The nearest first. */
export type Gitignores = readonly Link[];

export const noGitignores: Gitignores = [];

/** With the text of one that lies in `base`. */
export function withGitignore(others: Gitignores, base: string, text: string): Gitignores {
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  return lines.length === 0 ? others : [{ base, verdict: compileGitignore(lines) }, ...others];
}

/** `path` is absolute, and its parents are not ignored. */
export function isGitignored(links: Gitignores, path: string, isDirectory: boolean): boolean {
  for (const { base, verdict } of links) {
    const said = verdict(path.slice(base === '/' ? 1 : base.length + 1) + (isDirectory ? '/' : ''));
    if (said !== null) return said === 'ignored';
  }
  return false;
}

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeRules, type RuleOptions, type Rules } from './rules.ts';

/** The rules for what is there. The lines of a `.foreverignore` in each root are ignore patterns, too, but where all is as nodemon has it. */
export function loadRules(roots: readonly string[] | null, options: RuleOptions): Rules {
  const rules = makeRules(roots, options, { kindOf });
  if (options.style === 'nodemon') return rules;
  const lines = rules.roots.flatMap(({ path }) => linesOf(join(path, '.foreverignore')));
  return lines.length === 0
    ? rules
    : makeRules(roots, { ...options, foreverIgnore: [...options.foreverIgnore, ...lines] }, { kindOf });
}

function kindOf(path: string): 'file' | 'directory' | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? null : stats.isDirectory() ? 'directory' : 'file';
  } catch {
    return null;
  }
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/).filter(Boolean);
  } catch {
    return [];
  }
}

/**
 * Names of apps: the rule that every name obeys, and the name that an app gets if it is given none. A name is also a file name and a
 * word on the command line, hence the narrow rule.
 */
import { basename, dirname } from 'node:path';
import { SteadError } from '../protocol/errors.ts';
import { withoutExtension, wordThatNames } from './command-words.ts';
import { nearestPackageName } from './project.ts';
import { quote } from './quote.ts';

/** The rule in words, for messages and help. */
export const nameRule =
  'a name has 1 to 64 letters, digits, dots, underscores or hyphens, begins with a letter or digit, and is neither a number nor "all"';

const longestName = 64;
const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether a name obeys the rule. */
export function isName(name: string): boolean {
  return pattern.test(name) && !isReserved(name);
}

/** What would be taken for an id (`0`, `1e3`, `0x10`, `5.`) or for everything. */
const isReserved = (name: string) => name === 'all' || !Number.isNaN(Number(name));

/** Returns a name that obeys the rule; throws NAME_INVALID, with a name that would pass in the hint, for any other. */
export function checkName(name: string): string {
  if (isName(name)) return name;
  const tooLong = name.length > longestName ? `it is too long (${name.length} characters); ` : '';
  throw new SteadError('NAME_INVALID', `${quote(name)} cannot be a name: ${tooLong}${nameRule}`, {
    hint: `--name ${passingName(name)}`,
    details: { suggestion: passingName(name) },
  });
}

/** The name nearest to a text that obeys the rule: accents and what is not allowed go, a number gets a word before it. */
export function passingName(text: string): string {
  const plain = text
    .slice(0, 4096)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-{2,}/g, '-');
  const cut = trimEnd(plain.slice(0, longestName));
  if (cut === '') return 'app';
  return isReserved(cut) ? trimEnd(`app-${cut}`.slice(0, longestName)) : cut;
}

const trimEnd = (text: string) => text.replace(/[-.]+$/, '');

/** The first of `name`, `name-2`, `name-3` … that isn't taken. */
export function countOn(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number++) {
    const suffix = `-${number}`;
    const next = name.slice(0, longestName - suffix.length) + suffix;
    if (!isTaken(next)) return next;
  }
}

/** Says nothing of what a program is: its project's name does. */
const generic = new Set(['index', 'main', 'app', 'server', 'start', '__main__', 'cli', 'run']);

/** Folders that hold a project's code and not its name. */
const innerFolders = new Set(['src', 'dist', 'bin', 'lib', 'build', 'out']);

/** The name for a script at an absolute path: its base name, or for `index main app server start` … its project's. */
export async function nameOfScript(path: string): Promise<string> {
  const base = withoutExtension(basename(path));
  return generic.has(base.toLowerCase()) ? nameOfProject(dirname(path), base) : passingName(base);
}

/** The name for a command line run in a directory: the first word that is no interpreter or runner. */
export async function nameOfCommand(words: readonly string[], cwd: string): Promise<string> {
  const word = wordThatNames(words);
  return generic.has(word.toLowerCase()) ? nameOfProject(cwd, word) : passingName(word);
}

async function nameOfProject(folder: string, otherwise: string): Promise<string> {
  const packageName = await nearestPackageName(folder);
  if (packageName !== null) return passingName(packageName.replace(/^@[^/]*\//, ''));
  const name = basename(folderOfProject(folder));
  return passingName(name === '' ? otherwise : name);
}

function folderOfProject(folder: string): string {
  const parent = dirname(folder);
  return innerFolders.has(basename(folder)) && parent !== '/' ? folderOfProject(parent) : folder;
}

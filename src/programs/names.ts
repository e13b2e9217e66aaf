/** Names of apps: what is said of one that does not obey the rule (config/app-name.ts), and the name that an app gets if it is given none. */
import { basename, dirname } from 'node:path';
import { isName, longestName, passingName } from '../config/app-name.ts';
import { SteadError } from '../protocol/errors.ts';
import { withoutExtension, wordThatNames } from './command-words.ts';
import { nearestPackageName } from './project.ts';
import { quote } from './quote.ts';

export { countOn, isName, passingName } from '../config/app-name.ts';

/** The rule in words, for messages and help. */
export const nameRule =
  'a name has 1 to 64 letters, digits, dots, underscores or hyphens, begins with a letter or digit, and is neither a number nor "all"';

/** Returns a name that obeys the rule; throws NAME_INVALID, with a name that would pass in the hint, for any other. */
export function checkName(name: string): string {
  if (isName(name)) return name;
  const tooLong = name.length > longestName ? `it is too long (${name.length} characters); ` : '';
  throw new SteadError('NAME_INVALID', `${quote(name)} cannot be a name: ${tooLong}${nameRule}`, {
    hint: `--name ${passingName(name)}`,
    details: { suggestion: passingName(name) },
  });
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

/** Files and directories as a user names them. */
import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { errnoOf } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';
import { fsPath } from './find.ts';
import { quote } from './quote.ts';
import { remembered } from './remembered.ts';

/** Null if nothing is there that can be reached. */
export async function kindOfFile(path: string): Promise<'file' | 'directory' | 'other' | null> {
  try {
    const stats = await stat(fsPath(path));
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  } catch {
    return null;
  }
}

/** Whether two paths lead to one file that is there. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => stat(fsPath(path)).catch(() => null)));
  return one != null && other != null && one.dev === other.dev && one.ino === other.ino;
}

/** Absolute, links unresolved. `a/../b` is only shortened where that leads to the same file (`a` may be a link). */
export async function scriptPath(target: string, cwd: string): Promise<string> {
  const short = resolve(cwd, target);
  if (!/(^|\/)\.\.(\/|$)/.test(target)) return short;
  const long = isAbsolute(target) ? target : `${cwd}/${target}`;
  return (await isSameFile(short, long)) || (await kindOfFile(long)) === null ? short : long;
}

/** Names no command, whether there is such a file or not. */
export const isPath = (target: string): boolean => target.includes('/') || target === '.' || target === '..';

/** `./my prog.js`: a path with a space in it rather than a command line, whose first word would be there. */
export const looksLikePath = (target: string): boolean =>
  /^\.{0,2}\//.test(target) && /\.[A-Za-z]{1,4}$/.test(target) && !/\s-|["'|&;<>$]/.test(target);

/** Returns a directory that is there and can be entered; throws CWD_MISSING with the reason. */
export async function checkedCwd(path: string): Promise<string> {
  const look = () =>
    stat(fsPath(join(path, '.'))).then(
      (stats) => (stats.isDirectory() ? null : 'is no directory'),
      (error) => whyNoDirectory(errnoOf(error)),
    );
  const why = await remembered<string | null>(`directory\0${path}`, (answer) => answer === null, look);
  if (why === null) return path;
  throw new SteadError('CWD_MISSING', `The working directory ${quote(path)} ${why}`, {
    hint: 'make it, or choose another with --cwd',
  });
}

const whyNoDirectory = (errno: string) =>
  errno === 'ENOTDIR' ? 'is no directory' : errno === 'EACCES' ? 'may not be entered' : 'does not exist';

/** Looks a command up in a PATH as execvp(3) does, and says why one that is there cannot be executed. */
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { encodeBytes, hasRawBytes } from '../host/bytes.ts';
import { errnoOf } from '../host/files.ts';
import { remembered } from './remembered.ts';

export type Found =
  | { readonly how: 'found'; readonly path: string }
  | { readonly how: 'missing' }
  | { readonly how: 'refused'; readonly path: string; readonly why: string };

/** What execvp takes without a PATH in the environment (confstr(_CS_PATH)). */
const defaultPath = '/bin:/usr/bin';

/** A path as node:fs wants it: raw bytes (`host/bytes.ts`) go as a Buffer. */
export function fsPath(path: string): string | Buffer {
  return hasRawBytes(path) ? encodeBytes(path) : path;
}

/**
 * Finds what a word executes: the word itself if it has a slash (relative to `cwd`), else the first executable file of that name in
 * `path`. An empty part of a PATH is the current directory.
 */
export function findCommand(word: string, lookup: { path: string | undefined; cwd: string }): Promise<Found> {
  const key = ['command', word, lookup.path, lookup.cwd].join('\0');
  return remembered(
    key,
    ({ how }) => how === 'found',
    () => lookFor(word, lookup),
  );
}

async function lookFor(word: string, { path, cwd }: { path: string | undefined; cwd: string }): Promise<Found> {
  if (word === '') return { how: 'missing' };
  if (word.includes('/')) return examine(resolve(cwd, word));
  let refused: Found | undefined;
  for (const folder of (path ?? defaultPath).split(':')) {
    const found = await examine(join(resolve(cwd, folder), word));
    if (found.how === 'found') return found;
    if (found.how === 'refused') refused ??= found;
  }
  return refused ?? { how: 'missing' };
}

async function examine(path: string): Promise<Found> {
  const why = await whyNotExecutable(path);
  if (why === 'missing') return { how: 'missing' };
  return why === null ? { how: 'found', path } : { how: 'refused', path, why };
}

/** Null if the permissions allow to execute a file, `missing` if it isn't there, else the reason in words. */
export async function whyNotExecutable(path: string): Promise<string | null> {
  try {
    const target = fsPath(path);
    const stats = await stat(target);
    if (stats.isDirectory()) return 'it is a directory';
    if (!stats.isFile()) return 'it is no regular file';
    try {
      await access(target, constants.X_OK);
      return null;
    } catch {
      return await whyRefused(path, stats.mode);
    }
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return 'a directory of its path may not be searched';
    if (errnoOf(error) === 'ELOOP') return 'its symbolic links lead in a circle';
    return 'missing';
  }
}

/** access(2) also refuses a file with an x bit if its mount is noexec. */
async function whyRefused(path: string, mode: number): Promise<string> {
  if ((mode & 0o111) === 0) return 'it has no execute permission';
  const mount = await mountOf(path);
  if (mount?.isNoexec) return `the file system at ${mount.point} is mounted noexec`;
  return 'you have no permission to execute it';
}

async function mountOf(path: string): Promise<{ point: string; isNoexec: boolean } | undefined> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  let best: { point: string; isNoexec: boolean } | undefined;
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const point = fields[4]?.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (point === undefined || !isBelow(path, point)) continue;
    // Of two mounts on the same point the later one is what is seen.
    if (best === undefined || point.length >= best.point.length) {
      best = { point, isNoexec: fields[5]?.split(',').includes('noexec') ?? false };
    }
  }
  return best;
}

const isBelow = (path: string, point: string) => point === '/' || path === point || path.startsWith(`${point}/`);

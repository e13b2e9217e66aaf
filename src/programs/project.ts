/** What lies around a script: the folders of its project, and what they say. */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fsPath } from './find.ts';

/** Far more than a project is deep; ends a walk on a hostile path. */
const mostFolders = 64;

/** A folder and those above it up to its project's root: the one that holds `.git`, or the last below the home directory or `/`. */
export async function projectFolders(folder: string): Promise<string[]> {
  const folders: string[] = [];
  for (let at = folder; folders.length < mostFolders; at = dirname(at)) {
    folders.push(at);
    if (at === dirname(at) || dirname(at) === '/' || at === homedir() || dirname(at) === homedir()) break;
    if (await exists(join(at, '.git'))) break;
  }
  return folders;
}

/** The first of the given entries in the first of the folders that has one; null if none has. */
export async function findAbove(folder: string, entries: readonly string[]): Promise<string | null> {
  for (const at of await projectFolders(folder)) {
    for (const entry of entries) if (await exists(join(at, entry))) return join(at, entry);
  }
  return null;
}

/** The `name` of the nearest package.json of the project; null without one. */
export async function nearestPackageName(folder: string): Promise<string | null> {
  for (const at of await projectFolders(folder)) {
    const content = await readPackage(at);
    if (content === null) continue;
    return typeof content.name === 'string' && content.name !== '' ? content.name : null;
  }
  return null;
}

/** The package.json in a folder; null if there is none or it makes no sense. */
export async function readPackage(folder: string): Promise<Record<string, unknown> | null> {
  try {
    const path = fsPath(join(folder, 'package.json'));
    const { size } = await stat(path);
    if (size > 1024 * 1024) return null;
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Whether something is there that can be reached. */
export async function exists(path: string): Promise<boolean> {
  return stat(fsPath(path)).then(
    () => true,
    () => false,
  );
}

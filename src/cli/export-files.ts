/** Where an export goes: to stdout, to one file, or into a directory. Nothing is written over unless that was said. */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Written, WrittenFile } from '../foreign/written.ts';
import { encodeBytes } from '../host/bytes.ts';
import { errnoOf } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';

export interface Target {
  readonly path: string;
  readonly file: WrittenFile;
}

/** `-o` names a directory: one that is there, or with a slash at its end. */
export const isDirectoryTarget = (output: string): boolean =>
  output.endsWith('/') || statSync(output, { throwIfNoEntry: false })?.isDirectory() === true;

/** The directory of what is written with `-o`. */
export const directoryOf = (output: string): string =>
  isDirectoryTarget(output) ? resolve(output) : dirname(resolve(output));

/** Where each file goes. Several go into a directory, which is made. Throws USAGE if `-o` names a file that is there. */
export function targetsOf({ files, isFirstEnough = false }: Written, output: string): Target[] {
  const [first] = files;
  if (first === undefined) return [];
  const isFile = statSync(output, { throwIfNoEntry: false })?.isFile() === true;
  const isOne = files.length === 1 || (isFirstEnough && /\.[a-z]+$/.test(output));
  if (!isDirectoryTarget(output) && isOne) return [{ path: resolve(output), file: first }];
  if (isFile)
    throw new SteadError('USAGE', `${JSON.stringify(output)} is a file, and this makes ${files.length} files`, {
      hint: '-o DIR',
    });
  return files.map((file) => ({ path: join(resolve(output), file.name), file }));
}

/** Throws NAME_TAKEN, before anything is written, for what is there already. */
export function writeTargets(targets: readonly Target[], isForced: boolean): void {
  const twice = targets.find(({ path }, at) => targets.findIndex((other) => other.path === path) < at);
  if (twice !== undefined)
    throw new SteadError('NAME_TAKEN', `Two of the files would be ${JSON.stringify(twice.path)}`, {
      hint: 'export the apps one by one, or rename one of them',
    });
  const present = isForced ? undefined : targets.find(({ path }) => existsSync(path));
  if (present !== undefined) throw taken(present.path);
  for (const target of targets) writeOne(target, isForced);
}

const taken = (path: string): SteadError =>
  new SteadError('NAME_TAKEN', `${JSON.stringify(path)} is there already`, { hint: '--force writes over it' });

/** Whole or not at all. */
function writeOne({ path, file }: Target, isForced: boolean): void {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}`);
  const place = isForced ? beside : path;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(place, 'wx', file.isPrivate ? 0o600 : 0o666);
    try {
      writeFileSync(fd, encodeBytes(file.text));
      if (isForced) renameSync(place, path);
    } catch (error) {
      rmSync(place, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!isForced && errnoOf(error) === 'EEXIST') throw taken(path);
    throw new SteadError('DISK', `${JSON.stringify(path)} can't be written: ${errnoOf(error)}`);
  }
}

/**
 * Durable files. What is replaced is written beside, fsynced and renamed, so that a reader sees the old content or the new, whole; the
 * directory is fsynced, so that the rename outlives a power loss. `keepPrevious` leaves the content before as `<path>.prev`.
 */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface WriteOptions {
  readonly keepPrevious?: boolean;
  /** Survive a power loss, not only the death of this process. */
  readonly durable?: boolean;
}

/** Replaces a file's content atomically; 0600. Throws the system's error, the old content then being intact. */
export function replaceFile(
  path: string,
  content: string | Uint8Array,
  { keepPrevious = false, durable = false }: WriteOptions = {},
): void {
  const beside = `${path}.tmp`;
  try {
    const fd = openSync(
      beside,
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      writeAll(fd, typeof content === 'string' ? Buffer.from(content) : content);
      if (durable) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (keepPrevious) keepAsPrevious(path);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  if (durable) syncDirectory(dirname(path));
}

/** Durable `replaceFile` without holding up the event loop. */
export async function replaceFileLater(path: string, content: string): Promise<void> {
  const beside = `${path}.tmp`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  try {
    const handle = await open(beside, flags, 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  await syncPath(dirname(path));
}

/** Makes a directory's entries outlive a power loss. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same without holding up the event loop. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Appends one line in one write; not fsynced. */
export function appendLine(path: string, line: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 0o600);
  try {
    writeAll(fd, Buffer.from(`${line}\n`));
  } finally {
    closeSync(fd);
  }
}

/** A file's text, or null if it does not exist. A file over `limit` bytes or one that is not regular throws. */
export function readIfThere(path: string, limit = 16 * 1024 * 1024): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is no regular file`);
    if (stat.size > limit) throw new Error(`${path} holds ${stat.size} bytes, more than the ${limit} that make sense`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Makes a private directory and its parents; true if it was made now. */
export function makeDirectory(path: string): boolean {
  return mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined;
}

/** No room is left to write: what only removes or renames still works. */
export const isDiskFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(errnoOf(error));

/** Whether a path, there or not yet, lies on a file system that is read-only: `mkdir -p` as Node has it tells of that as ENOENT. */
export function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && path !== dirname(path)) return isReadOnly(dirname(path));
    return errnoOf(error) === 'EROFS';
  }
}

/** The system's name of an error (`ENOENT`), or '' for another kind of error. */
export function errnoOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : '';
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

function keepAsPrevious(path: string): void {
  const previous = `${path}.prev`;
  rmSync(previous, { force: true });
  try {
    linkSync(path, previous);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

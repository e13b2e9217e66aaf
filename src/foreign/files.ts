/** Files of other tools as they lie on the disk: regular files of a bounded size in UTF-8; whatever else there is at a path is refused in words, and at once. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { quote } from '../config/values.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Files } from './context.ts';

/** Bytes; no config of a person comes near it. */
const mostBytes = 4 * 1024 * 1024;

export const diskFiles: Files = {
  read(path) {
    const fd = openIfThere(path);
    if (fd === null) return null;
    try {
      return textOf(fd, path);
    } finally {
      closeSync(fd);
    }
  },
  list(directory) {
    try {
      return readdirSync(directory).sort();
    } catch {
      return [];
    }
  },
};

/** Without waiting for the other end of a FIFO. */
function openIfThere(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw refused(path, code === 'ENXIO' ? 'it is a socket or a device' : `it can't be read: ${message}`);
  }
}

function textOf(fd: number, path: string): string {
  const stats = fstatSync(fd);
  if (!stats.isFile()) throw refused(path, stats.isDirectory() ? 'it is a directory' : 'it is no regular file');
  const bytes = Buffer.alloc(mostBytes + 1);
  let length = 0;
  for (let more = -1; more !== 0 && length < bytes.length; length += more)
    more = readSync(fd, bytes, length, bytes.length - length, null);
  if (length > mostBytes) throw refused(path, `it has more than ${mostBytes / 1024 / 1024} MiB`);
  return decode(bytes.subarray(0, length), path);
}

/** Throws CONFIG_INVALID for bytes that are no text. */
function decode(bytes: Buffer, path: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refused(path, 'it is not in UTF-8');
  }
  if (text.includes('\0')) throw refused(path, 'it holds NUL bytes, so it is no text');
  return text;
}

const refused = (path: string, why: string): SteadError =>
  new SteadError('CONFIG_INVALID', `${quote(path)} was not read: ${why}`, { hint: 'nothing was written' });

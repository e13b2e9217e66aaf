/**
 * Opens a log file for a program to write to. The program's own fds are the log files, so what is opened here must be nothing but
 * a log: no link to another file, no file of another user, nothing that somebody else can read.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { escapeControls } from '../host/bytes.ts';
import { errnoOf } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';
import { nowhere } from './layout.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** O_APPEND: a write after a truncation or a rotation goes to the end that is then. */
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * Opens (and makes, 0600, in a directory 0700) a log file for appending and returns its fd, which the caller closes. With `owner` the
 * file is that user's, so that the program can open /dev/stdout anew. Throws HOME_UNSAFE for what is no log of ours, DISK if the
 * system refuses. `isOutside`: a file that a person named, wherever it is; its directory and its mode are his affair.
 */
export function openLog(path: string, owner?: Owner, { isOutside = false } = {}): number {
  try {
    if (path === nowhere) return openSync(path, constants.O_WRONLY | constants.O_APPEND);
    return open(path, owner, isOutside);
  } catch (error) {
    if (error instanceof SteadError || errnoOf(error) === '') throw error;
    throw new SteadError('DISK', `The log "${escapeControls(path)}" cannot be opened: ${(error as Error).message}`);
  }
}

function open(path: string, owner: Owner | undefined, isOutside: boolean): number {
  if (isOutside) mkdirSync(dirname(path), { recursive: true });
  else checkDirectory(dirname(path));
  checkBefore(path);
  // Elsewhere a FIFO may have come into its place since.
  const fd = openSync(path, isOutside ? flags | constants.O_NONBLOCK : flags, 0o600);
  try {
    checkFile(path, fstatSync(fd), owner);
    if (!isOutside && (fstatSync(fd).mode & 0o7777) !== 0o600) fchmodSync(fd, 0o600);
    if (owner && fstatSync(fd).uid !== owner.uid) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function checkDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stats = lstatSync(directory);
  if (!stats.isDirectory()) throw unsafe(directory, 'is a symbolic link');
  if (stats.uid !== process.geteuid!()) throw unsafe(directory, `belongs to user ${stats.uid}`);
}

/** Before the open: that of a FIFO would wait for its reader. In a directory of ours nobody can swap it in between. */
function checkBefore(path: string): void {
  try {
    checkFile(path, lstatSync(path), undefined, true);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function checkFile(path: string, stats: Stats, owner: Owner | undefined, ignoreOwner = false): void {
  if (stats.isSymbolicLink()) throw unsafe(path, 'is a symbolic link');
  if (!stats.isFile()) throw unsafe(path, 'is no regular file');
  if (stats.nlink !== 1) throw unsafe(path, 'has a second name (a hard link)');
  const isOurs = ignoreOwner || stats.uid === process.geteuid!() || stats.uid === owner?.uid;
  if (!isOurs) throw unsafe(path, `belongs to user ${stats.uid}`);
}

function unsafe(path: string, why: string): SteadError {
  return new SteadError('HOME_UNSAFE', `The log "${escapeControls(path)}" ${why}: nothing is written to it`, {
    hint: `move it away: mv ${escapeControls(path)} ${escapeControls(path)}.old`,
  });
}

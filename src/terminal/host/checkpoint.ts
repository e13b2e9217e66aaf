/** A screen as it was at some offset of its log, in the run's file `screen`: a line of JSON, then the bytes of a snapshot. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../host/files.ts';
import type { Size } from '../frames-messages.ts';

export interface Checkpoint extends Size {
  /** All before is in the snapshot. */
  readonly offset: number;
  readonly title: string;
  readonly snapshot: Buffer;
}

const version = 1;
const fileName = 'screen';
const mostBytes = 64 * 1024 * 1024;

/** `directory`: the run's, open. Not fsynced: what it is made of is not, either. Throws the system's errors. */
export function writeCheckpoint(directory: number, { snapshot, offset, ...head }: Checkpoint): void {
  const header = Buffer.from(`${JSON.stringify({ v: version, offset, ...head })}\n`);
  replaceFile(`/proc/self/fd/${directory}/${fileName}`, Buffer.concat([header, snapshot]));
}

/** Null if there is none, or none of this version. */
export function readCheckpoint(directory: number): Checkpoint | null {
  try {
    return parse(readWhole(join(`/proc/self/fd/${directory}`, fileName)));
  } catch {
    // The log has it all, if more slowly.
    return null;
  }
}

/** Up to where a run's log is in its checkpoint, without reading that; null if there is none. */
export function checkpointOffset(directory: string): number | null {
  try {
    const fd = openSync(join(directory, fileName), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const head = Buffer.alloc(64);
      const text = head.toString('latin1', 0, readSync(fd, head, 0, head.length, 0));
      const found = /^\{"v":1,"offset":(\d+),/.exec(text);
      return found ? Number(found[1]) : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

function readWhole(path: string): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > mostBytes) throw new Error('no checkpoint');
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function parse(bytes: Buffer): Checkpoint | null {
  const end = bytes.indexOf('\n');
  const { v, offset, cols, rows, title } = JSON.parse(bytes.toString('utf8', 0, Math.max(end, 0)));
  const isSound = v === version && [offset, cols, rows].every((value) => Number.isSafeInteger(value) && value >= 0);
  return isSound && cols > 0 && rows > 0
    ? { offset, cols, rows, title: String(title), snapshot: bytes.subarray(end + 1) }
    : null;
}

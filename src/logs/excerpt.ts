import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { decodeBytes } from '../host/bytes.ts';
import { type LogPlace, logDirectory } from './layout.ts';
import { readRecord } from './record.ts';

/** An excerpt is for a message: of more than this only the end is looked at. */
const mostBytes = 64 * 1024;

/** The last lines, `count` at most, of what a log's file holds behind an offset; none if it can't be read. For messages, not for `logs`. */
export function linesFrom(place: LogPlace, logOffset: number, count: number): string[] {
  try {
    const offset = Math.max(0, logOffset - baseOf(place));
    const fd = openSync(place.file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = fstatSync(fd);
      // A log that was cut since begins anew.
      const from = Math.max(offset > size ? 0 : offset, size - mostBytes);
      const bytes = Buffer.alloc(size - from);
      const read = readSync(fd, bytes, 0, bytes.length, from);
      const lines = decodeBytes(bytes.subarray(0, read)).split('\n');
      if (lines.at(-1) === '') lines.pop();
      return lines.slice(-count);
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}

/** The offset of the first byte of a log's file. */
export function baseOf(place: LogPlace): number {
  try {
    return readRecord(place.record, place.file).base;
  } catch {
    return 0;
  }
}

/** Removes an app's logs, rotated ones and all. */
export function removeLogs(home: string, name: string): void {
  rmSync(logDirectory(home, name), { recursive: true, force: true });
}

import { closeSync, constants, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { decodeBytes } from '../host/bytes.ts';
import { type LogPlace, logDirectory } from './layout.ts';
import { type LogRecord, newRecord, readRecord } from './record.ts';

/** An excerpt is for a message: of more than this only the end is looked at. */
const mostBytes = 64 * 1024;

/** What came first says where a program failed to load, what came last why one that ran has ended. */
const firstLines = 6;
const lastLines = 10;
/** Code that was made smaller has lines of any length. */
const longestLine = 400;
/** Where the first lines are looked for. */
const firstBytes = 8 * 1024;

/** What a message shows of a log behind an offset: the first lines and the last, with `…` for what is between; none if it can't be read. */
export function excerptFrom(place: LogPlace, logOffset: number): string[] {
  const last = linesFrom(place, logOffset, Number.MAX_SAFE_INTEGER);
  const first = readLines(place, logOffset, (from, size) => ({ from, to: Math.min(size, from + firstBytes) }));
  // Few lines may be long ones: they are all only if the first of them is the first.
  const isAll = last.length <= firstLines + lastLines && (last[0] ?? '').startsWith(first[0] ?? '');
  const lines = isAll ? last : [...first.slice(0, firstLines), '…', ...last.slice(-lastLines)];
  return lines.map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line));
}

/** The last lines, `count` at most, of what a log's file holds behind an offset; none if it can't be read. For messages, not for `logs`. */
export function linesFrom(place: LogPlace, logOffset: number, count: number): string[] {
  const lines = readLines(place, logOffset, (from, size) => ({ from: Math.max(from, size - mostBytes), to: size }));
  return lines.slice(-count);
}

type Range = (from: number, size: number) => { readonly from: number; readonly to: number };

/** Lines of a range of what a log's file holds behind an offset. */
function readLines(place: LogPlace, logOffset: number, range: Range): string[] {
  try {
    const { base, head } = recordOf(place);
    // What was archived is a hole.
    const offset = Math.max(head, logOffset - base);
    const fd = openSync(place.file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = fstatSync(fd);
      // A log that was cut since begins anew.
      const { from, to } = range(offset > size ? 0 : offset, size);
      const bytes = Buffer.alloc(to - from);
      const read = readSync(fd, bytes, 0, bytes.length, from);
      const lines = decodeBytes(bytes.subarray(0, read)).split('\n');
      if (lines.at(-1) === '') lines.pop();
      return lines;
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}

/** The offset of the first byte of a log's file. */
export const baseOf = (place: LogPlace): number => recordOf(place).base;

function recordOf({ record, file }: LogPlace): LogRecord {
  try {
    return readRecord(record, file);
  } catch {
    return newRecord(file);
  }
}

/** Removes an app's logs, rotated ones and all. */
export function removeLogs(home: string, name: string): void {
  rmSync(logDirectory(home, name), { recursive: true, force: true });
}

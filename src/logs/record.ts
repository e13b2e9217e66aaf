/**
 * What is on record of a log: which parts of it were archived, and where in its file the rest lies.
 *
 * A byte of a log has an offset that never changes: the number of bytes that came before it. In the file it lies at `offset - base`. Rotation makes the
 * head of the file an archive, and then a hole of it, which is cut out when nobody minds: then `base` grows (`rotate.ts`). What was cut
 * off by others (a truncation, another file in its place) leaves a gap in the offsets, and `generation` says that it happened.
 *
 * The record is replaced as a whole: a reader that finds it the same after a read as before has read what it meant to.
 */
import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { readIfThere } from '../host/files.ts';

export interface Archive {
  /** Counts up from 1. */
  readonly number: number;
  /** The first byte of the log in it, and the first after it. */
  readonly from: number;
  readonly to: number;
  /** Where it lies: an absolute path. Ends with `.gz` once it is compressed. */
  readonly file: string;
  /** Its first byte goes on with a line. */
  readonly isMidLine?: boolean;
  /** When its last byte had come, milliseconds since the epoch. */
  readonly at: number;
  /** Bytes on disk. */
  readonly size: number;
  /** Of a compressed one: where each block of `blockBytes` begins in it, each a gzip member of its own. */
  readonly blocks: readonly number[] | null;
}

/** How many bytes of a log one gzip member holds. */
export const blockBytes = 1024 * 1024;

export interface LogRecord {
  readonly format: 1;
  /** The file that it is about; another one in its place is another generation. */
  readonly file: string;
  /** Its inode; 0 as long as nobody has looked. */
  readonly inode: number;
  /** How often the file began anew by another's doing. */
  readonly generation: number;
  /** The offset of the file's first byte, be that a hole. */
  readonly base: number;
  /** So many bytes at the file's head are archived (or given up): a hole, or soon one. */
  readonly head: number;
  /** So many bytes are being cut out of the file's head just now; 0: none. */
  readonly cutting: number;
  /** How many archives were ever made: numbers are never given twice. Absent in records of the first builds. */
  readonly made?: number;
  /** The file's first byte behind its head goes on with a line. */
  readonly isMidLine?: boolean;
  /** Oldest first. */
  readonly archives: readonly Archive[];
}

export const newRecord = (file: string): LogRecord => ({
  format: 1,
  file,
  inode: 0,
  generation: 0,
  base: 0,
  head: 0,
  cutting: 0,
  archives: [],
});

/** Where the log begins: what came before is gone. */
export const startOf = ({ archives, base, head }: LogRecord): number => archives[0]?.from ?? base + head;

/** The record of a log; that of a new one if there is none. Throws for one that can't be read. */
export function readRecord(path: string, file: string): LogRecord {
  const text = readIfThere(path);
  if (text === null) return newRecord(file);
  const record: unknown = JSON.parse(text);
  if (!isRecord(record)) throw new Error(`${path} is no record of a log`);
  return record;
}

/** Says which record is there: another after each change. */
export function recordIdentity(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.ino}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isRecord(value: unknown): value is LogRecord {
  const record = value as LogRecord | null;
  return (
    typeof record === 'object' &&
    record !== null &&
    record.format === 1 &&
    typeof record.file === 'string' &&
    [record.inode, record.generation, record.base, record.head, record.cutting].every(isCount) &&
    Array.isArray(record.archives) &&
    record.archives.every(isArchive) &&
    record.archives.every((archive, at, all) => at === 0 || all[at - 1]!.to <= archive.from) &&
    (record.archives.at(-1)?.to ?? 0) <= record.base + record.head
  );
}

function isArchive(value: unknown): boolean {
  const archive = value as Archive | null;
  return (
    typeof archive === 'object' &&
    archive !== null &&
    [archive.number, archive.from, archive.to, archive.size].every(isCount) &&
    archive.from <= archive.to &&
    typeof archive.at === 'number' &&
    typeof archive.file === 'string' &&
    isAbsolute(archive.file) &&
    (archive.blocks === null || (Array.isArray(archive.blocks) && archive.blocks.every(isCount)))
  );
}

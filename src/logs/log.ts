/**
 * A log as one stream of bytes by their offsets: archives, compressed ones too, and the file, whatever is rotated meanwhile. It needs no daemon and
 * holds one block in memory.
 */
import { constants, existsSync, type Stats } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errnoOf } from '../host/files.ts';
import type { LogPlace } from './layout.ts';
import { type Archive, blockBytes, type LogRecord, newRecord, readRecord, recordIdentity, startOf } from './record.ts';

/** By these flags a rotation knows that it is one of stead's readers that has the file open. */
export const readerFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** A cut takes some milliseconds. One that takes longer was left by a daemon that died in it. */
const cuttingMs = 2000;

export interface Chunk {
  /** Of its first byte: later than asked for where there is a gap. */
  readonly offset: number;
  readonly bytes: Buffer;
}

export class Log {
  readonly place: LogPlace;
  #record: LogRecord;
  #identity = '';
  #file: FileHandle | null = null;
  #stats: Stats | null = null;
  /** The record of the file that took this one's place. */
  #pending: LogRecord | null = null;
  #problem: string | null = null;
  /** How long the file was at the last look, under the same record. */
  #seenSize = 0;
  /** Where the file began anew, as seen here before it was on record. */
  #ownBase: number | null = null;
  /** The archive that was read last: its handle and its last block. */
  #archive: { readonly key: string; readonly handle: FileHandle } | null = null;
  #block: { readonly key: string; readonly bytes: Buffer } | null = null;

  private constructor(place: LogPlace) {
    this.place = place;
    this.#record = newRecord(place.file);
  }

  /** A log that isn't there (yet) is an empty one. Close it. */
  static async open(place: LogPlace): Promise<Log> {
    const log = new Log(place);
    await log.refresh();
    return log;
  }

  /** Why its file can't be read; null if it can, or isn't there. */
  get problem(): string | null {
    return this.#problem;
  }
  /** Its first byte goes on with a line that began before. */
  get startsMidLine(): boolean {
    const { archives, isMidLine } = this.#record;
    return (archives[0] === undefined ? isMidLine : archives[0].isMidLine) === true;
  }
  get record(): LogRecord {
    return this.#record;
  }
  /** The first byte that there is. */
  get start(): number {
    return Math.min(startOf(this.#record), this.end);
  }
  /** The first byte that there was not, at the last look. */
  get end(): number {
    const { base, head } = this.#record;
    return base + Math.max(this.#stats?.size ?? 0, head);
  }
  /** When the file was written to last, milliseconds since the epoch. */
  get writtenAt(): number {
    return this.#stats?.mtimeMs ?? this.#record.archives.at(-1)?.at ?? 0;
  }
  get inode(): number {
    return this.#stats?.ino ?? 0;
  }

  /** Where the file's own bytes begin, be they archived or not. */
  get fileStart(): number {
    return this.#record.base;
  }

  /**
   * Looks again how long it is. Takes an offset up to which somebody has read and gives it as it is counted now: it becomes another one where the file was
   * truncated and that was not on record when it was read.
   */
  async refresh(offset = 0): Promise<number> {
    let now = offset;
    do {
      now = await this.#loadRecord(now);
      this.#file ??= await this.#openFile();
      this.#stats = this.#file === null ? null : await this.#file.stat();
    } while (this.#pending === null && recordIdentity(this.place.record) !== this.#identity);
    this.#seeTruncation(now);
    return now;
  }

  /** Whether its path leads to another file by now. */
  async isReplaced(): Promise<boolean> {
    if (this.#file === null) return false;
    const stats = await stat(this.place.file).catch(() => null);
    return stats !== null && (stats.ino !== this.#stats?.ino || stats.dev !== this.#stats.dev);
  }

  /** Goes over to the file that its path leads to; false if there is none. Its bytes come behind those of the old one. */
  async takeReplacement(): Promise<boolean> {
    const file = await openIfThere(this.place.file);
    if (file === null) return false;
    const { end } = this;
    await this.#file?.close();
    this.#file = file;
    this.#stats = await file.stat();
    this.#seenSize = 0;
    if (this.#pending !== null) {
      this.#record = this.#pending;
      this.#pending = null;
    } else if (this.#record.inode === 0 || this.#record.inode !== this.#stats.ino) this.#beginAnew(end);
    return true;
  }

  /** The file begins anew at an offset, which is on no record yet. */
  #beginAnew(base: number): void {
    this.#record = { ...this.#record, base, head: 0, cutting: 0 };
    this.#ownBase = base;
  }

  /** `readTo`: it was as long as that once. */
  #seeTruncation(readTo: number): void {
    if (this.#stats === null || this.#pending !== null) return;
    const { size } = this.#stats;
    const { base, head } = this.#record;
    const least = Math.max(this.#seenSize, head, readTo - base);
    if (size < least) this.#beginAnew(base + least);
    this.#seenSize = size;
  }

  /**
   * Up to `length` bytes from an offset on, from behind a gap if it lies in one; null at the end as of the last `refresh`. `into`, of at least that length,
   * is where they may be put.
   */
  async read(from: number, length: number, into?: Buffer): Promise<Chunk | null> {
    let offset = from;
    for (;;) {
      const record = this.#record;
      const archive = record.archives.find(({ to }) => to > offset);
      if (archive !== undefined) {
        const chunk = await this.#readArchive(archive, Math.max(offset, archive.from), length);
        if (chunk !== null) return chunk;
        // Compressed or removed since the record was read.
        await this.#loadRecord(0);
        if (this.#record === record) {
          this.#record = { ...record, archives: record.archives.filter((one) => one !== archive) };
        }
        continue;
      }
      const begin = Math.max(offset, record.base + record.head);
      const most = Math.min(length, this.end - begin);
      if (this.#file === null || most <= 0) return null;
      const bytes = into ?? Buffer.allocUnsafe(most);
      const { bytesRead } = await this.#file.read(bytes, 0, most, begin - record.base);
      if (this.#pending === null && recordIdentity(this.place.record) !== this.#identity) {
        offset = await this.refresh(offset);
        continue;
      }
      return bytesRead === 0 ? null : { offset: begin, bytes: bytes.subarray(0, bytesRead) };
    }
  }

  /** All from an offset to another, block by block; the next is read while one is looked at. `reuse`: a block is another one when the next but one is asked for. */
  async *chunks(from: number, to: number, size = 64 * 1024, { reuse = false } = {}): AsyncGenerator<Chunk> {
    const buffers = reuse ? [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)] : [];
    const readAt = (at: number, turn: number) =>
      at < to ? this.read(at, Math.min(size, to - at), buffers[turn % 2]) : Promise.resolve(null);
    let next = readAt(from, 0);
    try {
      for (let turn = 1; ; turn++) {
        const chunk = await next;
        if (chunk === null || chunk.offset >= to) return;
        const end = chunk.offset + chunk.bytes.length;
        next = readAt(end, turn);
        yield end > to ? { offset: chunk.offset, bytes: chunk.bytes.subarray(0, to - chunk.offset) } : chunk;
      }
    } finally {
      await next.catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    await this.#archive?.handle.close();
    this.#file = null;
    this.#archive = null;
  }

  /** What is no log (a link, a directory, another's file) is none, and why is said. */
  async #openFile(): Promise<FileHandle | null> {
    try {
      return await openIfThere(this.place.file);
    } catch (error) {
      this.#problem = `${this.place.file} can't be read: ${(error as Error).message}`;
      return null;
    }
  }

  /** Takes and gives an offset as `refresh` does. */
  async #loadRecord(offset: number): Promise<number> {
    const deadline = performance.now() + cuttingMs;
    for (;;) {
      const identity = recordIdentity(this.place.record);
      if (identity === this.#identity) return offset;
      let record: LogRecord;
      try {
        record = readRecord(this.place.record, this.place.file);
      } catch {
        // Damaged: what the file holds is still there to be read.
        record = newRecord(this.place.file);
      }
      if (recordIdentity(this.place.record) !== identity) continue;
      if (record.cutting > 0 && performance.now() < deadline) {
        await sleep(2);
        continue;
      }
      this.#identity = identity;
      return this.#take(record.cutting > 0 ? await this.#afterCut(record) : record, offset);
    }
  }

  async #take(record: LogRecord, offset: number): Promise<number> {
    const before = this.#record;
    if (record.generation === before.generation || this.#file === null) {
      this.#record = record;
      this.#seenSize = 0;
      return offset;
    }
    // The old file is read to its end first.
    if (await this.isReplaced()) {
      this.#pending = record;
      return offset;
    }
    const own = this.#ownBase;
    this.#record = record;
    this.#ownBase = null;
    this.#seenSize = 0;
    if (own !== null && offset >= own) return record.base + (offset - own);
    return Math.min(offset, record.base);
  }

  /** Whether a cut that nobody finished was made: the hole that it was to remove is there, or it isn't. */
  async #afterCut(record: LogRecord): Promise<LogRecord> {
    const { base, head, cutting } = record;
    const file = await openIfThere(this.place.file);
    try {
      const bytes = Buffer.alloc(4096);
      const isHole =
        file === null || (await file.read(bytes, 0, bytes.length, 0)).bytesRead === 0 || !bytes.some(Boolean);
      return isHole ? { ...record, cutting: 0 } : { ...record, cutting: 0, base: base + cutting, head: head - cutting };
    } finally {
      await file?.close();
    }
  }

  async #readArchive(archive: Archive, offset: number, length: number): Promise<Chunk | null> {
    const within = offset - archive.from;
    const handle = await this.#openArchive(archive);
    if (handle === null) return null;
    if (!archive.file.endsWith('.gz')) {
      const bytes = Buffer.allocUnsafe(Math.min(length, archive.to - offset));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, within);
      return bytesRead === 0 ? null : { offset, bytes: bytes.subarray(0, bytesRead) };
    }
    const block = archive.blocks === null ? 0 : Math.floor(within / blockBytes);
    const bytes = await this.#inflate(archive, handle, block);
    const from = within - (archive.blocks === null ? 0 : block * blockBytes);
    const part = bytes?.subarray(from, from + length);
    return part === undefined || part.length === 0 ? null : { offset, bytes: part };
  }

  async #openArchive({ file, from }: Archive): Promise<FileHandle | null> {
    const key = `${file}@${from}`;
    if (this.#archive?.key === key) return this.#archive.handle;
    await this.#archive?.handle.close();
    this.#archive = null;
    const handle = await openIfThere(file);
    if (handle !== null) this.#archive = { key, handle };
    return handle;
  }

  async #inflate(archive: Archive, handle: FileHandle, block: number): Promise<Buffer | null> {
    const key = `${archive.file}@${archive.from}:${block}`;
    if (this.#block?.key === key) return this.#block.bytes;
    const { gunzip } = await import('node:zlib');
    const from = archive.blocks?.[block] ?? 0;
    const to = archive.blocks?.[block + 1] ?? archive.size;
    const packed = archive.blocks === null ? await readFile(archive.file) : Buffer.alloc(to - from);
    if (archive.blocks !== null) await handle.read(packed, 0, packed.length, from);
    try {
      const bytes = await promisify(gunzip)(packed);
      this.#block = { key, bytes };
      return bytes;
    } catch {
      return null;
    }
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    const file = await open(path, readerFlags);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new Error('it is no regular file');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || !existsSync(path)) return null;
    throw error;
  }
}

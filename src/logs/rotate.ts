/**
 * Rotation of a log that is being written: nobody is asked to reopen it, no byte is lost or doubled, whoever dies when.
 *
 *   archive   the head of the file is copied to `<file>.<n>`, synced and put on record: from here on these bytes are the archive's. Then a hole takes their
 *             place in the file, which frees them and moves nothing.
 *   cut       the hole is taken out of the file, so that it is as short as it looks: "cutting" is put on record, the kernel cuts, the new base is put
 *             on record. Who finds "cutting" sees by the hole whether it was done. Not while somebody reads or writes the file by offsets.
 *   compress  an archive becomes `<file>.<n>.gz`, in members of one block each, so that it can be read from anywhere.
 *   drop      an archive leaves the record, then the disk.
 *
 * Each takes the record and gives the next one, which is on disk by then. `step` is told what was just done: tests die there.
 */
import { constants, existsSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf, isDiskFull, makeDirectory, replaceFileLater, syncPath } from '../host/files.ts';
import { copyFileRange, cutRange, firstData, punchHole } from '../host/native.ts';
import type { LogPlace } from './layout.ts';
import { type Archive, blockBytes, type LogRecord, newRecord, readRecord } from './record.ts';

export type Step = (name: string) => void;
/** So much is copied at once: a thread is held for as long. */
const copyBytes = 8 * blockBytes;
const noStep: Step = () => {};

/**
 * Makes the bytes that are now in the file, the last some thousand aside, an archive. The same record if there is too little to archive. Those behind `keptFrom` stay in the
 * file as well.
 */
export async function archive(
  place: LogPlace,
  record: LogRecord,
  {
    step = noStep,
    keptFrom = Number.POSITIVE_INFINITY,
  }: { readonly step?: Step | undefined; readonly keptFrom?: number } = {},
): Promise<LogRecord> {
  const file = await openLogFile(place);
  try {
    const stats = await file.stat();
    const to = await wholeBlocks(place, stats.size - 1);
    if (to <= record.head) return record;
    const { number, path } = nextArchive(place, record);
    let endsMidLine = false;
    const out = await makeBeside(path, stats);
    try {
      await copy(file, out, { from: record.head, to });
      await out.sync();
      endsMidLine = await isMidLineAt(file, to);
    } catch (error) {
      // Of a full disk it would take the last room.
      rmSync(`${path}.tmp`, { force: true });
      throw error;
    } finally {
      await out.close();
    }
    step('copied');
    await rename(`${path}.tmp`, path);
    await syncPath(dirname(path));
    step('renamed');
    const { base, head } = record;
    const entry: Archive = {
      number,
      from: base + head,
      to: base + to,
      file: path,
      at: stats.mtimeMs,
      size: to - head,
      blocks: null,
      isMidLine: record.isMidLine === true,
    };
    const archives = [...record.archives, entry];
    const next = await save(place, { ...record, head: to, made: number, isMidLine: endsMidLine, archives });
    step('archived');
    await punchTo(file.fd, Math.min(to, keptFrom));
    step('punched');
    return next;
  } finally {
    await file.close();
  }
}

/** Frees what `keptFrom` held back when it was archived. */
export async function release(place: LogPlace, { head }: LogRecord, keptFrom: number): Promise<void> {
  const file = await openLogFile(place);
  try {
    if ((await file.stat()).size > head) await punchTo(file.fd, Math.min(head, keptFrom));
  } finally {
    await file.close();
  }
}

const punchTo = async (fd: number, to: number): Promise<void> => {
  if (to > 0) await punchHole(fd, to);
};

/** Takes the hole at the file's head out of it. Throws EOPNOTSUPP where the file system can't; then all is as it was. */
export async function cut(place: LogPlace, record: LogRecord, step: Step = noStep): Promise<LogRecord> {
  const file = await openLogFile(place);
  try {
    const length = await wholeBlocks(place, Math.min(record.head, (await file.stat()).size - 1));
    if (length === 0) return record;
    // Made a hole for sure, and on disk, so that its absence says something.
    await punchHole(file.fd, length);
    await file.sync();
    step('synced');
    const cutting = await save(place, { ...record, cutting: length });
    step('cutting');
    try {
      await cutRange(file.fd, length);
    } catch (error) {
      await save(place, record);
      throw error;
    }
    step('cut');
    return await save(place, afterCut(cutting));
  } finally {
    await file.close();
  }
}

const afterCut = ({ base, head, cutting, ...record }: LogRecord): LogRecord => ({
  ...record,
  base: base + cutting,
  head: head - cutting,
  cutting: 0,
});

/** Where there are no holes: the file is copied to its end and truncated. What is written between the two is lost, some microseconds. */
export async function copyTruncate(place: LogPlace, record: LogRecord): Promise<LogRecord> {
  const file = await openLogFile(place);
  try {
    const last = record.archives.at(-1)!;
    const out = await open(last.file, constants.O_WRONLY | constants.O_NOFOLLOW);
    let to = record.head;
    try {
      for (let { size } = await file.stat(); size > to; { size } = await file.stat()) {
        await copy(file, out, { from: to, to: size, at: last.to - last.from + (to - record.head) });
        to = size;
      }
      await file.truncate(0);
      await out.sync();
    } finally {
      await out.close();
    }
    const end = record.base + to;
    const longer = { ...last, to: end, size: end - last.from };
    return await save(place, { ...record, base: end, head: 0, archives: [...record.archives.slice(0, -1), longer] });
  } finally {
    await file.close();
  }
}

/** Compresses one archive; `record()` is the record as it is by then. */
export async function compress(
  place: LogPlace,
  { number }: Archive,
  record: () => LogRecord,
  step: Step = noStep,
): Promise<LogRecord> {
  const find = () => record().archives.find((one) => one.number === number);
  const plain = find();
  if (plain === undefined || plain.file.endsWith('.gz')) return record();
  const file = await open(plain.file, constants.O_RDONLY | constants.O_NOFOLLOW);
  const path = `${plain.file}.gz`;
  try {
    const out = await makeBeside(path, await file.stat());
    const blocks: number[] = [];
    let size = 0;
    try {
      const { gzip } = await import('node:zlib');
      const block = Buffer.allocUnsafe(blockBytes);
      for (let at = 0; at < plain.to - plain.from; at += blockBytes) {
        const { bytesRead } = await file.read(block, 0, blockBytes, at);
        const packed = await promisify(gzip)(block.subarray(0, bytesRead));
        blocks.push(size);
        await out.write(packed, 0, packed.length, size);
        size += packed.length;
      }
      await out.sync();
    } catch (error) {
      rmSync(`${path}.tmp`, { force: true });
      throw error;
    } finally {
      await out.close();
    }
    step('compressed');
    await rename(`${path}.tmp`, path);
    await syncPath(dirname(path));
    step('gz renamed');
    if (find() === undefined) {
      await unlinkIfThere(path);
      return record();
    }
    const packed: Archive = { ...plain, file: path, size, blocks };
    const { archives, ...rest } = record();
    const next = await save(place, {
      ...rest,
      archives: archives.map((one) => (one.number === number ? packed : one)),
    });
    step('gz on record');
    await unlinkIfThere(plain.file);
    return next;
  } finally {
    await file.close();
  }
}

/** Removes the oldest archives, so many. */
export async function drop(place: LogPlace, record: LogRecord, count: number): Promise<LogRecord> {
  if (count <= 0) return record;
  // In this order nothing is left that is on no record; who reads meanwhile finds one archive less.
  for (const { file } of record.archives.slice(0, count)) await unlinkIfThere(file);
  return save(place, { ...record, archives: record.archives.slice(count) });
}

/** Empties a log: its archives go, and what is in the file. */
export async function flush(
  place: LogPlace,
  record: LogRecord,
  { keepsOffsets = false }: { readonly keepsOffsets?: boolean | undefined } = {},
): Promise<LogRecord> {
  const without = await drop(place, record, record.archives.length);
  const file = await openLogFile(place);
  try {
    const { size } = await file.stat();
    const next = keepsOffsets
      ? { ...without, head: size, isMidLine: false }
      : { ...without, base: without.base + size, head: 0, isMidLine: false, generation: without.generation + 1 };
    const empty = () => (keepsOffsets ? size > 0 && punchHole(file.fd, size) : file.truncate(0));
    try {
      const saved = await save(place, next);
      await empty();
      return saved;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // It is this log, perhaps, that fills the disk.
      await empty();
      return await save(place, next);
    }
  } finally {
    await file.close();
  }
}

/**
 * The record of a log, everything finished that a death left half done. For the one process that rotates it. `isNew`: the record there was can't be
 * read, and was made anew from the files.
 */
export async function recover(
  place: LogPlace,
  { keptFrom = Number.POSITIVE_INFINITY }: { readonly keptFrom?: number } = {},
): Promise<{ readonly record: LogRecord; readonly isNew: boolean }> {
  let kept: LogRecord;
  try {
    kept = readRecord(place.record, place.file);
  } catch {
    await rename(place.record, `${place.record}.corrupt-${Date.now()}`);
    return { record: await save(place, await rebuild(place)), isNew: true };
  }
  await removeStrays(place, kept);
  if (kept.archives.some(({ file }) => !existsSync(file)))
    kept = await save(place, { ...kept, archives: kept.archives.filter(({ file }) => existsSync(file)) });
  if (kept.head === 0 && kept.cutting === 0) return { record: kept, isNew: false };
  let file: FileHandle;
  try {
    file = await openLogFile(place);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return { record: { ...kept, cutting: 0 }, isNew: false };
  }
  try {
    let record = kept;
    if (kept.cutting > 0) {
      const isDone = firstData(file.fd) < kept.cutting;
      record = await save(place, isDone ? afterCut(kept) : { ...kept, cutting: 0 });
    }
    if ((await file.stat()).size > record.head) await punchTo(file.fd, Math.min(record.head, keptFrom));
    return { record, isNew: false };
  } finally {
    await file.close();
  }
}

/** From the files alone: archives in the order of their numbers, then the file behind its hole. */
async function rebuild(place: LogPlace): Promise<LogRecord> {
  const { gunzipSync } = await import('node:zlib');
  const { readFileSync, statSync } = await import('node:fs');
  const record = newRecord(place.file);
  const archives: Archive[] = [];
  let from = 0;
  for (const { path, number } of archivesBeside(place)) {
    const { size, mtimeMs } = statSync(path);
    const length = path.endsWith('.gz') ? gunzipSync(readFileSync(path)).length : size;
    archives.push({ number, from, to: from + length, file: path, at: mtimeMs, size, blocks: null });
    from += length;
  }
  const file = await openLogFile(place).catch(() => null);
  const data = file === null ? 0 : firstData(file.fd);
  const size = (await file?.stat())?.size ?? 0;
  await file?.close();
  const head = Math.min(Number.isFinite(data) ? data : size, size);
  return { ...record, generation: 1, base: from, head, archives: archives.map((one) => ({ ...one })) };
}

/** What was half made, or is there twice. A file that only has such a name is somebody else's. */
async function removeStrays(place: LogPlace, record: LogRecord): Promise<void> {
  const known = new Map(record.archives.map(({ number, file }) => [number, file]));
  const { number: next } = nextArchive(place, record, { ignoreExisting: true });
  for (const { path, number } of archivesBeside(place, { half: true })) {
    const isHalf = path.endsWith('.tmp');
    const isOther = known.has(number) && known.get(number) !== path;
    if (isHalf || isOther || (number === next && (await isHeadOf(place, record, path)))) await unlinkIfThere(path);
  }
}

function nextArchive(
  place: LogPlace,
  { archives, made = 0 }: LogRecord,
  { ignoreExisting = false } = {},
): { readonly number: number; readonly path: string } {
  for (let number = Math.max(made, archives.at(-1)?.number ?? 0) + 1; ; number++) {
    const path = `${place.file}.${number}`;
    if (ignoreExisting || (!existsSync(path) && !existsSync(`${path}.gz`))) return { number, path };
  }
}

/** Whether a file holds what is in the log's file behind its head: an archive that was not put on record any more. */
async function isHeadOf(place: LogPlace, { head }: LogRecord, path: string): Promise<boolean> {
  const [file, copied] = await Promise.all([readAll(place.file, head), readAll(path, 0)]);
  return copied.size > 0 && copied.start.equals(file.start.subarray(0, copied.start.length));
}

async function readAll(path: string, from: number): Promise<{ readonly size: number; readonly start: Buffer }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return { size: 0, start: Buffer.alloc(0) };
  try {
    const { size } = await file.stat();
    const start = Buffer.alloc(Math.max(0, Math.min(blockBytes, size - from)));
    await file.read(start, 0, start.length, from);
    return { size: size - from, start };
  } finally {
    await file.close();
  }
}

/** Files that look like archives of a log; of an archive that lies there twice the uncompressed one. With `half` all of them. */
function archivesBeside(place: LogPlace, { half = false } = {}): { readonly path: string; readonly number: number }[] {
  const directory = dirname(place.file);
  const name = `${basename(place.file)}.`;
  let entries: string[];
  try {
    entries = readdirSync(directory);
  } catch {
    return [];
  }
  const found = entries.flatMap((entry) => {
    const match = entry.startsWith(name) ? /^(\d{1,9})(\.gz)?(\.tmp)?$/.exec(entry.slice(name.length)) : null;
    if (!match || (!half && match[3])) return [];
    return [{ path: join(directory, entry), number: Number(match[1]), isPacked: match[2] !== undefined }];
  });
  const twice = (one: (typeof found)[number]) =>
    one.isPacked && found.some((other) => !other.isPacked && other.number === one.number);
  return found.filter((one) => half || !twice(one)).sort((a, b) => a.number - b.number);
}

async function save(place: LogPlace, record: LogRecord): Promise<LogRecord> {
  makeDirectory(dirname(place.record));
  await replaceFileLater(place.record, JSON.stringify(record));
  return record;
}

export { save as saveRecord };

const openLogFile = (place: LogPlace): Promise<FileHandle> => open(place.file, constants.O_RDWR | constants.O_NOFOLLOW);

async function isMidLineAt(file: FileHandle, offset: number): Promise<boolean> {
  const last = Buffer.alloc(1);
  return (await file.read(last, 0, 1, offset - 1)).bytesRead === 1 && last[0] !== 10;
}

/** The largest multiple of the file system's block that is not over a length. */
async function wholeBlocks({ file }: LogPlace, length: number): Promise<number> {
  const { bsize } = await statfs(file);
  return Math.max(0, Math.floor(length / bsize) * bsize);
}

/** `<path>.tmp`, made anew, with the owner of what it is made from. */
async function makeBeside(path: string, { uid, gid }: { uid: number; gid: number }): Promise<FileHandle> {
  rmSync(`${path}.tmp`, { force: true });
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(`${path}.tmp`, flags, 0o600);
  if (uid !== process.geteuid!()) await handle.chown(uid, gid).catch(() => {});
  return handle;
}

async function copy(
  file: FileHandle,
  out: FileHandle,
  { from, to, at: start = 0 }: { readonly from: number; readonly to: number; readonly at?: number },
): Promise<void> {
  let copied = from;
  // Within the kernel, as far as that goes: half the work.
  for (let count: number | null = 1; copied < to && count; copied += count ?? 0) {
    const [source, target] = [
      { fd: file.fd, offset: copied },
      { fd: out.fd, offset: start + copied - from },
    ];
    count = await copyFileRange(source, target, Math.min(copyBytes, to - copied));
  }
  const buffer = Buffer.allocUnsafe(Math.min(blockBytes, to - copied));
  for (let at = copied; at < to; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) throw new Error('it became shorter meanwhile');
    for (let written = 0; written < bytesRead; ) {
      const put = await out.write(buffer, written, bytesRead - written, start + (at - from) + written);
      written += put.bytesWritten;
    }
    at += bytesRead;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}

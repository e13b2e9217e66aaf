/**
 * Keeps the logs of one instance: their time index, their rotation. It watches them as briefly as it can: one watch that ends at the first event, then a look four
 * times a second for as long as they grow. Programs write on without it; what it missed is made up for when it looks again.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, makeDirectory, replaceFile } from '../host/files.ts';
import type { LogPlace } from './layout.ts';
import { bearsCut } from './openers.ts';
import { type Archive, type LogRecord, newRecord, recordIdentity } from './record.ts';
import { archive, compress, copyTruncate, cut, drop, flush, recover, release } from './rotate.ts';
import { appendTimes, forgetFuture, lastTime, type TimePoint, trimTimes } from './times.ts';

/** When a log is rotated and what is kept; null is no limit. */
export interface LogPolicy {
  /** Bytes of the file. */
  readonly maxSize: number | null;
  /** How old the file's first byte may be. */
  readonly maxAgeMs: number | null;
  /** How many archives are kept. */
  readonly keep: number;
  /** Bytes on disk, file and archives. */
  readonly total: number | null;
  readonly compress: boolean;
  /** Its writer counts in bytes from the file's head, even when it has the file not open: nothing is taken out of it. */
  readonly keepsOffsets?: boolean;
  /** Somebody still has to read what lies behind this offset of the file: archived or not, it stays there. */
  readonly keptFrom?: (() => number) | undefined;
}

export interface KeeperHooks {
  policy(): LogPolicy;
  /** The file was made shorter by somebody else. */
  truncated(place: LogPlace, sizes: { readonly from: number; readonly to: number }): void;
  /** Its path leads to nothing, or to another file: a program that runs goes on writing to the old one. */
  moved(place: LogPlace): void;
  problem(text: string): void;
  /** Runs it when the tasks before are done: one of all keepers at a time. */
  later(task: () => Promise<void>): void;
}

/** Between two looks at a log that grows: at one that grows slowly more often, as single lines are what a person asks of it. */
const lookMs = 250;
const slowLookMs = 100;
const slowRate = 64 * 1024;
const shortestLookMs = 50;
/** Where no watch can be had (inotify's limits). */
const unwatchedMs = 2000;
/** Looking who has the file open takes some 10 ms. */
const cutAgainMs = 5000;
const refusedAgainMs = 5000;
/** Compression waits until a log has grown slower than this, in bytes per second, for a while. */
const calmRate = 5_000_000;
const calmAfterMs = 5000;
/** A time index of this size is thinned; a log of some size may have one in proportion. */
const leastTimesBytes = 256 * 1024;
const timesShare = 1 / 16;
const trimEvery = 4096;

class Stream {
  readonly place: LogPlace;
  record: LogRecord;
  inode = 0;
  size = 0;
  lastTime = 0;
  /** Since the time index was looked through last. */
  newPoints = 0;
  isGrowing = false;
  /** Bytes per second at the last look. */
  rate = 0;
  /** Its file is being cut: its length means nothing just now. */
  isBusy = false;
  /** Its record is being changed: what others did to the file is seen to afterwards. */
  isChanging = false;
  /** When it grew fast last. */
  fastAt = Number.NEGATIVE_INFINITY;
  isQueued = false;
  /** Its path leads nowhere, which was told. */
  isGone = false;
  isPacking = false;
  cutNotBefore = 0;
  /** The file system has no holes, or can't cut them out. */
  canCut = true;
  canPunch = true;
  /** When the file's first byte came; null if nobody knows. */
  beganAt: number | null = null;

  constructor(place: LogPlace) {
    this.place = place;
    this.record = newRecord(place.file);
  }
}

export class LogKeeper {
  readonly #streams: readonly Stream[];
  readonly #hooks: KeeperHooks;
  #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | null = null;
  #wokenAt: number | null = null;
  #lookedAt = performance.now();
  #isClosed = false;

  constructor(places: readonly LogPlace[], hooks: KeeperHooks) {
    this.#streams = places.map((place) => new Stream(place));
    this.#hooks = hooks;
  }

  /** Takes up the logs as they are. `aliveUntil`: up to when somebody kept them, milliseconds since the epoch; null if that isn't known. */
  async start(aliveUntil: number | null): Promise<void> {
    for (const stream of this.#isClosed ? [] : this.#streams) {
      try {
        await this.#takeUp(stream, aliveUntil);
      } catch (error) {
        this.#hooks.problem(`${stream.place.file}: not taken up: ${(error as Error).message}`);
      }
    }
    if (!this.#isClosed) this.#arm();
  }

  /** Whether these are the logs that it keeps. */
  isOf(places: readonly LogPlace[]): boolean {
    return (
      JSON.stringify(places.map(({ file }) => file)) === JSON.stringify(this.#streams.map(({ place }) => place.file))
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#disarm();
  }

  /** Looks now: the next thing that is written has a time of its own. */
  look(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    const sinceMs = Math.max(1, now - this.#lookedAt);
    this.#lookedAt = now;
    let grew = false;
    for (const stream of this.#streams) {
      try {
        if (this.#lookAt(stream, sinceMs)) grew = true;
      } catch (error) {
        this.#hooks.problem(`${stream.place.file}: ${(error as Error).message}`);
      }
    }
    this.#wokenAt = null;
    if (grew) this.#again();
    else this.#arm();
  }

  /** What is regular work whether anything is written or not: age, caps. */
  sweep(): void {
    for (const stream of this.#streams) {
      this.#rotateIfDue(stream);
      this.#packIfCalm(stream);
    }
  }

  /** Removes what the logs hold. Throws the system's error. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      for (const stream of this.#streams) {
        if (!statSync(stream.place.file, { throwIfNoEntry: false })) continue;
        stream.isChanging = true;
        try {
          stream.record = await flush(stream.place, stream.record, this.#hooks.policy());
          stream.size = this.#hooks.policy().keepsOffsets ? statSync(stream.place.file).size : 0;
          stream.beganAt = null;
        } finally {
          stream.isChanging = false;
        }
      }
    });
  }

  /** The oldest archive of these logs; null if there is none. */
  oldestArchive(): { readonly at: number; drop(): Promise<void> } | null {
    const oldest = this.#streams
      .filter(({ record }) => record.archives.length > 0)
      .sort((a, b) => a.record.archives[0]!.at - b.record.archives[0]!.at)[0];
    if (oldest === undefined) return null;
    const drop = () => this.#inTurn(() => this.#alone(oldest, () => this.#dropOldest(oldest, 1)));
    return { at: oldest.record.archives[0]!.at, drop };
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#streams.reduce((sum, stream) => sum + bytesOf(stream), 0);
  }

  async #takeUp(stream: Stream, aliveUntil: number | null): Promise<void> {
    const { place } = stream;
    const { record, isNew } = await recover(place, this.#kept());
    stream.record = record;
    if (isNew) this.#hooks.problem(`${place.record} could not be read and was made anew from the files`);
    const stats = statSync(place.file, { throwIfNoEntry: false });
    const last = lastTime(place.times);
    stream.lastTime = last?.time ?? 0;
    if (stats === undefined) return;
    const isOther = (record.inode !== 0 && record.inode !== stats.ino) || record.file !== place.file;
    if (isOther || record.base + stats.size < (last?.offset ?? 0) || stats.size < record.head) {
      this.#beginAnew(stream, Math.max(last?.offset ?? 0, record.base + record.head));
    }
    stream.inode = stats.ino;
    stream.size = stats.size;
    // Who reads finds by the record where a log lies that is not where logs lie.
    if (!isInPlace(place) && recordIdentity(place.record) === '') this.#beginAnew(stream, 0);
    const end = { offset: stream.record.base + stats.size, time: stats.mtimeMs };
    const from = last?.offset ?? stream.record.base + stream.record.head;
    stream.beganAt = last === null ? stats.birthtimeMs : null;
    if (end.offset <= from) return;
    const since = last === null ? stats.birthtimeMs : (aliveUntil ?? end.time);
    this.#addTimes(stream, [{ offset: from, time: Math.min(since, end.time) }, end]);
  }

  /** True if it grew. */
  #lookAt(stream: Stream, sinceMs: number): boolean {
    if (stream.isBusy) return true;
    const { place } = stream;
    const stats = statSync(place.file, { throwIfNoEntry: false });
    if (stats === undefined) {
      if (stream.inode !== 0 && !stream.isGone) this.#hooks.moved(place);
      stream.isGone = true;
      return false;
    }
    const known = stream.size;
    const isOthers = (stream.inode !== 0 && stream.inode !== stats.ino) || stats.size < known;
    if (isOthers && stream.isChanging) return true;
    if (stream.inode !== 0 && stream.inode !== stats.ino) {
      if (!stream.isGone) this.#hooks.moved(place);
      this.#beginAnew(stream, stream.record.base + known, stats.ino);
    } else if (stats.size < known) {
      this.#beginAnew(stream, stream.record.base + known, stats.ino);
      this.#hooks.truncated(place, { from: known, to: stats.size });
    }
    stream.inode = stats.ino;
    stream.isGone = false;
    const grown = stats.size - stream.size;
    stream.rate = (Math.max(0, grown) * 1000) / sinceMs;
    if (stream.rate > calmRate) stream.fastAt = this.#lookedAt;
    if (grown <= 0) {
      stream.isGrowing = false;
      this.#packIfCalm(stream);
      return false;
    }
    const [from, to] = [stream.record.base + stream.size, stream.record.base + stats.size];
    const end = { offset: to, time: stats.mtimeMs };
    const begin = { offset: from, time: Math.min(this.#wokenAt ?? end.time, end.time) };
    this.#addTimes(stream, stream.isGrowing ? [end] : [begin, end]);
    stream.beganAt ??= begin.time;
    stream.isGrowing = true;
    stream.size = stats.size;
    this.#rotateIfDue(stream);
    return true;
  }

  #addTimes(stream: Stream, points: readonly TimePoint[]): void {
    const { times } = stream.place;
    const now = points.at(-1)!.time;
    // Put back by more than the kernel's own grain: the clock was set.
    if (now < stream.lastTime - 1000) {
      forgetFuture(times, points[0]!.time);
      stream.lastTime = points[0]!.time;
    }
    appendTimes(
      times,
      points.map(({ offset, time }) => {
        stream.lastTime = Math.max(stream.lastTime, time);
        return { offset, time: stream.lastTime };
      }),
    );
    stream.newPoints += points.length;
    if (stream.newPoints >= trimEvery) this.#trimTimes(stream);
  }

  #trimTimes(stream: Stream): void {
    stream.newPoints = 0;
    const { base, archives } = stream.record;
    const start = archives[0]?.from ?? base;
    trimTimes(stream.place.times, start, Math.max(leastTimesBytes, (base + stream.size - start) * timesShare));
  }

  /** Another file, or the same from its start, goes on where the log ended. */
  #beginAnew(stream: Stream, base: number, inode = stream.inode): void {
    const { place, record } = stream;
    const { file } = place;
    stream.record = {
      ...record,
      file,
      base,
      head: 0,
      cutting: 0,
      inode,
      generation: record.generation + 1,
      isMidLine: false,
    };
    stream.size = 0;
    stream.beganAt = null;
    makeDirectory(dirname(place.record));
    replaceFile(place.record, JSON.stringify(stream.record));
  }

  #rotateIfDue(stream: Stream): void {
    const { maxSize, maxAgeMs } = this.#hooks.policy();
    const held = stream.size - stream.record.head;
    const isTooLong = maxSize !== null && held >= maxSize;
    const isTooOld = maxAgeMs !== null && held > 0 && Date.now() - (stream.beganAt ?? Date.now()) >= maxAgeMs;
    const isOver = this.#excess(stream) > 0;
    if (!(isTooLong || isTooOld || isOver) || stream.isQueued) return;
    stream.isQueued = true;
    this.#hooks.later(async () => {
      stream.isQueued = false;
      if (!this.#isClosed) await this.#alone(stream, () => this.#rotate(stream, isTooLong || isTooOld));
    });
  }

  async #rotate(stream: Stream, isDue: boolean): Promise<void> {
    const { place } = stream;
    if (isDue) {
      const before = stream.record;
      try {
        stream.record = await archive(place, { ...stream.record, inode: stream.inode }, this.#kept());
      } catch (error) {
        // Archived, but where there are no holes the file is as long as before.
        if (!isUnsupported(error)) throw error;
        stream.record = (await recover(place, this.#kept()).catch(() => null))?.record ?? stream.record;
        stream.canPunch = false;
      }
      if (stream.record === before) return;
      if (!stream.canPunch) {
        stream.record = await copyTruncate(place, stream.record);
        stream.size = statSync(place.file).size;
      }
      stream.beganAt = Date.now();
    }
    const { keep } = this.#hooks.policy();
    await this.#dropOldest(stream, Math.max(stream.record.archives.length - keep, this.#excess(stream)));
    this.#trimTimes(stream);
    await this.#cutIfBorne(stream);
    this.#packIfCalm(stream);
  }

  #kept(): { keptFrom?: number } {
    const keptFrom = this.#hooks.policy().keptFrom?.();
    return keptFrom === undefined ? {} : { keptFrom };
  }

  /** How many of the oldest archives must go for the rest to be within the cap. */
  #excess(stream: Stream): number {
    const { total } = this.#hooks.policy();
    if (total === null) return 0;
    let bytes = bytesOf(stream);
    let count = 0;
    for (const { size } of stream.record.archives) {
      if (bytes <= total) break;
      bytes -= size;
      count++;
    }
    return count;
  }

  async #dropOldest(stream: Stream, count: number): Promise<void> {
    stream.record = await drop(stream.place, stream.record, count);
  }

  async #cutIfBorne(stream: Stream): Promise<void> {
    const now = performance.now();
    if (!this.#hasHole(stream)) return;
    if (stream.cutNotBefore === 0 && stream.rate > calmRate) stream.cutNotBefore = now + cutAgainMs;
    if (now < stream.cutNotBefore) return;
    if (!bearsCut(stream.place.file)) {
      stream.cutNotBefore = now + refusedAgainMs;
      return;
    }
    stream.cutNotBefore = now + cutAgainMs;
    const { base } = stream.record;
    stream.isBusy = true;
    try {
      stream.record = await cut(stream.place, stream.record);
      stream.size -= stream.record.base - base;
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      stream.canCut = false;
    } finally {
      stream.isBusy = false;
    }
  }

  /** Compresses what is not yet, and takes out a hole that was left: when nothing else is to be done. */
  #packIfCalm(stream: Stream): void {
    const now = performance.now();
    if (stream.isPacking || now < stream.fastAt + calmAfterMs) return;
    const isHole = this.#hasHole(stream) && now >= stream.cutNotBefore;
    const unpacked = this.#unpackedOf(stream);
    if (unpacked === undefined && !isHole) return;
    stream.isPacking = true;
    this.#hooks.later(async () => {
      try {
        if (this.#isClosed) return;
        await this.#alone(stream, async () => {
          if (isHole) await this.#cutIfBorne(stream);
          if (unpacked !== undefined) stream.record = await compress(stream.place, unpacked, () => stream.record);
          const { keptFrom } = this.#kept();
          if (keptFrom !== undefined) await release(stream.place, stream.record, keptFrom);
        });
      } finally {
        stream.isPacking = false;
      }
      this.#packIfCalm(stream);
    });
  }

  /** At its head, to be taken out. */
  #hasHole({ canCut, record }: Stream): boolean {
    return canCut && record.head > 0 && this.#hooks.policy().keepsOffsets !== true;
  }

  #unpackedOf({ record }: Stream): Archive | undefined {
    return this.#hooks.policy().compress ? record.archives.find(({ file }) => !file.endsWith('.gz')) : undefined;
  }

  /** When what is left to do of a log that is calm can be done; null if nothing is. */
  #restAt(stream: Stream): number | null {
    if (stream.isPacking) return null;
    const calmAt = stream.fastAt + calmAfterMs;
    if (this.#unpackedOf(stream) !== undefined) return calmAt;
    return this.#hasHole(stream) ? Math.max(calmAt, stream.cutNotBefore) : null;
  }

  /** One change of a log at a time: they all come through `later`. A failure leaves it as it is on disk. */
  async #alone(stream: Stream, change: () => Promise<void>): Promise<void> {
    stream.isChanging = true;
    try {
      await change();
    } catch (error) {
      this.#hooks.problem(`${stream.place.file}: not rotated: ${(error as Error).message}`);
    } finally {
      stream.isChanging = false;
    }
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => this.#hooks.later(() => task().then(resolve, reject)));
  }

  #again(): void {
    this.#disarm();
    const { maxSize } = this.#hooks.policy();
    const rate = Math.max(...this.#streams.map((stream) => stream.rate));
    const usualMs = rate > slowRate ? lookMs : slowLookMs;
    const untilFullMs = maxSize === null ? usualMs : (maxSize / 2 / Math.max(1, rate)) * 1000;
    this.#timer = setTimeout(() => this.look(), Math.max(shortestLookMs, Math.min(usualMs, untilFullMs)));
  }

  #arm(): void {
    if (this.#isClosed) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const later = this.#streams.flatMap((stream) => this.#restAt(stream) ?? []);
    if (later.length > 0) {
      const inMs = Math.min(...later) - performance.now();
      this.#timer = setTimeout(() => this.look(), Math.max(lookMs, inMs + 1));
    }
    if (this.#watchers.length > 0) return;
    const woken = () => {
      this.#wokenAt ??= Date.now();
      this.#lookedAt = performance.now();
      this.#again();
    };
    try {
      for (const path of this.#watched()) this.#watchers.push(watchOnce(path, woken));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') makeDirectory(dirname(this.#streams[0]!.place.record));
      this.#disarm();
      this.#timer = setTimeout(() => this.look(), unwatchedMs);
      return;
    }
    // What came before the watch was there.
    if (this.#streams.some((stream) => this.#isOther(stream))) woken();
  }

  #isOther({ place, size, inode, isBusy }: Stream): boolean {
    const stats = statSync(place.file, { throwIfNoEntry: false });
    return !isBusy && stats !== undefined && (stats.size !== size || stats.ino !== inode);
  }

  /** The directory, where it is stead's own; of another one the file alone. */
  #watched(): readonly string[] {
    return [
      ...new Set(
        this.#streams.map(({ place }) => {
          return isInPlace(place) ? dirname(place.file) : place.file;
        }),
      ),
    ];
  }

  #disarm(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** It lies where logs lie. */
const isInPlace = ({ file, record }: LogPlace): boolean => dirname(file) === dirname(dirname(record));

function watchOnce(path: string, listener: () => void): FSWatcher {
  const watcher = watch(path, { persistent: false }, listener);
  watcher.on('error', listener);
  return watcher;
}

const bytesOf = ({ record, size }: Stream): number =>
  record.archives.reduce((sum, one) => sum + one.size, 0) + Math.max(0, size - record.head);

const isUnsupported = (error: unknown): boolean =>
  ['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL', 'ETXTBSY'].includes(errnoOf(error)) ||
  (error as Error)?.name === 'NativeMissing';

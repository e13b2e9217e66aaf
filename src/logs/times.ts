/**
 * When the bytes of a log came: pairs (offset, time) in a file beside it, both ascending. Between two of them the bytes are taken to have come evenly. The daemon
 * writes a pair when a log begins to grow and four times a second while it does, so that a time is right to a quarter of a second, and to some milliseconds for
 * what came alone; of what came while no daemon ran, only the last byte's time is known.
 *
 * A pair is two 64-bit floats, little-endian: bytes, milliseconds since the epoch. What follows the last whole pair is left out.
 */
import {
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, replaceFile } from '../host/files.ts';

export interface TimePoint {
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

const pairBytes = 16;
/** As much is read at once: what is asked for next lies near. */
const blockPairs = 256;

/** Appends pairs. Throws the system's error. */
export function appendTimes(path: string, points: readonly TimePoint[]): void {
  const bytes = pairsOf(points);
  try {
    appendFileSync(path, bytes, { mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    appendFileSync(path, bytes, { mode: 0o600 });
  }
}

/** The last pair; null if there is none. A pair that was not written whole is cut off. */
export function lastTime(path: string): TimePoint | null {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size % pairBytes > 0) truncateSync(path, size - (size % pairBytes));
  const times = TimeIndex.open(path);
  try {
    return times.count === 0 ? null : times.pair(times.count - 1);
  } finally {
    times.close();
  }
}

/** After the clock was put back: what seems to have come later than now came now at the latest. */
export function forgetFuture(path: string, now: number): void {
  replaceFile(path, pairsOf(readPairs(path).map(({ offset, time }) => ({ offset, time: Math.min(time, now) }))));
}

/** One look into a time index. Close it. */
export class TimeIndex {
  readonly #fd: number | null;
  readonly count: number;
  readonly #block = Buffer.alloc(blockPairs * pairBytes);
  #blockAt = -1;

  private constructor(fd: number | null, count: number) {
    this.#fd = fd;
    this.count = count;
  }

  /** An empty one if there is no such file. */
  static open(path: string): TimeIndex {
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      return new TimeIndex(fd, Math.floor(fstatSync(fd).size / pairBytes));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return new TimeIndex(null, 0);
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }

  pair(at: number): TimePoint {
    const blockAt = at - (at % blockPairs);
    if (blockAt !== this.#blockAt) {
      readSync(this.#fd!, this.#block, 0, this.#block.length, blockAt * pairBytes);
      this.#blockAt = blockAt;
    }
    const from = (at - blockAt) * pairBytes;
    return { offset: this.#block.readDoubleLE(from), time: this.#block.readDoubleLE(from + 8) };
  }

  /**
   * The pairs between which a byte came. `end`: the log's end and when that was written. One side alone is known: both are that. Null if nothing is.
   */
  stretchAt(offset: number, end: TimePoint): { readonly before: TimePoint; readonly after: TimePoint } | null {
    // The last pair that is not after it: of several at one offset the last, as the byte came after the silence.
    const at = this.#firstThat((pair) => pair.offset > offset) - 1;
    const [before, after] = [at < 0 ? null : this.pair(at), this.#orEnd(at + 1, end)];
    if (before !== null) return { before, after: after ?? before };
    return after === null ? null : { before: { offset: 0, time: after.time }, after };
  }

  /** The first byte that did not come before a time; `end.offset` if all did. */
  offsetAt(time: number, end: TimePoint): number {
    const at = this.#firstThat((pair) => pair.time >= time);
    const after = this.#orEnd(at, end);
    if (after === null || after.time < time) return end.offset;
    if (at === 0) return 0;
    const before = this.pair(at - 1);
    const share = after.time > before.time ? (time - before.time) / (after.time - before.time) : 0;
    return Math.floor(before.offset + share * (after.offset - before.offset));
  }

  #orEnd(at: number, end: TimePoint): TimePoint | null {
    if (at < this.count) return this.pair(at);
    const last = this.count === 0 ? null : this.pair(this.count - 1);
    // Nothing came after the last pair, or nobody has looked since.
    return end.offset > (last?.offset ?? 0) ? { ...end, time: Math.max(end.time, last?.time ?? 0) } : null;
  }

  #firstThat(condition: (pair: TimePoint) => boolean): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (condition(this.pair(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * Keeps a time index small: pairs before `start` go, and if more than `mostBytes` are left, so many that half of it remains: the newest quarter as it
 * is, the older ones further apart. Silences stay marked. Returns whether it was written anew.
 */
export function trimTimes(path: string, start: number, mostBytes: number): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return false;
  const all = readPairs(path);
  const first = Math.max(0, all.findIndex(({ offset }) => offset > start) - 1);
  const kept = all.slice(first);
  const isTooLong = kept.length * pairBytes > mostBytes;
  if (!isTooLong && first < all.length / 4) return false;
  const pairs = isTooLong ? thinned(kept, mostBytes / pairBytes / 2) : kept;
  replaceFile(path, pairsOf(pairs));
  return true;
}

function thinned(all: readonly TimePoint[], most: number): readonly TimePoint[] {
  const untouched = all.slice(-Math.ceil(most / 4));
  const older = all.slice(0, all.length - untouched.length);
  let kept: readonly TimePoint[] = older;
  for (let stepMs = 1000; kept.length + untouched.length > most && stepMs < 1e12; stepMs *= 2) {
    kept = apart(older, stepMs);
  }
  return [...kept, ...untouched];
}

/** Without those between neighbours that are less than `stepMs` apart. */
function apart(all: readonly TimePoint[], stepMs: number): readonly TimePoint[] {
  const kept: TimePoint[] = [];
  for (const [at, pair] of all.entries()) {
    const [before, after] = [kept.at(-1), all[at + 1]];
    if (before === undefined || after === undefined || after.time - before.time >= stepMs) kept.push(pair);
  }
  return kept;
}

function readPairs(path: string): TimePoint[] {
  const bytes = readFileSync(path);
  return Array.from({ length: Math.floor(bytes.length / pairBytes) }, (_, at) => ({
    offset: bytes.readDoubleLE(at * pairBytes),
    time: bytes.readDoubleLE(at * pairBytes + 8),
  }));
}

function pairsOf(points: readonly TimePoint[]): Buffer {
  const bytes = Buffer.alloc(points.length * pairBytes);
  for (const [at, { offset, time }] of points.entries()) {
    bytes.writeDoubleLE(offset, at * pairBytes);
    bytes.writeDoubleLE(time, at * pairBytes + 8);
  }
  return bytes;
}

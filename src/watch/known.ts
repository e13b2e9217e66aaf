/**
 * What is known of each file: when it was last changed, its size, its inode, a hash of its content. In columns, 40 bytes per file, as there may be some ten
 * thousand of them. A file of which nothing is known yet (NaN) is there by name only.
 */
import type { Stats } from 'node:fs';
import type { Files } from './files.ts';

const first = 256;
/** In the place of a time. */
const absent = Number.NEGATIVE_INFINITY;

export class Known {
  #mtime = new Float64Array(first);
  #size = new Float64Array(first);
  #ino = new Float64Array(first);
  #hash = new Float64Array(first);
  /** The time of access that the reading for its hash left, in milliseconds since the epoch; 0 without a hash. */
  #readMs = new Float64Array(first);
  readonly #free: number[] = [];
  #used = 0;

  get count(): number {
    return this.#used - this.#free.length;
  }

  /** A row of which nothing is known, or that there was no such file (`isNew`). */
  add(isNew = false): number {
    const row = this.#free.pop() ?? this.#used++;
    if (row >= this.#mtime.length) this.#grow();
    this.#mtime[row] = isNew ? absent : Number.NaN;
    this.#hash[row] = Number.NaN;
    this.#readMs[row] = 0;
    return row;
  }

  remove(row: number): void {
    this.#free.push(row);
  }

  isKnown(row: number): boolean {
    return !Number.isNaN(this.#mtime[row]);
  }

  wasAbsent(row: number): boolean {
    return this.#mtime[row] === absent;
  }

  hasHash(row: number): boolean {
    return !Number.isNaN(this.#hash[row]);
  }

  hashOf(row: number): number {
    return this.#hash[row]!;
  }

  /** As it was when it was last looked at. */
  isAsKnown(row: number, stats: Stats): boolean {
    return this.#mtime[row] === stats.mtimeMs && this.#size[row] === stats.size && this.#ino[row] === stats.ino;
  }

  /**
   * The inode and the size are those that are known, and both its times are one: what touch(1) does, and a write doesn't. But a write can come in the
   * kernel's same tick as the reading that made the hash, and another file, made in one tick, may have got the inode. The kernel's ticks are compared with
   * each other: on a busy machine they are well behind the clock.
   */
  isTouched(row: number, stats: Stats): boolean {
    const isOnlyTime = this.#ino[row] === stats.ino && this.#size[row] === stats.size;
    const { atimeMs, mtimeMs, birthtimeMs } = stats;
    return isOnlyTime && atimeMs === mtimeMs && birthtimeMs !== mtimeMs && atimeMs !== this.#readMs[row]!;
  }

  /** `readAtMs`: see Files. */
  set(row: number, stats: Stats, hash: number, readAtMs: number): void {
    this.#mtime[row] = stats.mtimeMs;
    this.#size[row] = stats.size;
    this.#ino[row] = stats.ino;
    this.#hash[row] = hash;
    this.#readMs[row] = Number.isNaN(hash) ? 0 : Number.isNaN(readAtMs) ? stats.mtimeMs : readAtMs;
  }

  #grow(): void {
    const larger = (column: Float64Array) => {
      const next = new Float64Array(column.length * 2);
      next.set(column);
      return next;
    };
    this.#mtime = larger(this.#mtime);
    this.#size = larger(this.#size);
    this.#ino = larger(this.#ino);
    this.#hash = larger(this.#hash);
    this.#readMs = larger(this.#readMs);
  }
}

/** A file's time may be behind the clock by so much: the kernel takes it from its last tick. */
export const clockSlackMs = 20;

export interface Look {
  readonly path: string;
  readonly row: number;
  readonly stats: Stats;
  /** An event told of it. */
  readonly isNamed: boolean;
  /** When its directory came to be watched, in milliseconds since the epoch. */
  readonly since: number;
  /** Whether its content counts; else it has changed when its time has. */
  readonly isHashed: boolean;
}

/**
 * Whether a file has changed since it was last looked at, and takes down what it is now. The same bytes saved again are no change, where their hash was known;
 * a touch is one: who does that wants something to happen.
 */
export async function hasChanged(known: Known, files: Files, look: Look): Promise<boolean> {
  const { path, row, stats, isNamed, isHashed } = look;
  const isFirst = !known.isKnown(row);
  const isAsKnown = !isFirst && known.isAsKnown(row, stats);
  const had = known.hashOf(row);
  // An event without a new time is one of a mode or an owner, or of a write in the kernel's same tick.
  if (isAsKnown && (!isNamed || !isHashed || Number.isNaN(had))) return false;
  const isNew = known.wasAbsent(row);
  const isTouched = !isFirst && !isAsKnown && known.isTouched(row, stats);
  // One that is looked at for the first time without an event is read later, in the background.
  const found = isHashed && (!isFirst || isNamed) ? files.hash(path, stats) : Number.NaN;
  const hash = typeof found === 'number' ? found : await found;
  known.set(row, stats, hash, files.readAtMs);
  if (isFirst) return isNamed || stats.ctimeMs >= look.since - clockSlackMs;
  return isNew || isTouched || Number.isNaN(had) || hash !== had;
}

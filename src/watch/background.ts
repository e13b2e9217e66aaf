/** What goes on beside: files are read for the first time, a little at a time, so that a save of the same bytes is known as one; what isn't told of is polled. */
import type { Stats } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../host/clock.ts';
import type { Directory } from './directory.ts';
import { mostHashed } from './files.ts';
import { clockSlackMs, type Known } from './known.ts';
import type { Tree } from './tree.ts';

/** A fifth of one core until all is read. */
const workMs = 5;
const restMs = 20;
/** What is beyond has no hash until it is first changed. */
const mostBytes = 64 * 2 ** 20;
/** Of the time between two sweeps, so much is for the first one. */
const sweepShare = 0.05;

/** Reads what isn't known. A file that was changed since its directory came to be watched stays unknown: an event of that may be under way. */
export async function readUnknown(tree: Tree, known: Known, signal: AbortSignal): Promise<void> {
  let bytes = 0;
  let beganMs = monotonicMs();
  for (const directory of [...tree.directories.values()]) {
    for (const name of [...directory.names.keys()]) {
      const row = directory.names.get(name);
      if (directory.isClosed || row === undefined || (known.isKnown(row) && known.hasHash(row))) continue;
      const read = readOne(directory, name, row, { known, isHashed: bytes < mostBytes });
      bytes += typeof read === 'number' ? read : await read;
      if (monotonicMs() - beganMs < workMs) continue;
      await pause(restMs, undefined, { signal, ref: false });
      beganMs = monotonicMs();
    }
  }
}

/** Takes down the times of what is polled: no event will tell of a change, so the first look is what later ones are held against. */
export async function readTimes(directory: Directory, known: Known): Promise<void> {
  for (const name of [...directory.names.keys()]) {
    const row = directory.names.get(name);
    if (row !== undefined && !known.isKnown(row)) await readOne(directory, name, row, { known, isHashed: false });
  }
}

interface Reading {
  readonly known: Known;
  readonly isHashed: boolean;
}

/** How many bytes were read. */
function readOne(directory: Directory, name: string, row: number, reading: Reading): number | Promise<number> {
  const soon = directory.files.stat(directory.at(name));
  if (soon instanceof Promise) return soon.then((stats) => takeDown(directory, name, row, stats, reading));
  return takeDown(directory, name, row, soon, reading);
}

function takeDown(
  directory: Directory,
  name: string,
  row: number,
  stats: Stats | null,
  { known, isHashed }: Reading,
): number {
  if (stats === null || !stats.isFile() || directory.names.get(name) !== row) return 0;
  const isFirst = !known.isKnown(row);
  if (isFirst && stats.ctimeMs >= directory.since - clockSlackMs && !directory.isPolled) return 0;
  if (!isFirst && !known.isAsKnown(row, stats)) return 0;
  // Over a network each file would be fetched.
  const hash = isHashed && !directory.files.isRemote ? directory.files.hash(directory.at(name), stats) : Number.NaN;
  if (typeof hash !== 'number') return 0;
  if (isFirst && isHashed && !directory.files.isRemote && stats.size <= mostHashed && Number.isNaN(hash)) return 0;
  known.set(row, stats, hash, directory.files.readAtMs);
  return stats.size;
}

export interface PollerOptions {
  readonly pollMs: number;
  sweep(): Promise<void>;
}

/** Sweeps again and again, the more seldom the longer one takes. */
export class Poller {
  readonly #options: PollerOptions;
  #timer: NodeJS.Timeout | null = null;
  #isRunning = false;
  /** Between sweeps. */
  pauseMs: number;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.pauseMs = options.pollMs;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#wait();
  }

  stop(): void {
    this.#isRunning = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#isRunning) this.#timer = setTimeout(() => void this.#sweep(), this.pauseMs);
  }

  async #sweep(): Promise<void> {
    const beganMs = monotonicMs();
    await this.#options.sweep();
    this.pauseMs = Math.max(this.#options.pollMs, (monotonicMs() - beganMs) / sweepShare);
    this.#wait();
  }
}

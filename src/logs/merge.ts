/** Several logs as one: their lines in the order in which they came. */
import type { LogPlace } from './layout.ts';
import { type Line, lines, Times } from './lines.ts';
import { Log } from './log.ts';
import { startOfLast, startOfLine } from './read.ts';

/** What of a log is asked for. */
export interface Bounds {
  /** Milliseconds since the epoch; null is no bound. */
  readonly since: number | null;
  readonly until: number | null;
  /** So many of the last lines. */
  readonly lines: number | 'all';
}

/** A part of a log, from where a line begins. Close it. */
export class Stretch {
  readonly log: Log;
  readonly times: Times;
  readonly from: number;
  readonly to: number;

  private constructor(log: Log, times: Times, { from, to }: { readonly from: number; readonly to: number }) {
    this.log = log;
    this.times = times;
    this.from = from;
    this.to = to;
  }

  static async open(place: LogPlace, { since, until, lines: count }: Bounds): Promise<Stretch> {
    const log = await Log.open(place);
    const times = new Times(log);
    const lineAt = async (time: number) =>
      startOfLine(log, Math.max(log.start, Math.min(times.offsetAt(time), log.end)));
    const to = until === null ? log.end : await lineAt(until);
    const start = log.startsMidLine ? await startOfLine(log, log.start + 1, to) : log.start;
    const first = since === null ? Math.min(start, to) : Math.min(to, Math.max(start, await lineAt(since)));
    return new Stretch(log, times, { from: await startOfLast(log, count, { from: first, to }), to });
  }

  /** From an offset that somebody has read up to; what is gone by now is left out. */
  static async openAt(place: LogPlace, from: number): Promise<Stretch> {
    const log = await Log.open(place);
    return new Stretch(log, new Times(log), { from: Math.min(Math.max(from, log.start), log.end), to: log.end });
  }

  lines(): AsyncGenerator<readonly Line[]> {
    return lines(this.log, this.from, this.to);
  }

  async close(): Promise<void> {
    this.times.close();
    await this.log.close();
  }
}

export interface MergedLine extends Line {
  /** Which of the logs it is of. */
  readonly source: number;
  readonly time: number | null;
}

/** What is merged: lines of one log, batch by batch, and when a byte of it came. */
export interface Merging {
  readonly lines: AsyncGenerator<readonly Line[]>;
  timeOf(offset: number): number | null;
}

interface Head {
  batch: readonly Line[];
  at: number;
  time: number | null;
}

const batchLines = 1000;

/** Lines that came at once stay in the order of their logs. */
export async function* merged(logs: readonly Merging[]): AsyncGenerator<readonly MergedLine[]> {
  const heads = logs.map((): Head => ({ batch: [], at: 0, time: null }));
  const isThere = async (source: number): Promise<boolean> => {
    const head = heads[source]!;
    while (head.at >= head.batch.length) {
      const next = await logs[source]!.lines.next();
      if (next.done) return false;
      head.batch = next.value;
      head.at = 0;
    }
    head.time = logs[source]!.timeOf(head.batch[head.at]!.offset);
    return true;
  };
  const open: number[] = [];
  for (const source of heads.keys()) if (await isThere(source)) open.push(source);
  let batch: MergedLine[] = [];
  while (open.length > 0) {
    let first = open[0]!;
    for (const source of open) if ((heads[source]!.time ?? 0) < (heads[first]!.time ?? 0)) first = source;
    const head = heads[first]!;
    batch.push({ ...head.batch[head.at]!, source: first, time: head.time });
    head.at++;
    if (head.at < head.batch.length) head.time = logs[first]!.timeOf(head.batch[head.at]!.offset);
    else if (!(await isThere(first))) open.splice(open.indexOf(first), 1);
    if (batch.length >= batchLines) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

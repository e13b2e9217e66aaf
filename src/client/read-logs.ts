/**
 * What apps have printed, line by line, from their files: those that are there, in the order in which they came, then those that come. No daemon is asked, but for
 * what selectors mean.
 */
import { join } from 'node:path';
import { followLogs } from '../logs/follow.ts';
import { lineView } from '../logs/line-view.ts';
import type { Line } from '../logs/lines.ts';
import { type MergedLine, merged } from '../logs/merge.ts';
import { type GrepChoice, gapMark, lastOf } from '../logs/search.ts';
import { wakeOn } from '../logs/wake.ts';
import type { AppView, LogLineView } from '../protocol/api.ts';
import { Handover } from './handover.ts';
import { LogReader, type Part } from './log-reader.ts';
import type { Selected } from './select-apps.ts';
import { isOpen, type LogOf, logsOf, selectLogs } from './select-logs.ts';
import { untilGone } from './until-gone.ts';

export interface LogQuery {
  readonly select: readonly string[];
  readonly streams: readonly ('out' | 'err')[];
  /** Milliseconds since the epoch. */
  readonly since: number | null;
  readonly until: number | null;
  readonly lines: number | 'all';
  readonly grep: GrepChoice | null;
  readonly follow: boolean;
  /** So many bytes were rotated away before they were read. */
  readonly onMissed: (log: LogOf, bytes: number) => void;
}

export interface ReadLogs {
  readonly home: string;
  readonly readApps: () => Promise<readonly AppView[]>;
  readonly signal: AbortSignal;
}

/** Throws APP_NOT_FOUND and the signal's reason. Following apps by their names, it ends once none of them is there any more. */
export async function* readLogs(query: LogQuery, reading: ReadLogs): AsyncGenerator<LogLineView> {
  const { signal, home } = reading;
  signal.throwIfAborted();
  const LineGrep = query.grep === null ? null : (await import('../logs/grep.ts')).LineGrep;
  const readersOf = (some: readonly Selected[]) =>
    some.flatMap((one) => logsOf(home, one, query.streams)).map((log) => new LogReader(log, query.grep, LineGrep));
  const selected = await selectLogs(query.select, reading);
  const readers = readersOf(selected);
  yield* history(readers, query, signal);
  if (!query.follow) return;
  const following = new Following(query, reading, readersOf);
  try {
    following.begin(selected, readers);
    for await (const line of following.out.taken()) {
      signal.throwIfAborted();
      yield line;
    }
    signal.throwIfAborted();
  } finally {
    await following.end();
  }
}

/** The lines that are there. */
async function* history(
  readers: readonly LogReader[],
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogLineView> {
  const { since, until, lines: count, grep, follow } = query;
  const parts = await openAll(readers, { since, until, lines: grep === null ? count : 'all' }, follow);
  const isCut = count !== 'all' && (readers.length > 1 || grep !== null);
  const viewed = (lines: readonly MergedLine[]) => viewsOf(lines, (line) => [readers[line.source]!.log, line.time]);
  const merging = parts.map((part, at) => ({
    lines: readers[at]!.lines(part, follow),
    timeOf: (offset: number) => part.stretch.times.timeOf(offset),
  }));
  let last: MergedLine[] = [];
  try {
    for await (const batch of merged(merging)) {
      signal.throwIfAborted();
      if (isCut) last = lastOf([...last, ...batch], count);
      else yield* viewed(batch);
    }
    yield* viewed(last);
  } finally {
    for (const { stretch } of parts) await stretch.close();
  }
}

async function openAll(
  readers: readonly LogReader[],
  bounds: Parameters<LogReader['open']>[0],
  goesOn: boolean,
): Promise<readonly Part[]> {
  const opened = await Promise.allSettled(readers.map((reader) => reader.open(bounds, goesOn)));
  const parts = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failure = opened.find((one) => one.status === 'rejected');
  if (failure === undefined) return parts;
  for (const { stretch } of parts) await stretch.close();
  throw failure.reason;
}

function viewsOf<T extends Line>(lines: readonly T[], of: (line: T) => [log: LogOf, time: number | null]) {
  return lines.filter(({ bytes }) => bytes !== gapMark).map((line) => lineView(of(line)[0], line, of(line)[1]));
}

/** What comes from now on. */
class Following {
  readonly out = new Handover<LogLineView>();
  readonly #query: LogQuery;
  readonly #reading: ReadLogs;
  readonly #readersOf: (some: readonly Selected[]) => readonly LogReader[];
  readonly #ended = new AbortController();
  readonly #work: Promise<void>[] = [];
  readonly #onAbort = (): void => this.#stop();

  constructor(query: LogQuery, reading: ReadLogs, readersOf: (some: readonly Selected[]) => readonly LogReader[]) {
    this.#query = query;
    this.#reading = reading;
    this.#readersOf = readersOf;
  }

  begin(selected: readonly Selected[], readers: readonly LogReader[]): void {
    // It may have been aborted while what is there was read.
    this.#reading.signal.throwIfAborted();
    this.#reading.signal.addEventListener('abort', this.#onAbort);
    const names = selected.map(({ app }) => app.name);
    this.#goesOn(this.#follow(readers));
    if (isOpen(this.#query.select)) this.#goesOn(this.#followNewcomers(new Set(names)));
    else this.#goesOn(this.#untilAllGone(names));
  }

  async end(): Promise<void> {
    this.#reading.signal.removeEventListener('abort', this.#onAbort);
    this.#stop();
    await Promise.allSettled(this.#work);
  }

  #stop(): void {
    this.out.end();
    this.#ended.abort();
  }

  #goesOn(work: Promise<void>): void {
    this.#work.push(work);
    work.catch((error) => this.out.fail(error));
  }

  async #untilAllGone(names: readonly string[]): Promise<void> {
    const { home } = this.#reading;
    await Promise.all(names.map((name) => untilGone(home, name, this.#ended.signal)));
    // What they printed last is in their logs by now.
    this.#ended.abort();
    await this.#work[0];
    this.out.end();
  }

  async #follow(readers: readonly LogReader[]): Promise<void> {
    const give = (reader: LogReader, lines: readonly Line[]) =>
      this.out.give(viewsOf(lines, () => [reader.log, Date.now()]));
    const logs = readers.map((reader) => ({
      place: reader.log.place,
      from: reader.to,
      write: (chunk: Uint8Array, offset: number) => give(reader, reader.push(chunk, offset)),
      missed: (bytes: number) => this.#query.onMissed(reader.log, bytes),
    }));
    await followLogs(logs, { signal: this.#ended.signal, drain: true });
    for (const reader of readers) await give(reader, reader.rest());
  }

  /** Of apps that appear later all lines are given. */
  async #followNewcomers(known: Set<string>): Promise<void> {
    const { home, signal } = this.#reading;
    while (!this.#ended.signal.aborted) {
      // Armed before the look: what happens in between wakes it.
      const wake = wakeOn(join(home, 'apps'));
      this.#ended.signal.addEventListener('abort', wake.close);
      const now = await selectLogs(this.#query.select, this.#reading).catch(() => []);
      for (const one of now.filter(({ app }) => !known.has(app.name))) {
        known.add(one.app.name);
        const readers = this.#readersOf([one]);
        for await (const line of history(readers, { ...this.#query, lines: 'all' }, signal))
          await this.out.give([line]);
        this.#goesOn(this.#follow(readers));
      }
      if (!this.#ended.signal.aborted) await wake.happened;
      this.#ended.signal.removeEventListener('abort', wake.close);
      wake.close();
    }
  }
}

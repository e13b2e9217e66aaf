/**
 * `GET /v1/logs?app=NAME`: what an app printed, read from its files. `stream=out|err`, `index=N` choose; `lines=N`, `since=`, `until=` (ISO 8601 or
 * milliseconds since the epoch) bound; `cursor=` goes on where an earlier answer ended. One answer holds 1,000 lines or 1 MB at most.
 *
 * With `follow=1` (or `Accept: text/event-stream`) a stream of server-sent events that goes on, a line each, its id being the cursor behind it: `Last-Event-ID`
 * resumes it. Who reads more slowly than an app prints is waited for, and let go if he takes nothing for a while: the files keep what he misses.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type FoundLog, findLogs } from '../../logs/find.ts';
import { followLogs } from '../../logs/follow.ts';
import { lineView } from '../../logs/line-view.ts';
import type { Line } from '../../logs/lines.ts';
import { type Bounds, merged, Stretch } from '../../logs/merge.ts';
import type { LogLineView, LogsResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Daemon } from '../context.ts';
import { type Request, Streamed } from '../server.ts';
import { oneSelected } from './select.ts';

const mostLines = 1000;
const mostBytes = 1024 * 1024;
/** What a follower may be behind before it is waited for, and how long that may last. */
const mostBehindBytes = 256 * 1024;
const stalledMs = 10_000;
const lookMs = 20;
const longestLine = 64 * 1024;

type Cursor = Readonly<Record<string, number>>;

export async function streamLogs(daemon: Daemon, request: Request): Promise<LogsResponse | Streamed> {
  const { query, headers } = request;
  if (query.getAll('app').length !== 1) throw bad('"app" must be one app.');
  const app = oneSelected(daemon, query.get('app')!);
  if (!['0', '1'].includes(query.get('follow') ?? '0')) throw bad('"follow" must be 0 or 1.');
  const found = chosen(
    findLogs(
      daemon.home,
      app.name,
      app.instances.map(({ index }) => index),
    ),
    query,
  );
  const bounds: Bounds = { since: time(query, 'since'), until: time(query, 'until'), lines: count(query) };
  const cursor = parseCursor(query.get('cursor') ?? String(headers['last-event-id'] ?? ''));
  const isStream = query.get('follow') === '1' || /\btext\/event-stream\b/.test(headers.accept ?? '');
  const stretches = await Promise.all(
    found.map(({ place }, at) => {
      const from = cursor?.[keyOf(found[at]!)];
      return from === undefined ? Stretch.open(place, bounds) : Stretch.openAt(place, from);
    }),
  );
  const named = { name: app.name, found, stretches };
  if (isStream) return follow(named, request.signal);
  try {
    return await page(named, cursor === null ? bounds.lines : 'all');
  } finally {
    for (const stretch of stretches) await stretch.close();
  }
}

interface Named {
  readonly name: string;
  readonly found: readonly FoundLog[];
  readonly stretches: readonly Stretch[];
}

async function page({ name, found, stretches }: Named, count: number | 'all'): Promise<LogsResponse> {
  const at: Record<string, number> = Object.fromEntries(found.map((one, i) => [keyOf(one), stretches[i]!.from]));
  const lines: LogLineView[] = [];
  let bytes = 0;
  outer: for await (const batch of merged(mergingOf(stretches))) {
    for (const { source, time: came, ...line } of batch) {
      if (lines.length >= mostLines || bytes >= mostBytes) break outer;
      bytes += line.bytes.length;
      lines.push(viewOf(name, found[source]!, line, came));
      at[keyOf(found[source]!)] = line.offset + line.bytes.length;
    }
  }
  const isEnd = found.every((one, i) => at[keyOf(one)]! >= stretches[i]!.to);
  return { lines: count === 'all' ? lines : count === 0 ? [] : lines.slice(-count), cursor: cursorText(at), isEnd };
}

function follow({ name, found, stretches }: Named, signal: AbortSignal): Streamed {
  return new Streamed('text/event-stream', (write, end) => {
    const at: Record<string, number> = Object.fromEntries(found.map((one, i) => [keyOf(one), stretches[i]!.from]));
    const ended = new AbortController();
    signal.addEventListener('abort', () => ended.abort(), { once: true });
    const send = async (source: number, line: Line, came: number | null) => {
      const key = keyOf(found[source]!);
      at[key] = line.offset + line.bytes.length;
      const data = JSON.stringify(viewOf(name, found[source]!, line, came));
      let behind = write(`id: ${cursorText(at)}\ndata: ${data}\n\n`);
      for (let waited = 0; behind > mostBehindBytes && !ended.signal.aborted; waited += lookMs) {
        if (waited >= stalledMs) {
          end(': too slow; resume with Last-Event-ID\n\n');
          ended.abort();
          return;
        }
        await sleep(lookMs);
        behind = write('');
      }
    };
    const run = async () => {
      try {
        write(': stead\n\n');
        for await (const batch of merged(mergingOf(stretches)))
          for (const { source, time: came, ...line } of batch) {
            if (ended.signal.aborted) return;
            await send(source, line, came);
          }
      } finally {
        for (const stretch of stretches) await stretch.close();
      }
      const logs = found.map(({ place }, source) => ({
        place,
        from: stretches[source]!.to,
        write: async (chunk: Uint8Array, offset: number) => {
          for (const line of partsOf(Buffer.from(chunk), offset)) await send(source, line, Date.now());
        },
      }));
      await followLogs(logs, { signal: ended.signal });
    };
    run().catch((error) => end(`: ${(error as Error).message.replaceAll('\n', ' ')}\n\n`));
  });
}

/** A chunk's lines; its last one goes on in the next chunk where it has no end yet. */
function partsOf(bytes: Buffer, offset: number): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const to = Math.min(end < 0 ? bytes.length : end + 1, from + longestLine);
    lines.push({ offset: offset + from, bytes: bytes.subarray(from, to) });
    from = to;
  }
  return lines;
}

const mergingOf = (stretches: readonly Stretch[]) =>
  stretches.map((stretch) => ({ lines: stretch.lines(), timeOf: (offset: number) => stretch.times.timeOf(offset) }));

const viewOf = (name: string, { index, stream }: FoundLog, line: Line, came: number | null): LogLineView =>
  lineView({ name, index, stream }, line, came);

const keyOf = ({ index, stream }: FoundLog): string => `${index}.${stream}`;

function chosen(found: readonly FoundLog[], query: URLSearchParams): readonly FoundLog[] {
  const [stream, index] = [query.get('stream'), query.get('index')];
  if (stream !== null && stream !== 'out' && stream !== 'err') throw bad('"stream" must be out or err.');
  if (index !== null && !found.some((one) => String(one.index) === index))
    throw bad('"index" must be that of an instance.');
  return found.filter(
    (one) => (stream ?? one.stream) === one.stream && (index ?? String(one.index)) === String(one.index),
  );
}

function time(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  const at = /^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(at)) throw bad(`"${name}" must be a time: ISO 8601, or milliseconds since the epoch.`);
  return at;
}

function count(query: URLSearchParams): number | 'all' {
  const text = query.get('lines');
  if (text === null) return query.has('since') || query.has('until') ? 'all' : 100;
  if (text === 'all') return 'all';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw bad('"lines" must be a number or all.');
}

/** `0.out:123,0.err:45`. */
function parseCursor(text: string): Cursor | null {
  if (text === '') return null;
  const parts = text.split(',').map((part) => /^(\d{1,6}\.(?:out|err)):(\d{1,16})$/.exec(part));
  if (parts.length > 10_000 || parts.some((part) => part === null))
    throw bad('"cursor" must be that of an earlier answer.');
  return Object.fromEntries(parts.map((part) => [part![1]!, Number(part![2])]));
}

const cursorText = (at: Cursor): string =>
  Object.entries(at)
    .map(([key, offset]) => `${key}:${offset}`)
    .join(',');

const bad = (message: string) => new SteadError('BAD_REQUEST', message);

/** Log files on the way to a person or a pipe. */
import type { Value } from '../config/values.ts';
import { decodeBytes } from '../host/bytes.ts';
import { type FollowedFile, followFiles } from '../logs/follow.ts';
import { lastLines } from '../logs/read.ts';
import { SteadError } from '../protocol/errors.ts';
import { linePrefixer } from './line-prefixer.ts';
import { isTerminal, write } from './output.ts';
import { safeText } from './safe-text.ts';

export interface LogSource {
  readonly file: string;
  /** Put before each line; empty for none. */
  readonly prefix: string;
  /** What `--json` says of each line beside its text: `{name, index, stream}`. */
  readonly label: Readonly<Record<string, unknown>>;
}

export interface LogOptions {
  readonly lines: number | 'all';
  /** `text` is made safe for a terminal, `raw` never; `json` is one object per line. */
  readonly format: 'text' | 'raw' | 'json';
  /** Follow what comes until aborted; null: only what is there. */
  readonly until: AbortSignal | null;
}

/** `-n`: a number or `all`; 20 without. Throws OPTION_INVALID. */
export function parseCount(value: Value | undefined): number | 'all' {
  if (value === undefined) return 20;
  if (value === 'all') return 'all';
  if (/^\d{1,15}$/.test(String(value))) return Number(value);
  throw new SteadError('OPTION_INVALID', `-n takes a number or all, not ${JSON.stringify(value)}`);
}

/** Prints the last lines of each source, then what comes until `until` is aborted. */
export async function showLogs(sources: readonly LogSource[], { lines, format, until }: LogOptions): Promise<void> {
  const followed: FollowedFile[] = [];
  const sinks = sources.map((source) => makeSink(source, format));
  for (const [at, { file }] of sources.entries()) {
    const sink = sinks[at]!;
    const { to } = await lastLines(file, lines, sink.push);
    if (until === null) sink.end();
    followed.push({ path: file, from: to, write: sink.push });
  }
  if (until === null) return;
  await followFiles(followed, { signal: until, drain: true });
  for (const sink of sinks) sink.end();
}

interface Sink {
  push(chunk: Uint8Array): void;
  end(): void;
}

const put = (bytes: Uint8Array | string): void => write(1, bytes);

function makeSink({ prefix, label }: LogSource, format: LogOptions['format']): Sink {
  if (format === 'json') return linePrefixer('', (line) => put(asJson(line, label)));
  const isSafe = format === 'raw' || !isTerminal(1);
  if (prefix !== '') return linePrefixer(prefix, isSafe ? put : (line) => put(wholeSafe(line)));
  if (isSafe) return { push: put, end() {} };
  const safe = safeText();
  return { push: (chunk) => put(safe.push(chunk)), end: () => put(safe.end()) };
}

function wholeSafe(line: Uint8Array): string {
  const safe = safeText();
  return safe.push(line) + safe.end();
}

/** Fields are kept apart from the text, so that no line can forge them. */
function asJson(line: Uint8Array, label: LogSource['label']): string {
  return `${JSON.stringify({ ...label, line: decodeBytes(line).replace(/\n$/, '') })}\n`;
}

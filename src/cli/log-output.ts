/**
 * Logs on the way to a person or a pipe: a stretch of each, merged by when its lines came, then what is written from now on.
 */
import type { Value } from '../config/values.ts';
import { decodeBytes, escapeControls } from '../host/bytes.ts';
import { followLogs } from '../logs/follow.ts';
import type { LogPlace } from '../logs/layout.ts';
import type { Line } from '../logs/lines.ts';
import { type Bounds, type MergedLine, merged, Stretch } from '../logs/merge.ts';
import { type GrepChoice, gapLine, gapMark, lastOf } from '../logs/search.ts';
import { SteadError } from '../protocol/errors.ts';
import { linePrefixer } from './line-prefixer.ts';
import { isTerminal, say, write } from './output.ts';
import { safeText } from './safe-text.ts';
import { stamp } from './when.ts';

export interface LogSource {
  readonly place: LogPlace;
  /** Put before each line; empty for none. */
  readonly prefix: string;
  /** Put before each line in place of that, by when it came. */
  readonly head?: (time: number | null) => string;
  /** Also without a prefix: others print to the same place. */
  readonly areLinesWhole?: boolean;
  /** Where it goes to; stdout without it. */
  readonly fd?: 1 | 2;
  /** What `--json` says of each line beside its text: `{name, index, stream}`. */
  readonly label: Readonly<Record<string, unknown>>;
}

export interface LogOptions extends Bounds {
  /** Lines that match alone. */
  readonly grep: GrepChoice | null;
  readonly timestamps: boolean;
  /** JSON lines of the program itself as text. */
  readonly pretty: boolean;
  /** `text` is made safe for a terminal, `raw` never; `json` is one object per line. */
  readonly format: 'text' | 'raw' | 'json';
}

/** Nothing said but how much. */
export const plainly = { since: null, until: null, grep: null, timestamps: false, pretty: false } as const;

type GrepClass = typeof import('../logs/grep.ts')['LineGrep'];

/** `-n`: a number or `all`; `without` if it isn't said. Throws OPTION_INVALID. */
export function parseCount(value: Value | undefined, without: number | 'all' = 20): number | 'all' {
  if (value === undefined) return without;
  if (value === 'all') return 'all';
  if (/^\d{1,15}$/.test(String(value))) return Number(value);
  throw new SteadError('OPTION_INVALID', `-n takes a number or all, not ${JSON.stringify(value)}`);
}

/** Where each log was left: there following goes on. */
export interface Shown {
  readonly source: LogSource;
  readonly to: number;
  readonly printer: Printer;
}

/** Prints what there is. A last line without its end is held back where following goes on with it. */
export async function showLogs(
  sources: readonly LogSource[],
  options: LogOptions,
  { goesOn = false } = {},
): Promise<readonly Shown[]> {
  const grepClass = options.grep === null ? null : (await import('../logs/grep.ts')).LineGrep;
  const printers = sources.map((source) => makePrinter(source, options, grepClass));
  const bounds = options.grep === null ? options : { ...options, lines: 'all' as const };
  const stretches = await Promise.all(sources.map(({ place }) => Stretch.open(place, bounds)));
  for (const { log } of stretches) if (log.problem !== null) say(`stead: ${escapeControls(log.problem)}`);
  const [only, ...others] = [...stretches.keys()].filter((at) => stretches[at]!.from < stretches[at]!.to);
  try {
    if (only === undefined) {
      // Nothing is there yet.
    } else if (others.length === 0 && isPlain(sources[only]!, options)) await pour(stretches[only]!, printers[only]!);
    else await printMerged(stretches, options, { printers, grepClass, goesOn });
    if (!goesOn) for (const printer of printers) printer.end();
    flush();
    return stretches.map(({ to }, at) => ({ source: sources[at]!, to, printer: printers[at]! }));
  } finally {
    for (const stretch of stretches) await stretch.close();
  }
}

/** Prints what comes from now on, until aborted. */
export async function followShown(shown: readonly Shown[], signal: AbortSignal): Promise<void> {
  const logs = shown.map(({ source, to, printer }) => ({
    place: source.place,
    from: to,
    write: (chunk: Uint8Array, offset: number) => {
      printer.push(chunk, offset);
      flush();
    },
    missed: (bytes: number) => {
      printer.end();
      flush();
      say(`stead: ${bytes} bytes of ${source.place.file} were rotated away before they were read; they are gone`);
    },
  }));
  await followLogs(logs, { signal, drain: true });
  for (const { printer } of shown) printer.end();
  flush();
}

/** Nothing is done to its bytes, but for being made safe: they pass in blocks. */
const isPlain = (
  { prefix, areLinesWhole = false }: LogSource,
  { format, timestamps, pretty, grep }: LogOptions,
): boolean => prefix === '' && !areLinesWhole && format !== 'json' && !timestamps && !pretty && grep === null;

const lineEnd = 10;
const pourBytes = 256 * 1024;

async function pour({ log, from, to }: Stretch, printer: Printer): Promise<void> {
  for await (const { bytes, offset } of log.chunks(from, to, pourBytes)) printer.push(bytes, offset);
}

/** Line by line, in the order in which they came; the last `count` of them all. */
async function printMerged(
  stretches: readonly Stretch[],
  options: LogOptions,
  { printers, grepClass, goesOn }: { printers: readonly Printer[]; grepClass: GrepClass | null; goesOn: boolean },
): Promise<void> {
  const { lines: count, grep } = options;
  const print = ({ source, time, ...line }: MergedLine) => {
    const isHalf = goesOn && line.bytes.at(-1) !== lineEnd && line.offset + line.bytes.length === stretches[source]!.to;
    if (isHalf && grep === null) printers[source]!.push(line.bytes, line.offset);
    else printers[source]!.line(line.bytes, { offset: line.offset, time });
  };
  const isTimed = stretches.length > 1 || options.timestamps || options.format === 'json';
  const merging = stretches.map((stretch) => ({
    lines: grep === null || grepClass === null ? stretch.lines() : matching(stretch, grep, grepClass),
    timeOf: (offset: number) => (isTimed ? stretch.times.timeOf(offset) : null),
  }));
  if (count === 'all' || (stretches.length === 1 && grep === null)) {
    for await (const batch of merged(merging)) for (const line of batch) print(line);
    return;
  }
  let last: MergedLine[] = [];
  for await (const batch of merged(merging)) last = lastOf([...last, ...batch], count);
  for (const line of last) print(line);
}

const grepBytes = 1024 * 1024;

/** The lines of a stretch that match. */
async function* matching(
  { log, from, to }: Stretch,
  choice: GrepChoice,
  LineGrep: GrepClass,
): AsyncGenerator<readonly Line[]> {
  let found: Line[] = [];
  const grep = new LineGrep(choice, (bytes, { offset, gap, kind }) => {
    if (gap) found.push(gapLine(offset));
    found.push({ offset, bytes: Buffer.from(bytes), isContext: kind === 'context' });
  });
  for await (const { bytes, offset } of log.chunks(from, to, grepBytes, { reuse: true })) {
    grep.push(bytes, offset);
    if (found.length === 0) continue;
    yield found;
    found = [];
  }
  grep.end();
  if (found.length > 0) yield found;
}

export interface Printer {
  /** Bytes as they come. */
  push(chunk: Uint8Array, offset: number): void;
  /** One whole line. */
  line(bytes: Uint8Array, at: { readonly offset: number; readonly time: number | null }): void;
  end(): void;
}

/** Written in blocks: a write per line would take ten times as long. */
const blockBytes = 64 * 1024;
let block: Uint8Array[] = [];
let inBlock = 0;

let blockFd: 1 | 2 = 1;

function put(bytes: Uint8Array | string, fd: 1 | 2): void {
  if (fd !== blockFd) flush();
  blockFd = fd;
  const part = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  block.push(part);
  inBlock += part.length;
  if (inBlock >= blockBytes) flush();
}

function flush(): void {
  const parts = block;
  block = [];
  inBlock = 0;
  if (parts.length > 0) write(blockFd, parts.length === 1 ? parts[0]! : Buffer.concat(parts));
}

function makePrinter(source: LogSource, options: LogOptions, LineGrep: GrepClass | null): Printer {
  const { fd = 1 } = source;
  const formatted = makeFormat(source, options);
  const show = (bytes: Uint8Array | string) => put(bytes, fd);
  const line: Printer['line'] = (bytes, at) => {
    if (bytes !== gapMark) show(formatted(bytes, at));
    else if (options.format !== 'json') show(gapMark);
  };
  if (isPlain(source, options)) {
    if (options.format === 'raw' || !isTerminal(fd)) return { push: show, line: show, end() {} };
    const safe = safeText();
    return {
      push: (chunk) => show(safe.push(chunk)),
      line: (bytes) => show(safe.push(bytes)),
      end: () => show(safe.end()),
    };
  }
  // What is followed has come just now.
  const now = (bytes: Uint8Array, offset: number) => line(bytes, { offset, time: Date.now() });
  const grep =
    options.grep === null || LineGrep === null
      ? null
      : new LineGrep(options.grep, (bytes, { offset, gap }) => {
          if (gap && options.format !== 'json') show(gapMark);
          now(bytes, offset);
        });
  let offsetOf = 0;
  const lineByLine = linePrefixer('', (bytes) => {
    const offset = offsetOf;
    offsetOf += bytes.length;
    if (grep === null) now(bytes, offset);
    else grep.push(Buffer.from(bytes), offset);
  });
  let held = 0;
  return {
    push(chunk, offset) {
      if (held === 0) offsetOf = offset;
      held = chunk.at(-1) === lineEnd ? 0 : held + chunk.length;
      lineByLine.push(chunk);
    },
    line,
    end() {
      lineByLine.end();
      grep?.end();
    },
  };
}

type Format = (line: Uint8Array, at: { readonly offset: number; readonly time: number | null }) => string | Uint8Array;

function makeFormat(
  { prefix, head: before, label, fd = 1 }: LogSource,
  { format, timestamps, pretty }: LogOptions,
): Format {
  if (format === 'json') return (line, at) => asJson(line, label, at);
  const isSafe = format === 'raw' || !isTerminal(fd);
  const readable = pretty ? loadReadable() : null;
  return (line, { time }) => {
    const head = `${timestamps ? `${time === null ? '-' : stamp(time)} ` : ''}${before === undefined ? prefix : before(time)}`;
    const text = readable?.current?.(decodeBytes(line).trimEnd()) ?? null;
    const ended =
      text !== null
        ? Buffer.from(`${text}\n`)
        : line.at(-1) === lineEnd
          ? line
          : Buffer.concat([line, Buffer.from('\n')]);
    if (isSafe) return Buffer.concat([Buffer.from(head), ended]);
    return head + wholeSafe(ended);
  };
}

/** Loaded when it is asked for; until then lines pass as they are. */
export const readableLines: { current: ((line: string) => string | null) | null } = { current: null };
const loadReadable = () => readableLines;

function wholeSafe(line: Uint8Array): string {
  const safe = safeText();
  return safe.push(line) + safe.end();
}

/** Fields are kept apart from the text, so that no line can forge them. */
function asJson(
  line: Uint8Array,
  label: LogSource['label'],
  { offset, time }: { readonly offset: number; readonly time: number | null },
): string {
  const text = decodeBytes(line);
  const isWhole = text.endsWith('\n');
  const fields = {
    ...label,
    time: time === null ? null : new Date(time).toISOString(),
    offset,
    line: isWhole ? text.slice(0, -1) : text,
    ...(!isWhole && { partial: true }),
  };
  return `${JSON.stringify(fields)}\n`;
}

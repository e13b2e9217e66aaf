/** Lines of a log and when they came. */
import type { Log } from './log.ts';
import { TimeIndex, type TimePoint } from './times.ts';

export interface Line {
  /** Of its first byte. */
  readonly offset: number;
  /** With its LF, if it has one. */
  readonly bytes: Buffer;
  /** It is around a match, and none itself. */
  readonly isContext?: boolean;
}

/** A line that is longer comes in parts, each as a line of its own. */
export const longestLine = 1024 * 1024;
const chunkBytes = 256 * 1024;
const lineEnd = 10;

/** The lines between two offsets, block by block; `from` is where a line begins. A last one without LF comes as it is. */
export async function* lines(log: Log, from: number, to: number): AsyncGenerator<readonly Line[]> {
  let rest: Line | null = null;
  for await (const chunk of log.chunks(from, to, chunkBytes)) {
    const joined: Line = rest === null ? chunk : joinedWith(rest, chunk);
    const cut = splitLines(joined);
    rest = cut.rest;
    if (rest !== null && rest.bytes.length >= longestLine) {
      cut.lines.push(rest);
      rest = null;
    }
    if (cut.lines.length > 0) yield cut.lines;
  }
  if (rest !== null) yield [rest];
}

/** Makes lines of bytes as they come, in whatever pieces. */
export class LineCutter {
  #rest: Line | null = null;

  /** Those that are whole by now; after a gap in the offsets what was held is one without an end. */
  push(bytes: Buffer, offset: number): readonly Line[] {
    const isNext = this.#rest !== null && this.#rest.offset + this.#rest.bytes.length === offset;
    const torn = isNext ? [] : this.end();
    const cut = splitLines(this.#rest === null ? { offset, bytes } : joinedWith(this.#rest, { offset, bytes }));
    this.#rest = cut.rest;
    const long = cut.rest !== null && cut.rest.bytes.length >= longestLine ? this.end() : [];
    return [...torn, ...cut.lines, ...long];
  }

  /** What is held. */
  end(): readonly Line[] {
    const rest = this.#rest;
    this.#rest = null;
    return rest === null ? [] : [rest];
  }
}

const joinedWith = (rest: Line, { bytes }: Line): Line => ({
  offset: rest.offset,
  bytes: Buffer.concat([rest.bytes, bytes]),
});

function splitLines({ offset, bytes }: Line): { readonly lines: Line[]; readonly rest: Line | null } {
  const found: Line[] = [];
  let from = 0;
  for (let at = bytes.indexOf(lineEnd); at >= 0; at = bytes.indexOf(lineEnd, from)) {
    found.push({ offset: offset + from, bytes: bytes.subarray(from, at + 1) });
    from = at + 1;
  }
  return { lines: found, rest: from === bytes.length ? null : { offset: offset + from, bytes: bytes.subarray(from) } };
}

/** When the bytes of a log came, asked in ascending order. Close it. */
export class Times {
  readonly #index: TimeIndex;
  readonly #end: TimePoint;
  /** The stretch between two pairs in which it was asked last. */
  #stretch: { readonly from: number; readonly to: number; readonly time: number; readonly perByte: number } | null =
    null;

  constructor(log: Log) {
    this.#index = TimeIndex.open(log.place.times);
    this.#end = { offset: log.end, time: log.writtenAt };
  }

  /** Milliseconds since the epoch; null if nothing is known. */
  timeOf(offset: number): number | null {
    const known = this.#stretch;
    if (known !== null && offset >= known.from && offset < known.to)
      return known.time + (offset - known.from) * known.perByte;
    const stretch = this.#index.stretchAt(offset, this.#end);
    if (stretch === null) return null;
    const { before, after } = stretch;
    const perByte = after.offset > before.offset ? (after.time - before.time) / (after.offset - before.offset) : 0;
    this.#stretch = { from: before.offset, to: after.offset, time: before.time, perByte };
    return before.time + (offset - before.offset) * perByte;
  }

  /** The first byte that did not come before a time; the end if all did. */
  offsetAt(time: number): number {
    return this.#index.offsetAt(time, this.#end);
  }

  close(): void {
    this.#index.close();
  }
}

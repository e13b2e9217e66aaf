import type { LineGrep } from '../logs/grep.ts';
import { type Line, LineCutter, lines } from '../logs/lines.ts';
import { type Bounds, Stretch } from '../logs/merge.ts';
import { startOfLast } from '../logs/read.ts';
import { type GrepChoice, gapLine } from '../logs/search.ts';
import type { LogOf } from './select-logs.ts';

const grepBytes = 1024 * 1024;
const lineEnd = 10;

type GrepClass = typeof import('../logs/grep.ts')['LineGrep'];

/** A part of a log, up to where following goes on. */
export interface Part {
  readonly stretch: Stretch;
  readonly to: number;
}

/** The lines of one log that are asked for: first those of a part of it, then those that come. */
export class LogReader {
  readonly log: LogOf;
  readonly #cutter = new LineCutter();
  readonly #grep: LineGrep | null;
  #found: Line[] = [];
  /** Where following goes on. */
  to = 0;

  /** `LineGrep` is given where there is something to search for, as it takes a while to load. */
  constructor(log: LogOf, grep: GrepChoice | null, LineGrep: GrepClass | null) {
    this.log = log;
    this.#grep =
      grep === null || LineGrep === null
        ? null
        : new LineGrep(grep, (bytes, { offset, gap, kind }) => {
            if (gap) this.#found.push(gapLine(offset));
            this.#found.push({ offset, bytes: Buffer.from(bytes), isContext: kind === 'context' });
          });
  }

  /** Close its stretch. With `goesOn` a last line without its end is left for later. */
  async open(bounds: Bounds, goesOn: boolean): Promise<Part> {
    const stretch = await Stretch.open(this.log.place, bounds);
    try {
      this.to = goesOn ? await startOfHalf(stretch) : stretch.to;
      return { stretch, to: this.to };
    } catch (error) {
      await stretch.close();
      throw error;
    }
  }

  async *lines({ stretch, to }: Part, goesOn: boolean): AsyncGenerator<readonly Line[]> {
    if (this.#grep === null) return yield* lines(stretch.log, stretch.from, to);
    for await (const { bytes, offset } of stretch.log.chunks(stretch.from, to, grepBytes, { reuse: true })) {
      this.#grep.push(bytes, offset);
      if (this.#found.length > 0) yield this.#take();
    }
    if (!goesOn) this.#grep.end();
    if (this.#found.length > 0) yield this.#take();
  }

  /** Bytes that came → lines that are whole. */
  push(chunk: Uint8Array, offset: number): readonly Line[] {
    if (this.#grep === null) return this.#cutter.push(Buffer.from(chunk), offset);
    this.#grep.push(Buffer.from(chunk), offset);
    return this.#take();
  }

  /** What has no end. */
  rest(): readonly Line[] {
    if (this.#grep === null) return this.#cutter.end();
    this.#grep.end();
    return this.#take();
  }

  #take(): readonly Line[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }
}

/** Where the last line begins if it has no end yet; else the end. */
async function startOfHalf({ log, from, to }: Stretch): Promise<number> {
  if (to <= from) return to;
  for await (const { bytes } of log.chunks(to - 1, to, 1)) if (bytes.at(-1) === lineEnd) return to;
  return startOfLast(log, 1, { from, to });
}

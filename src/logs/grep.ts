/**
 * Lines of a log that match a regular expression. A whole block is searched at once, and only around a hit is it looked where the line begins and ends: to cut
 * a block into lines first takes ten times as long.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { SteadError } from '../protocol/errors.ts';

export interface GrepOptions {
  /** A regular expression of JavaScript's, for one line. */
  readonly pattern: string;
  readonly ignoreCase?: boolean;
  /** The lines that don't match. */
  readonly invert?: boolean;
  /** So many lines before and after. */
  readonly context?: number;
}

export interface Hit {
  /** Where the line begins in the log. */
  readonly offset: number;
  readonly kind: 'match' | 'context';
  /** Lines were left out before it, where there is context: what grep marks with `--`. */
  readonly gap: boolean;
}

/** `line` with its LF, if it has one; valid until the next call. */
export type PutLine = (line: Uint8Array, hit: Hit) => void;

/** A line that is longer is matched in parts, each as a line of its own. */
const longestLine = 1024 * 1024;
const lineEnd = 10;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Finds the lines of a block that match; the block ends where a line ends. */
type FindLines = (block: Buffer) => Iterable<Range>;

/** Takes the blocks of one log in their order. */
export class LineGrep {
  readonly #find: FindLines;
  readonly #put: PutLine;
  readonly #invert: boolean;
  readonly #context: number;
  #rest: Buffer = Buffer.alloc(0);
  /** Of the first byte of the rest. */
  #offset = 0;
  /** The last lines that were not put, for the context of the next match. */
  #before: { readonly line: Buffer; readonly offset: number }[] = [];
  #after = 0;
  #hasPut = false;
  #leftOut = false;

  /** Throws OPTION_INVALID for what is no pattern. */
  constructor({ pattern, ignoreCase = false, invert = false, context = 0 }: GrepOptions, put: PutLine) {
    this.#find = finder(pattern, ignoreCase);
    this.#put = put;
    this.#invert = invert;
    this.#context = context;
  }

  push(chunk: Buffer, offset: number): void {
    // After a gap what was held has no end.
    if (this.#rest.length > 0 && this.#offset + this.#rest.length !== offset) this.end();
    const begin = offset - this.#rest.length;
    const block = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const cut = block.lastIndexOf(lineEnd) + 1;
    if (cut > 0) this.#search(block.subarray(0, cut), begin);
    this.#rest = block.subarray(cut);
    this.#offset = begin + cut;
    if (this.#rest.length >= longestLine) this.end();
    // The chunk is whoever's it is; a short rest is cheap to keep.
    else if (this.#rest.length > 0) this.#rest = Buffer.from(this.#rest);
  }

  /** What is held is a line, too. */
  end(): void {
    const rest = this.#rest;
    if (rest.length === 0) return;
    this.#rest = Buffer.alloc(0);
    this.#search(rest, this.#offset);
    this.#offset += rest.length;
  }

  #search(block: Buffer, offset: number): void {
    if (!this.#invert && this.#context === 0) {
      for (const { from, to } of this.#find(block))
        this.#put(block.subarray(from, to), { offset: offset + from, kind: 'match', gap: false });
      return;
    }
    let at = 0;
    for (const hit of this.#find(block)) {
      this.#eachLine(block, { from: at, to: hit.from }, offset, this.#invert);
      this.#eachLine(block, hit, offset, !this.#invert);
      at = hit.to;
    }
    this.#eachLine(block, { from: at, to: block.length }, offset, this.#invert);
  }

  #eachLine(block: Buffer, { from, to }: Range, offset: number, isMatch: boolean): void {
    for (let at = from; at < to; ) {
      const end = block.indexOf(lineEnd, at) + 1 || to;
      this.#take(block.subarray(at, end), offset + at, isMatch);
      at = end;
    }
  }

  #take(line: Buffer, offset: number, isMatch: boolean): void {
    if (isMatch) {
      const gap = this.#hasPut && this.#leftOut && this.#context > 0;
      for (const [at, each] of this.#before.entries())
        this.#put(each.line, { offset: each.offset, kind: 'context', gap: gap && at === 0 });
      this.#put(line, { offset, kind: 'match', gap: gap && this.#before.length === 0 });
      this.#before = [];
      this.#after = this.#context;
      this.#hasPut = true;
      this.#leftOut = false;
    } else if (this.#after > 0) {
      this.#after--;
      this.#put(line, { offset, kind: 'context', gap: false });
    } else if (this.#context > 0) {
      this.#before.push({ line: Buffer.from(line), offset });
      if (this.#before.length <= this.#context) return;
      this.#before.shift();
      this.#leftOut = true;
    }
  }
}

function finder(pattern: string, ignoreCase: boolean): FindLines {
  const isLiteral = !/[\\^$.*+?()[\]{}|\n]/.test(pattern);
  if (isLiteral && !ignoreCase) return pattern === '' ? allLines : literalFinder(Buffer.from(pattern));
  const flags = ignoreCase ? 'i' : '';
  const exact = compile(pattern, `${flags}s`);
  // What looks around itself sees other lines in a block, and other letters are others in bytes.
  const isSimple = isAscii(Buffer.from(pattern)) && !/\(\?[=!<]|\\[1-9kpPu]/.test(pattern);
  if (!isSimple) return (block) => lineByLine(block, (line) => exact.test(decode(line)));
  const rough = compile(acrossLines(pattern), `${flags}gm`);
  return inParts((block) => {
    if (isAscii(block)) return hits(block.toString('latin1'), { rough, exact });
    if (isUtf8(block)) return inText(block.toString(), { rough, exact });
    return lineByLine(block, (line) => exact.test(decode(line)));
  });
}

/** Texts of this length live in the young part of the heap, where they cost next to nothing. */
const textBytes = 60 * 1024;

const inParts = (find: FindLines): FindLines =>
  function* (block) {
    for (let from = 0; from < block.length; ) {
      const least = Math.min(from + textBytes, block.length);
      const to = least === block.length ? least : block.indexOf(lineEnd, least) + 1 || block.length;
      for (const hit of find(block.subarray(from, to))) yield { from: from + hit.from, to: from + hit.to };
      from = to;
    }
  };

function compile(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new SteadError(
      'OPTION_INVALID',
      `--grep ${JSON.stringify(source)} is no pattern: ${(error as Error).message}`,
      {
        hint: 'it is a regular expression of JavaScript’s; \\ before ( [ . * makes them plain',
      },
    );
  }
}

/** For a block: a dot is any character but the line's end, also CR. Whatever else this may find across lines is looked at again. */
const acrossLines = (pattern: string): string =>
  pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\./gs, (part) => (part === '.' ? '[^\\n]' : part));

function literalFinder(needle: Buffer): FindLines {
  return function* (block) {
    for (let at = block.indexOf(needle); at >= 0; ) {
      const from = at === 0 ? 0 : block.lastIndexOf(lineEnd, at - 1) + 1;
      const to = block.indexOf(lineEnd, at + needle.length) + 1 || block.length;
      yield { from, to };
      at = to < block.length ? block.indexOf(needle, to) : -1;
    }
  };
}

function* allLines(block: Buffer): Generator<Range> {
  for (let from = 0; from < block.length; ) {
    const to = block.indexOf(lineEnd, from) + 1 || block.length;
    yield { from, to };
    from = to;
  }
}

function* lineByLine(block: Buffer, matches: (line: Buffer) => boolean): Generator<Range> {
  for (const { from, to } of allLines(block)) {
    const end = block[to - 1] === lineEnd ? to - 1 : to;
    if (matches(block.subarray(from, end))) yield { from, to };
  }
}

/** Bytes that are no UTF-8 are U+FFFD: what is around them is matched as the text that it is. */
const decode = (line: Buffer): string => line.toString();

interface Patterns {
  /** Finds every line that matches, and perhaps others. */
  readonly rough: RegExp;
  readonly exact: RegExp;
}

/** Lines of a text by their indexes in it. */
function* hits(text: string, { rough, exact }: Patterns): Generator<Range> {
  rough.lastIndex = 0;
  for (let hit = rough.exec(text); hit !== null; hit = rough.exec(text)) {
    // Behind the last line end there is no line.
    if (hit.index >= text.length) break;
    const from = hit.index === 0 ? 0 : text.lastIndexOf('\n', hit.index - 1) + 1;
    const end = text.indexOf('\n', hit.index);
    const to = end < 0 ? text.length : end;
    if (exact.test(text.slice(from, to))) yield { from, to: Math.min(to + 1, text.length) };
    rough.lastIndex = to + 1;
    if (to + 1 >= text.length) break;
  }
}

/** The same by bytes. */
function* inText(text: string, patterns: Patterns): Generator<Range> {
  let [index, byte] = [0, 0];
  for (const { from, to } of hits(text, patterns)) {
    const begin = byte + Buffer.byteLength(text.slice(index, from));
    byte = begin + Buffer.byteLength(text.slice(from, to));
    index = to;
    yield { from: begin, to: byte };
  }
}

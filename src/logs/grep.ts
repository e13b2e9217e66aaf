/**
 * Lines of a log that match a regular expression. To cut a block into lines first takes ten times as long, so a whole block is searched at once, and only around
 * a hit is it looked where the line begins and ends. That search is a rough one: it finds every line that matches, and perhaps others; each is then decoded and
 * matched by itself, exactly. Where every match holds some literal, the rough search is for its bytes; otherwise it is for a regular expression on bytes
 * (a latin1 string) which `sketch` makes of the pattern.
 */
import { isAscii } from 'node:buffer';
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

/**
 * A line that is longer is matched in parts of this length from its beginning, each as a line of its own: what lies across two of them isn't found.
 */
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
  /** The beginning of a line whose end hasn't come. */
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  /** Behind the last byte that came. */
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
    if (this.#offset !== offset) this.end();
    this.#offset = offset;
    for (let from = 0; from < chunk.length; from += longestLine)
      this.#pushPart(chunk.subarray(from, from + longestLine));
  }

  /** What is held is a line, too. */
  end(): void {
    const line = this.#held.subarray(0, this.#heldBytes);
    this.#heldBytes = 0;
    if (line.length > 0) this.#search(line, this.#offset - line.length);
  }

  #pushPart(part: Buffer): void {
    const first = this.#heldBytes === 0 ? 0 : part.indexOf(lineEnd) + 1;
    const cut = part.lastIndexOf(lineEnd) + 1;
    const begin = this.#offset;
    if (first > 0) {
      this.#hold(part.subarray(0, first));
      this.end();
    }
    if (cut > first) this.#search(part.subarray(first, cut), begin + first);
    this.#offset = begin + cut;
    this.#hold(part.subarray(cut));
  }

  /** Adds to the line that is held; what makes it too long comes as a part. A LF makes none too long. */
  #hold(bytes: Buffer): void {
    let from = 0;
    const length = bytes.at(-1) === lineEnd ? bytes.length - 1 : bytes.length;
    while (this.#heldBytes + length - from > longestLine) {
      const to = from + longestLine - this.#heldBytes;
      this.#append(bytes.subarray(from, to));
      this.end();
      from = to;
    }
    this.#append(bytes.subarray(from));
  }

  #append(bytes: Buffer): void {
    const length = this.#heldBytes + bytes.length;
    if (length > this.#held.length) {
      const held = Buffer.allocUnsafeSlow(Math.min(Math.max(length, 2 * this.#held.length), longestLine + 1));
      this.#held.copy(held, 0, 0, this.#heldBytes);
      this.#held = held;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = length;
    this.#offset += bytes.length;
  }

  #search(block: Buffer, offset: number): void {
    let at = 0;
    for (const hit of this.#find(block)) {
      if (hit.from > at) this.#take(block, { from: at, to: hit.from }, offset, this.#invert);
      this.#take(block, hit, offset, !this.#invert);
      at = hit.to;
    }
    if (at < block.length) this.#take(block, { from: at, to: block.length }, offset, this.#invert);
  }

  #take(block: Buffer, range: Range, offset: number, isMatch: boolean): void {
    if (isMatch) this.#putMatches(block, range, offset);
    else if (this.#context > 0) this.#passOver(block, range, offset);
  }

  #putMatches(block: Buffer, range: Range, offset: number): void {
    let gap = this.#hasPut && this.#leftOut;
    for (const each of this.#before) {
      this.#put(each.line, { offset: each.offset, kind: 'context', gap });
      gap = false;
    }
    for (const { from, to } of linesIn(block, range)) {
      this.#put(block.subarray(from, to), { offset: offset + from, kind: 'match', gap });
      gap = false;
    }
    this.#before = [];
    this.#after = this.#context;
    this.#hasPut = true;
    this.#leftOut = false;
  }

  /** Of lines that don't match the first are context of what was before, the last of what may come. Those between are not looked at. */
  #passOver(block: Buffer, { from, to }: Range, offset: number): void {
    let at = from;
    for (; this.#after > 0 && at < to; this.#after--) {
      const end = block.indexOf(lineEnd, at) + 1 || to;
      this.#put(block.subarray(at, end), { offset: offset + at, kind: 'context', gap: false });
      at = end;
    }
    let begin = to;
    for (let count = 0; begin > at && count < this.#context; count++) begin = startOfLine(block, begin - 1);
    if (begin > at) {
      this.#before = [];
      this.#leftOut = true;
    }
    for (const line of linesIn(block, { from: begin, to }))
      this.#before.push({ line: Buffer.from(block.subarray(line.from, line.to)), offset: offset + line.from });
    const tooMany = this.#before.length - this.#context;
    if (tooMany <= 0) return;
    this.#before.splice(0, tooMany);
    this.#leftOut = true;
  }
}

/** Where the line begins that has a byte, which may be its LF. */
const startOfLine = (block: Buffer, at: number): number => (at === 0 ? 0 : block.lastIndexOf(lineEnd, at - 1) + 1);

function* linesIn(block: Buffer, { from, to }: Range): Generator<Range> {
  for (let at = from; at < to; ) {
    const end = block.indexOf(lineEnd, at) + 1 || to;
    yield { from: at, to: end };
    at = end;
  }
}

function finder(pattern: string, ignoreCase: boolean): FindLines {
  // U+FFFD stands for any bytes that are no UTF-8.
  const isLiteral = !/[\\^$.*+?()[\]{}|\n\uFFFD]/.test(pattern);
  if (isLiteral && !ignoreCase) return pattern === '' ? allLines : literalFinder(Buffer.from(pattern));
  const { regex, isUnicode } = compile(pattern, ignoreCase ? 'is' : 's');
  const matches: Matches = (block, { from, to }) => regex.test(decode(block, from, to));
  const rough = roughFinder(pattern, { ignoreCase, isUnicode, matches });
  if (rough === null) return (block) => lineByLine(block, matches);
  return inParts(rough.literal === '' ? rough.find : literalFirst(Buffer.from(rough.literal), rough.find, matches));
}

/** Whether a line matches, which is given without its LF. */
type Matches = (block: Buffer, line: Range) => boolean;

/** Bytes that are no UTF-8 are U+FFFD: what is around them is matched as the text that it is. */
const decode = (block: Buffer, from: number, to: number): string => block.toString('utf8', from, to);

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

interface Compiled {
  readonly regex: RegExp;
  /** Its characters are code points. */
  readonly isUnicode: boolean;
}

/** What speaks of characters beyond ASCII means whole ones: without the flag `[🔥💥]` matches half of every emoji. */
function compile(pattern: string, flags: string): Compiled {
  if (!isAscii(Buffer.from(pattern)) || /\\[pPu]/.test(pattern)) {
    try {
      return { regex: compiled(pattern, `${flags}u`), isUnicode: true };
    } catch {
      // With that flag JavaScript refuses more, such as `\-`.
    }
  }
  try {
    return { regex: compiled(pattern, flags), isUnicode: false };
  } catch (error) {
    throw new SteadError(
      'OPTION_INVALID',
      `--grep ${JSON.stringify(pattern)} is no pattern: ${(error as Error).message}`,
      {
        hint: 'it is a regular expression of JavaScript’s; \\ before ( [ . * makes them plain',
      },
    );
  }
}

/** One that is too large is only found to be when it is used. */
function compiled(source: string, flags: string): RegExp {
  const regex = new RegExp(source, flags);
  regex.test('');
  return regex;
}

function literalFinder(needle: Buffer): FindLines {
  return function* (block) {
    for (let at = block.indexOf(needle); at >= 0; ) {
      const from = startOfLine(block, at);
      const to = block.indexOf(lineEnd, at + needle.length) + 1 || block.length;
      yield { from, to };
      at = to < block.length ? block.indexOf(needle, to) : -1;
    }
  };
}

const allLines: FindLines = (block) => linesIn(block, { from: 0, to: block.length });

const withoutEnd = (block: Buffer, { from, to }: Range): Range =>
  block[to - 1] === lineEnd ? { from, to: to - 1 } : { from, to };

function* lineByLine(block: Buffer, matches: Matches): Generator<Range> {
  for (const line of allLines(block)) if (matches(block, withoutEnd(block, line))) yield line;
}

/** Of a literal that more lines have than this, in a part of a block, it isn't known by then whether it helps. */
const mostCandidates = 8;

/** Only looks at lines with a literal that every match holds, unless there are many. */
const literalFirst = (literal: Buffer, find: FindLines, matches: Matches): FindLines => {
  const candidates = literalFinder(literal);
  return function* (block) {
    let count = 0;
    for (const line of candidates(block)) {
      count++;
      if (count > mostCandidates) {
        for (const { from, to } of find(block.subarray(line.from)))
          yield { from: line.from + from, to: line.from + to };
        return;
      }
      if (matches(block, withoutEnd(block, line))) yield line;
    }
  };
};

interface RoughOptions {
  readonly ignoreCase: boolean;
  readonly isUnicode: boolean;
  readonly matches: Matches;
}

/** Null for a pattern that `sketch` doesn't understand. */
function roughFinder(
  pattern: string,
  { ignoreCase, isUnicode, matches }: RoughOptions,
): { readonly find: FindLines; readonly literal: string } | null {
  const flags = ignoreCase ? 'gim' : 'gm';
  try {
    const [ascii, utf8] = [1, mostBytesOfChar].map((bytes) =>
      new Sketcher(pattern, { ignoreCase, isUnicode, bytes }).sketch(),
    );
    const { source, literal } = ascii!;
    const narrow = compiled(source, flags);
    const wide = utf8!.ways > mostWays ? null : compiled(utf8!.source, flags);
    const find: FindLines = (block) => {
      const rough = isAscii(block) ? narrow : wide;
      return rough === null ? lineByLine(block, matches) : hits(block, rough, (line) => matches(block, line));
    };
    return { find, literal: ignoreCase ? '' : literal };
  } catch {
    return null;
  }
}

function* hits(block: Buffer, rough: RegExp, matches: (line: Range) => boolean): Generator<Range> {
  const text = block.toString('latin1');
  rough.lastIndex = 0;
  for (let hit = rough.exec(text); hit !== null; hit = rough.exec(text)) {
    // Behind the last line's end there is no line.
    if (hit.index === block.length && block.at(-1) === lineEnd) break;
    const from = startOfLine(block, hit.index);
    const end = block.indexOf(lineEnd, hit.index);
    const to = end < 0 ? text.length : end;
    if (matches({ from, to })) yield { from, to: Math.min(to + 1, text.length) };
    rough.lastIndex = to + 1;
    if (to + 1 >= text.length) break;
  }
}

const mostBytesOfChar = 4;
/** With more, to try them all at every byte takes longer than to decode each line. */
const mostWays = 256;

/** A part of a pattern, or a whole one. */
interface Term {
  readonly source: string;
  /** What every match holds. */
  readonly literal: string;
  /** That is all it matches. */
  readonly isLiteral: boolean;
  /** It is one class of bytes, of which a character may have several. */
  readonly isClass: boolean;
  /** In how many ways it may match the same bytes, because characters have several. */
  readonly ways: number;
}

const term = (source: string): Term => ({ source, literal: '', isLiteral: false, isClass: false, ways: 1 });
const classTerm = (source: string): Term => ({ ...term(source), isClass: true });
const anyChar = classTerm('[^\\n]');
const beyondAscii = classTerm('[\\x80-\\xff]');
/** For what isn't worth to be understood. */
const anything = term('[^\\n]*');
const nothing = term('(?:)');

const tokenParts = [
  /\(\?(?:<?[=!]|:|<[A-Za-z_$][\w$]*>)/,
  /\[(?:\\.|[^\]\\])*\]/,
  /\\(?:x[\da-fA-F]{2}|u\{[\da-fA-F]+\}|u[\da-fA-F]{4}|[pP]\{[^}]*\}|k<[^>]*>|c[A-Za-z]|\d+|.)/,
  /./,
];
const tokenSource = tokenParts.map(({ source }) => source).join('|');
const quantifier = /([*+?]|\{(\d+)(,?)(\d*)\})(\??)/y;

/** Where a shorthand may be any character beyond ASCII, each of its bytes is one of those. None of them runs over a line's end. */
const shorthands: Readonly<Record<string, Term>> = {
  '.': anyChar,
  '\\d': term('\\d'),
  '\\D': classTerm('[^\\n\\d]'),
  '\\w': term('\\w'),
  '\\W': classTerm('[^\\n\\w]'),
  '\\s': classTerm('[\\t\\v\\f\\r \\x80-\\xff]'),
  '\\S': classTerm('[^\\t-\\r ]'),
  '^': term('^'),
  $: term('$'),
  '\\b': term('\\b'),
  '\\B': term('\\B'),
  '\\t': term('\\t'),
  '\\r': term('\\r'),
  '\\f': term('\\f'),
  '\\v': term('\\v'),
};
/** With these flags (iu) K and ſ are letters of ASCII as well, so that those are known no more. */
const foldedShorthands = new Set(['.', '^', '$', '\\t', '\\r', '\\f', '\\v', '\\d']);

/**
 * Makes of a pattern one for a block of bytes, as a latin1 string and with the flag m, that finds a match in every line that has one. A character beyond ASCII
 * is up to `bytes` bytes, so that a class takes so many; what looks around or back is left out. Throws for what it doesn't know.
 */
class Sketcher {
  readonly #pattern: string;
  readonly #token: RegExp;
  readonly #bytes: number;
  readonly #isUnicode: boolean;
  readonly #isFolded: boolean;
  #at = 0;

  constructor(
    pattern: string,
    { ignoreCase, isUnicode, bytes }: { ignoreCase: boolean; isUnicode: boolean; bytes: number },
  ) {
    this.#pattern = pattern;
    this.#token = new RegExp(tokenSource, isUnicode ? 'ysu' : 'ys');
    this.#bytes = bytes;
    this.#isUnicode = isUnicode;
    this.#isFolded = isUnicode && ignoreCase;
  }

  sketch(): Term {
    const whole = this.#alternatives();
    if (this.#at < this.#pattern.length) throw new Error('unbalanced');
    return whole;
  }

  #alternatives(): Term {
    const branches = [this.#sequence()];
    for (; this.#pattern[this.#at] === '|'; ) {
      this.#at++;
      branches.push(this.#sequence());
    }
    if (branches.length === 1) return branches[0]!;
    const ways = branches.reduce((sum, branch) => sum + branch.ways - 1, 1);
    return { ...term(branches.map(({ source }) => source).join('|')), ways };
  }

  #sequence(): Term {
    let source = '';
    let [longest, run] = ['', ''];
    let isLiteral = true;
    let ways = 1;
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern[this.#at]!)) {
      const next = this.#quantified(this.#term());
      source += next.source;
      run = next.isLiteral ? run + next.literal : '';
      isLiteral &&= next.isLiteral;
      ways *= next.ways;
      for (const literal of [run, next.literal]) if (literal.length > longest.length) longest = literal;
    }
    return { source, literal: longest, isLiteral, isClass: false, ways };
  }

  #quantified(one: Term): Term {
    quantifier.lastIndex = this.#at;
    const found = quantifier.exec(this.#pattern);
    if (found === null)
      return one.isClass && this.#bytes > 1 ? { ...term(`${one.source}{1,${this.#bytes}}`), ways: this.#bytes } : one;
    this.#at = quantifier.lastIndex;
    if (one === anything || one === nothing) return one;
    const { least, most } = countsOf(found);
    const times = one.isClass ? `{${least},${most === Infinity ? '' : most * this.#bytes}}${found[5]}` : found[0];
    return {
      ...term(one.source + times),
      literal: least > 0 ? one.literal : '',
      ways: one.isClass
        ? most === Infinity
          ? 1
          : most * (this.#bytes - 1) + 1
        : one.ways === 1
          ? 1
          : one.ways ** most,
    };
  }

  #term(): Term {
    this.#token.lastIndex = this.#at;
    const token = this.#token.exec(this.#pattern)![0];
    this.#at += token.length;
    if (token.startsWith('(')) return this.#group(token);
    if (token.startsWith('[') && token.length > 1) return this.#class(token);
    const shorthand = Object.hasOwn(shorthands, token) ? shorthands[token]! : null;
    if (shorthand !== null) return this.#isFolded && !foldedShorthands.has(token) ? foldedOf(token) : shorthand;
    if (!token.startsWith('\\')) return this.#char(token);
    return /^\\[^\w]$/su.test(token) ? this.#char(token.slice(1)) : anything;
  }

  #group(token: string): Term {
    if (token === '(' && this.#pattern[this.#at] === '?') throw new Error('unknown group');
    const inside = this.#alternatives();
    this.#at++;
    if (/[=!]$/.test(token)) return nothing;
    return { ...inside, source: `(?:${inside.source})` };
  }

  #class(token: string): Term {
    const isKnown =
      !this.#isFolded &&
      isAscii(Buffer.from(token)) &&
      !token.includes('-\\s') &&
      /^\[(?:\\[swdtrfvn\W]|[^\\])*\]$/.test(token);
    if (!isKnown) return anyChar;
    // A range, because a - after it begins none.
    if (token.startsWith('[^')) return classTerm(`[^\\n-\\n${withSpaces(token.slice(2), ' \\t-\\r')}`);
    const body = withSpaces(token, '\\t\\v\\f\\r \\x80-\\xff');
    return body === token ? term(token) : classTerm(body);
  }

  #char(char: string): Term {
    const isPlain = char.charCodeAt(0) < 0x80;
    if (char === '\n' || char === '\uFFFD' || (!isPlain && !this.#isUnicode)) return anyChar;
    if (this.#isFolded && /[ks\u212a\u017f]/i.test(char)) return anyChar;
    if (this.#isFolded && !isPlain) return beyondAscii;
    const source = isPlain ? char.replace(/[\\^$.*+?()[\]{}|]/, '\\$&') : `(?:${inHex(char)})`;
    return { ...term(source), literal: char, isLiteral: true };
  }
}

/** A shorthand where K and ſ are letters. */
const foldedOf = (token: string): Term => (/[bB]$/.test(token) ? nothing : anyChar);

function countsOf([, kind, least, comma, most]: readonly (string | undefined)[]): {
  readonly least: number;
  readonly most: number;
} {
  if (least === undefined) return { least: kind === '+' ? 1 : 0, most: kind === '?' ? 1 : Infinity };
  if (comma === '') return { least: Number(least), most: Number(least) };
  return { least: Number(least), most: most === '' ? Infinity : Number(most) };
}

const withSpaces = (body: string, spaces: string): string =>
  body.replace(/\\./gs, (part) => (part === '\\s' ? spaces : part));

const inHex = (char: string): string => Buffer.from(char).toString('hex').replace(/../g, '\\x$&');

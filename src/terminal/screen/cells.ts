/** How xterm.js stores a cell: three words (content, foreground, background), and beside them strings of more than one character and extended attributes. */
import type { CoreAttributes, CoreBuffer, CoreLine } from './internals.ts';

export const wordsPerCell = 3;
const contentMask = 0x3fffff;
const codePointMask = 0x1fffff;
const combinedFlag = 0x200000;
const widthShift = 22;
const widthMask = 0xc00000;

/** Of foreground and background alike: none, 16 colours, 256, RGB. */
export const colourModeMask = 0x3000000;
export const colourMask = 0x3ffffff;
export const colour16 = 0x1000000;
export const colour256 = 0x2000000;

export const inverse = 0x4000000;
export const bold = 0x8000000;
export const underline = 0x10000000;
export const blink = 0x20000000;
export const invisible = 0x40000000;
export const strike = 0x80000000;

export const italic = 0x4000000;
export const dim = 0x8000000;
export const extendedFlag = 0x10000000;
export const protectedFlag = 0x20000000;
export const overline = 0x40000000;

/** How something is drawn: words as xterm.js has them, without the flag that there are extended attributes, and without what is left of colours before. */
export interface Style {
  readonly fg: number;
  readonly bg: number;
  /** 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed. */
  readonly underlineStyle: number;
  /** As a foreground's colour; 0 is that of the text. */
  readonly underlineColour: number;
  /** Of the table of links; 0 for none. */
  readonly link: number;
}

export const plain: Style = { fg: 0, bg: 0, underlineStyle: 0, underlineColour: 0, link: 0 };

const noExtended = { _ext: 0, _urlId: 0 };

/** Only RGB fills all 24 bits. */
function withoutOldColour(word: number): number {
  return ((word & colourModeMask) === colourModeMask ? word : word & ~0xffff00) >>> 0;
}

export function styleOf({ fg, bg, extended }: CoreAttributes): Style {
  const withExtended = (bg & extendedFlag) !== 0;
  const style = withExtended ? (extended._ext >>> 26) & 7 : 0;
  return {
    fg: withoutOldColour(fg),
    bg: withoutOldColour(bg & ~extendedFlag),
    underlineStyle: fg & underline ? style || 1 : 0,
    underlineColour: extended._ext & colourMask,
    link: withExtended ? extended._urlId : 0,
  };
}

/** A line as far as it is shown: xterm.js lets those of the alternate screen be longer than that is wide. */
export class Row {
  readonly isWrapped: boolean;
  readonly length: number;
  readonly #line: CoreLine;
  /** Most cells look as the one before. */
  #last = { fg: 0, bg: 0, style: plain };

  constructor(line: CoreLine, cols: number) {
    this.#line = line;
    this.length = Math.min(cols, line.length);
    this.isWrapped = line.isWrapped;
  }

  style(column: number): Style {
    const fg = this.#line._data[column * wordsPerCell + 1]!;
    const bg = this.#line._data[column * wordsPerCell + 2]!;
    const extended = bg & extendedFlag ? this.#line._extendedAttrs[column] : undefined;
    if (extended) return styleOf({ fg, bg, extended });
    if (fg !== this.#last.fg || bg !== this.#last.bg)
      this.#last = { fg, bg, style: styleOf({ fg, bg: bg & ~extendedFlag, extended: noExtended }) };
    return this.#last.style;
  }

  /** A cell's characters; '' for one that nothing was written to, and for the second half of a wide one. */
  text(column: number): string {
    if (this.isEmpty(column)) return '';
    const content = this.#line._data[column * wordsPerCell]!;
    if (content & combinedFlag) return this.#line._combined[column] ?? '';
    return String.fromCodePoint(content & codePointMask);
  }

  /** Columns: 1, 2, or 0 for the second half of a wide one and for a combining character alone. */
  width(column: number): number {
    return this.#isCut(column) ? 1 : this.#width(column);
  }

  isEmpty(column: number): boolean {
    return (this.#line._data[column * wordsPerCell]! & contentMask) === 0 || this.#isCut(column);
  }

  /** The second half of a wide character. */
  isHalf(column: number): boolean {
    return (
      (this.#line._data[column * wordsPerCell]! & (contentMask | widthMask)) === 0 && this.#width(column - 1) === 2
    );
  }

  /** Half of a wide character that was cut through when the terminal became narrower. */
  #isCut(column: number): boolean {
    return this.#width(column) === 2 && (column === this.length - 1 || !this.isHalf(column + 1));
  }

  #width(column: number): number {
    return column < 0 ? 1 : this.#line._data[column * wordsPerCell]! >>> widthShift;
  }
}

/** Undefined where the buffer has no such line. */
export function rowOf(buffer: CoreBuffer, index: number, cols: number): Row | undefined {
  const line = buffer.lines.get(index);
  return line && new Row(line, cols);
}

/** Whether an empty cell can be told from one of a cleared screen. */
export function isDecorated(style: Style): boolean {
  return hasMarks(style) || (style.bg & colourModeMask) !== 0;
}

/** Whether something is drawn also where there is no character. */
export function hasMarks(style: Style): boolean {
  return (style.fg & (inverse | underline | strike)) !== 0 || (style.bg & overline) !== 0;
}

/** Writes text with attributes as escape sequences, and only what changes. */
import {
  blink,
  bold,
  colour16,
  colour256,
  colourMask,
  colourModeMask,
  dim,
  inverse,
  invisible,
  italic,
  overline,
  plain,
  protectedFlag,
  type Style,
  strike,
} from './cells.ts';
import type { LinkData } from './internals.ts';

const fgFlags: readonly (readonly [number, string])[] = [
  [bold, ';1'],
  [blink, ';5'],
  [inverse, ';7'],
  [invisible, ';8'],
  [strike, ';9'],
];
const bgFlags: readonly (readonly [number, string])[] = [
  [dim, ';2'],
  [italic, ';3'],
  [overline, ';53'],
];

export class Pen {
  readonly #linkData: (id: number) => LinkData | undefined;
  #out: string[] = [];
  #style: Style = plain;

  constructor(linkData: (id: number) => LinkData | undefined) {
    this.#linkData = linkData;
  }

  get style(): Style {
    return this.#style;
  }

  write(text: string): void {
    this.#out.push(text);
  }

  /** From now on what is written looks so. */
  use(style: Style): void {
    const now = this.#style;
    if (style === now) return;
    if (!sameLook(style, now)) this.#out.push(`\x1b[0${sgr(style)}m`);
    // xterm.js lets SGR 0 end the protection, others do not.
    if (style.bg & protectedFlag) this.#out.push('\x1b[1"q');
    else if (now.bg & protectedFlag) this.#out.push('\x1b[0"q');
    if (style.link !== now.link) this.#out.push(this.#link(style.link));
    this.#style = style;
  }

  #link(id: number): string {
    const data = id === 0 ? undefined : this.#linkData(id);
    if (!data) return '\x1b]8;;\x1b\\';
    return `\x1b]8;${data.id === undefined ? '' : `id=${data.id}`};${data.uri}\x1b\\`;
  }

  /** All that was written since the last time. */
  take(): string {
    const text = this.#out.join('');
    this.#out = [];
    return text;
  }
}

export function sameLook(a: Style, b: Style): boolean {
  return (
    a.fg === b.fg && a.bg === b.bg && a.underlineStyle === b.underlineStyle && a.underlineColour === b.underlineColour
  );
}

/** Parameters of SGR after a 0, each with its semicolon; '' for plain. */
function sgr(style: Style): string {
  let text = '';
  for (const [flag, parameter] of fgFlags) if (style.fg & flag) text += parameter;
  for (const [flag, parameter] of bgFlags) if (style.bg & flag) text += parameter;
  if (style.underlineStyle === 1) text += ';4';
  else if (style.underlineStyle > 1) text += `;4:${style.underlineStyle}`;
  return text + colour(style.fg, 30) + colour(style.bg, 40) + underlineColour(style.underlineColour);
}

/** `base` 30 or 40. */
function colour(word: number, base: number): string {
  const value = word & 0xffffff;
  switch (word & colourModeMask) {
    case 0:
      return '';
    case colour16:
      return `;${(value & 8 ? base + 60 : base) + (value & 7)}`;
    case colour256:
      return `;${base + 8};5;${value & 255}`;
    default:
      return `;${base + 8};2;${(value >>> 16) & 255};${(value >>> 8) & 255};${value & 255}`;
  }
}

/** xterm.js has white for "as the text" once that was asked for (SGR 59). */
function underlineColour(word: number): string {
  if (word === 0) return '';
  if (word === colourMask) return ';59';
  const value = word & 0xffffff;
  if ((word & colourModeMask) === colour256) return `;58:5:${value & 255}`;
  return `;58:2::${(value >>> 16) & 255}:${(value >>> 8) & 255}:${value & 255}`;
}

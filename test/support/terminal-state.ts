/** xterm.js as a user's terminal would be, and all that it knows, so that two can be compared. */
import { hasMarks, isDecorated, plain, type Row, rowOf, type Style, styleOf } from '../../src/terminal/screen/cells.ts';
import { guard } from '../../src/terminal/screen/guards.ts';
import type { Core, CoreBuffer } from '../../src/terminal/screen/internals.ts';
import { Links } from '../../src/terminal/screen/links.ts';
import { createTerminal } from '../../src/terminal/screen/xterm.ts';

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/** With what guards.ts and links.ts mend in it. What it answers is in `answers`. */
export class BareTerminal {
  readonly core: Core;
  readonly #terminal: { resize(cols: number, rows: number): void };
  readonly answers: string[] = [];
  title = '';

  constructor({ cols, rows }: Size, scrollback = 100) {
    const { terminal, core } = createTerminal({ cols, rows, scrollback });
    terminal.onData((text) => this.answers.push(text));
    terminal.onTitleChange((title) => {
      this.title = title;
    });
    this.#terminal = terminal;
    this.core = core;
    guard(core);
    new Links(core);
  }

  resize({ cols, rows }: Size): void {
    this.#terminal.resize(cols, rows);
  }

  /** At once; characters must be whole. */
  parse(bytes: Uint8Array): void {
    this.core._inputHandler.parse(bytes);
  }
}

/** Lines as text that can be read in a failure: one string a cell run. */
export function stateOf(core: Core): Record<string, unknown> {
  const { normal, alt, active } = core.buffers;
  const { convertEol } = core.options;
  const { insertMode } = core.coreService.modes;
  return {
    screen: active === alt ? 'alternate' : 'normal',
    normal: bufferState(core, normal, active === alt),
    ...(active === alt ? { alternate: bufferState(core, alt, false) } : {}),
    charsets: charsetState(core),
    attributes: styleText(core, styleOf(core._inputHandler._curAttrData)),
    modes: { ...core.coreService.decPrivateModes, synchronizedOutput: false, insertMode, convertEol },
    hidden: core.coreService.isCursorHidden,
    mouse: `${core.coreMouseService.activeProtocol} ${core.coreMouseService.activeEncoding}`,
    parser: core._inputHandler._parser.currentState,
    joins: core._inputHandler._parser.precedingJoinState !== 0,
  };
}

/** `isBelow`: the alternate screen is shown, and this one's cursor will be that of the other. */
function bufferState(core: Core, buffer: CoreBuffer, isBelow: boolean): Record<string, unknown> {
  // A smaller alternate screen has history in xterm.js, and nowhere else.
  const first = buffer === core.buffers.alt ? buffer.ybase : 0;
  const lines: string[] = [];
  for (let row = first; row < buffer.ybase + core.rows; row += 1)
    lines.push(lineText(core, rowOf(buffer, row, core.cols), row === first));
  return {
    lines,
    history: buffer.ybase - first,
    cursor: isBelow ? null : [buffer.y, buffer.x],
    margins: [buffer.scrollTop, buffer.scrollBottom],
    tabs: Object.keys(buffer.tabs).filter((column) => Number(column) < core.cols && buffer.tabs[Number(column)]),
    saved: [
      Math.min(buffer.savedX, core.cols - 1),
      Math.max(0, Math.min(buffer.savedY, core.rows - 1)),
      styleText(core, { ...styleOf(buffer.savedCurAttrData), link: 0, underlineStyle: 0, underlineColour: 0 }),
      JSON.stringify(buffer.savedCharset),
    ],
  };
}

function charsetState(core: Core): unknown {
  const { charset, glevel, _charsets } = core._charsetService;
  return JSON.stringify([charset, glevel, [0, 1, 2, 3].map((at) => _charsets[at] ?? null)]);
}

/** Whether the first line goes on from one that is gone says nothing. */
function lineText(core: Core, line: Row | undefined, isFirst: boolean): string {
  if (!line) return '(none)';
  let text = isFirst || !line.isWrapped ? '' : '↳';
  let before = '';
  for (let column = 0; column < line.length; column += 1) {
    const look = styleText(core, lookOf(line, column));
    if (look !== before) text += `{${look}}`;
    before = look;
    text += shown(line, column);
  }
  return text;
}

/** An empty cell shows no colour of text that it may have. */
function lookOf(line: Row, column: number): Style {
  const style = line.style(column);
  return line.isEmpty(column) && !isDecorated(style) ? plain : style;
}

/** An empty cell that is underlined or the like can only be drawn as a blank. Blanks in the last column look alike, and a snapshot has to print one there where the next character belongs to the next line. */
function shown(line: Row, column: number): string {
  const text = line.text(column);
  if (line.isHalf(column)) return '_';
  if (line.isEmpty(column)) return hasMarks(line.style(column)) && column < line.length - 1 ? ' ' : '·';
  return text === ' ' && column === line.length - 1 ? '·' : text;
}

function styleText(core: Core, style: Style): string {
  const link = core._oscLinkService.getLinkData(style.link)?.uri ?? '';
  const words = [style.fg, style.bg, style.underlineStyle, style.underlineColour].map((word) => word.toString(16));
  const text = `${words.join(' ')} ${link}`.trim();
  return text === '0 0 0 0' ? '' : text;
}

/**
 * Everything that a terminal shows and knows, as bytes for another of the same size, which may have been used: history first, then the screen, the modes, the
 * cursor, and at the end the bytes of what has begun and is not over. They are shown at once (synchronized output), and ask no question.
 *
 * Nothing above the screen of the other terminal is touched, nor anything that no program here has set (colours, keyboard protocols).
 */
import { plain, rowOf, type Style, styleOf } from './cells.ts';
import type { Charset, Core, CoreBuffer } from './internals.ts';
import type { Links } from './links.ts';
import type { ModeTracker } from './mode-tracker.ts';
import { Pen, sameLook } from './pen.ts';
import { drawRows } from './rows.ts';

const csi = '\x1b[';

export interface SnapshotSource {
  readonly core: Core;
  readonly tracker: ModeTracker;
  readonly links: Links;
  /** '0' for a character set of line drawing, 'B' for plain ASCII, … */
  readonly charsetName: (charset: Charset) => string;
}

export interface SnapshotOptions {
  /** Lines of history, at most. */
  readonly scrollback: number;
  /** False for a terminal of another width: lines are broken where they are here. Default true. */
  readonly wraps?: boolean;
}

/**
 * CAN ends what the terminal is in the midst of. The alternate screen is left, all modes are as after a reset, character sets, margins and attributes, too.
 * The screen is cleared from its first line on, as many terminals push a screen into their history when asked to clear all of it.
 */
const reset = [
  `\x18${csi}?2026h${csi}?1049l${csi}!p`,
  `${csi}?1;6;9;45;66;1000;1002;1003;1004;1006;1016;2004l${csi}?7h${csi}?25h${csi}4;20l\x1b>`,
  `${csi}r\x1b(B\x1b)B\x1b*B\x1b+B\x0f${csi}0 q${csi}0"q\x1b]8;;\x1b\\${csi}0m${csi}H${csi}J`,
].join('');

export function snapshotText(source: SnapshotSource, options: SnapshotOptions): string {
  const { core, tracker } = source;
  const pen = new Pen(source.links.data);
  const { normal, alt, active } = core.buffers;
  pen.write(reset);
  drawBuffer(pen, core, normal, options);
  pen.write(tracker.keyboard.normal.restore());
  if (active === alt) {
    settings(pen, source, normal);
    pen.write(`${csi}?1049h`);
    resetScreen(pen);
    drawBuffer(pen, core, alt, { ...options, scrollback: 0 });
    pen.write(tracker.keyboard.alternate.restore());
  }
  settings(pen, source, active);
  pen.write('\x1b7');
  charsets(pen, source, active);
  pen.write(tracker.restore() + modes(core));
  cursor(pen, core, active);
  return pen.take();
}

function resetScreen(pen: Pen): void {
  pen.use(plain);
  pen.write(`\x1b(B\x0f${csi}r${csi}H${csi}J`);
}

/** Within margins, so that history runs into history also in a terminal that is higher. */
function drawBuffer(pen: Pen, core: Core, buffer: CoreBuffer, options: SnapshotOptions): void {
  if (core.rows > 1) pen.write(`${csi}1;${core.rows}r`);
  const first = Math.max(0, buffer.ybase - Math.max(0, options.scrollback));
  drawRows(pen, buffer, { first, end: buffer.ybase + core.rows, cols: core.cols, wraps: options.wraps ?? true });
}

/** What each screen has of its own, and the cursor, attributes and character set that ESC 7 (and 1049) is to save. */
function settings(pen: Pen, { core, charsetName }: SnapshotSource, buffer: CoreBuffer): void {
  pen.write(`${csi}3g`);
  for (let column = 0; column < core.cols; column += 1) if (buffer.tabs[column]) pen.write(`${csi}${column + 1}G\x1bH`);
  pen.write(margins(core, buffer));
  pen.write(`${csi}${clamp(buffer.savedY, core.rows) + 1};${clamp(buffer.savedX, core.cols) + 1}H`);
  pen.use({ ...styleOf(buffer.savedCurAttrData), link: 0, underlineColour: 0 });
  pen.write(`\x1b(${charsetName(buffer.savedCharset)}`);
}

function clamp(value: number, end: number): number {
  return Math.max(0, Math.min(value, end - 1));
}

function margins(core: Core, { scrollTop, scrollBottom }: CoreBuffer): string {
  const isWhole = scrollTop === 0 && scrollBottom === core.rows - 1;
  return isWhole ? `${csi}r` : `${csi}${scrollTop + 1};${scrollBottom + 1}r`;
}

/** G0 to G3 and which is in use. After ESC 8 that may be one which is none of them. */
function charsets(pen: Pen, { core, charsetName }: SnapshotSource, buffer: CoreBuffer): void {
  const { charset, glevel, _charsets: sets } = core._charsetService;
  for (const [at, into] of ['(', ')', '*', '+'].entries()) pen.write(`\x1b${into}${charsetName(sets[at])}`);
  pen.write(['\x0f', '\x0e', '\x1bn', '\x1bo'][glevel] ?? '\x0f');
  if (charset !== sets[glevel] && charset === buffer.savedCharset) pen.write('\x1b8');
}

function modes({ coreService, options }: Core): string {
  const { decPrivateModes: dec, modes: ansi, isCursorHidden } = coreService;
  const set = [
    [dec.applicationCursorKeys, '?1h'],
    [dec.applicationKeypad, '?66h'],
    [dec.bracketedPasteMode, '?2004h'],
    [dec.sendFocus, '?1004h'],
    [dec.reverseWraparound, '?45h'],
    [!dec.wraparound, '?7l'],
    [isCursorHidden, '?25l'],
    [options.convertEol, '20h'],
    [ansi.insertMode, '4h'],
    [dec.origin, '?6h'],
    [dec.cursorStyle !== undefined, `${cursorStyle(dec)} q`],
  ] as const;
  const text = set.map(([isSet, sequence]) => (isSet ? csi + sequence : '')).join('');
  return dec.applicationKeypad ? `\x1b=${text}` : text;
}

function cursorStyle(dec: { cursorStyle: string | undefined; cursorBlink: boolean | undefined }): number {
  const steady = { block: 2, underline: 4, bar: 6 }[dec.cursorStyle ?? 'block'] ?? 2;
  return dec.cursorBlink ? steady - 1 : steady;
}

/**
 * Where the cursor is, and what is behind it. Whether the next character goes to the next line, and whether a combining one finds what to join, depends on
 * what was printed last: so that is printed once more where it is.
 */
function cursor(pen: Pen, core: Core, buffer: CoreBuffer): void {
  const style = styleOf(core._inputHandler._curAttrData);
  const printed = lastPrinted(core, buffer);
  const top = core.coreService.decPrivateModes.origin ? buffer.scrollTop : 0;
  const place = (column: number) => `${csi}${Math.max(0, buffer.y - top) + 1};${column + 1}H`;
  if (printed === null) {
    pen.use(style);
    pen.write(`${place(Math.min(buffer.x, core.cols - 1))}${csi}?2026l`);
    return;
  }
  const canBeLast = core._inputHandler._parser.precedingJoinState !== 0 && looksSame(printed.style, style);
  pen.use(canBeLast ? style : printed.style);
  pen.write(`${place(printed.column)}${canBeLast ? `${csi}?2026l` : ''}`);
  if (core.coreService.modes.insertMode) pen.write(`${csi}${buffer.x - printed.column}P`);
  pen.write(printed.text);
  if (!canBeLast) {
    pen.use(style);
    pen.write(`${csi}?2026l`);
  }
}

function looksSame(a: Style, b: Style): boolean {
  const underlineColour = a.underlineStyle === 0 ? b.underlineColour : a.underlineColour;
  return sameLook({ ...a, underlineColour }, b) && a.link === b.link;
}

/** The cell before the cursor, if it matters what was printed there. */
function lastPrinted(core: Core, buffer: CoreBuffer): { column: number; text: string; style: Style } | null {
  const isAtEdge = buffer.x >= core.cols;
  const row = rowOf(buffer, buffer.ybase + buffer.y, core.cols);
  if (!row || buffer.x === 0 || (!isAtEdge && core._inputHandler._parser.precedingJoinState === 0)) return null;
  let column = buffer.x - 1;
  if (column > 0 && row.isHalf(column)) column -= 1;
  if (!isAtEdge && row.isEmpty(column)) return null;
  return { column, text: row.text(column) || ' ', style: row.style(column) };
}

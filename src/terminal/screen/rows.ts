/**
 * Lines of a buffer as what draws them into cleared lines of another terminal. Every line but the last is followed by what leads to the next: a line feed, or
 * for a line that goes on in the next, text that runs over the edge, so that the other terminal knows it, too (for selecting, and when its width changes).
 */
import { colourModeMask, isDecorated, plain, type Row, rowOf, type Style } from './cells.ts';
import type { CoreBuffer } from './internals.ts';
import type { Pen } from './pen.ts';

const esc = '\x1b[';
/** From here on terminals disagree about widths. */
const firstUncertain = 0x2300;

export interface RowRange {
  /** Of the buffer's lines. */
  readonly first: number;
  readonly end: number;
  readonly cols: number;
  /** False: lines that go on in the next end nevertheless. */
  readonly wraps: boolean;
}

export function drawRows(pen: Pen, buffer: CoreBuffer, range: RowRange): void {
  for (let at = range.first; at < range.end; at += 1) {
    const line = rowOf(buffer, at, range.cols);
    const next = at + 1 < range.end ? rowOf(buffer, at + 1, range.cols) : undefined;
    const goesOn = range.wraps && next?.isWrapped === true;
    if (line && goesOn) drawAndWrap(pen, line, next);
    else if (line) drawLine(pen, line, line.length);
    if (at + 1 < range.end && !(line && goesOn)) newLine(pen);
  }
  blank(pen);
}

/** New lines take the background that is set. */
function blank(pen: Pen): void {
  pen.use(plain);
}

function newLine(pen: Pen): void {
  blank(pen);
  pen.write('\r\n');
}

/** From its first column, where the cursor is, up to `limit`; what is empty stays as it is. Returns where it ended. */
function drawLine(pen: Pen, line: Row, limit: number): number {
  const end = visibleEnd(line, limit);
  for (let column = 0; column < end; ) {
    if (line.isEmpty(column)) column = drawEmpty(pen, line, column, end);
    else column = drawCell(pen, line, column, end);
  }
  return end;
}

function drawCell(pen: Pen, line: Row, column: number, end: number): number {
  const text = line.text(column);
  const width = line.width(column);
  pen.use(line.style(column));
  pen.write(text);
  const next = column + Math.max(width, 1);
  if (next < end && !line.isEmpty(next) && needsPlace(line, next, text, width)) pen.write(`${esc}${next + 1}G`);
  return next;
}

/** Whether the cursor may be elsewhere than the next cell, or that would join this one. In the midst of uncertain text it is enough that its end says it. */
function needsPlace(line: Row, next: number, text: string, width: number): boolean {
  if (width === 0 || line.width(next) === 0) return true;
  return isUncertain(text) && !isUncertain(line.text(next));
}

function isUncertain(text: string): boolean {
  return text.length > 1 || text.charCodeAt(0) >= firstUncertain;
}

/** A run of empty cells that look alike. */
function drawEmpty(pen: Pen, line: Row, column: number, end: number): number {
  const style = line.style(column);
  let next = column + 1;
  while (next < end && line.isEmpty(next) && isSame(line.style(next), style)) next += 1;
  const isToEdge = next === line.length;
  if (isErased(style)) {
    pen.use({ ...style, link: 0 });
    pen.write(isToEdge ? `${esc}K` : `${esc}${next - column}X`);
  } else if (isDecorated(style)) {
    pen.use(style);
    pen.write(' '.repeat(next - column));
    return next;
  }
  if (!isToEdge) pen.write(`${esc}${next + 1}G`);
  return next;
}

/** Nothing but a background: what clearing leaves. */
function isErased(style: Style): boolean {
  return (style.bg & colourModeMask) !== 0 && style.fg === 0 && style.bg >>> 26 === 0;
}

function isSame(a: Style, b: Style): boolean {
  if (!isDecorated(a) && !isDecorated(b)) return true;
  return a.fg === b.fg && a.bg === b.bg && a.underlineStyle === b.underlineStyle && a.link === b.link;
}

/** Behind the last cell that shows anything. */
function visibleEnd(line: Row, limit: number): number {
  let end = limit;
  while (end > 0 && line.isEmpty(end - 1) && !line.isHalf(end - 1) && !isDecorated(line.style(end - 1))) end -= 1;
  return end;
}

function drawAndWrap(pen: Pen, line: Row, next: Row): void {
  const last = line.length - 1;
  if (isLeftByWide(line, next)) {
    if (drawLine(pen, line, last) < last) pen.write(`${esc}${last + 1}G`);
    return;
  }
  drawLine(pen, line, line.length);
  const isFull = !line.isEmpty(last) || line.isHalf(last);
  const runsOver = isFull && !next.isEmpty(0) && next.width(0) > 0;
  if (runsOver && !hasBackground(next.style(0))) return;
  blank(pen);
  if (!isFull) pen.write(`${esc}${line.length}G `);
  pen.write(' \r');
  if (!isFull) emptyAgain(pen, line, last);
  pen.write(`${esc}X`);
}

/** A wide character did not fit, and will not fit again. */
function isLeftByWide(line: Row, next: Row): boolean {
  const last = line.length - 1;
  if (!line.isEmpty(last) || line.isHalf(last) || next.width(0) !== 2) return false;
  const style = next.style(0);
  return !hasBackground(style) && isSame(line.style(last), style);
}

/** A line that scrolls in takes it. */
function hasBackground(style: Style): boolean {
  return (style.bg & colourModeMask) !== 0;
}

/** The last cell of the line above, where a character had to be for the line to run over. */
function emptyAgain(pen: Pen, line: Row, column: number): void {
  const style = line.style(column);
  pen.write(`${esc}A${esc}${column + 1}G`);
  if (isDecorated(style)) pen.use({ ...style, link: 0 });
  pen.write(isDecorated(style) && !isErased(style) ? ' ' : `${esc}X`);
  blank(pen);
  pen.write(`${esc}B\r`);
}

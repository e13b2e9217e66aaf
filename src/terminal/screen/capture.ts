/** What a screen shows, as text. */
import { isDecorated, plain, type Row, rowOf } from './cells.ts';
import type { Core } from './internals.ts';
import type { Links } from './links.ts';
import { Pen } from './pen.ts';

export interface CaptureOptions {
  /** With colours and attributes, as SGR sequences. */
  readonly ansi: boolean;
  /** The last so many lines, with history; null: the screen. */
  readonly lines: number | null;
}

/** Lines joined by \n; blanks at their ends and empty lines at the end are left out. */
export function captureText(core: Core, links: Links, { ansi, lines }: CaptureOptions): string {
  const buffer = core.buffers.active;
  const first = lines === null || buffer === core.buffers.alt ? buffer.ybase : 0;
  const rows: string[] = [];
  const pen = new Pen(links.data);
  let end = buffer.ybase + core.rows;
  while (end > first && isBlank(rowOf(buffer, end - 1, core.cols), ansi)) end -= 1;
  for (let row = Math.max(first, lines === null ? first : end - lines); row < end; row += 1) {
    const line = rowOf(buffer, row, core.cols);
    rows.push(line ? lineText(line, ansi ? pen : null) : '');
  }
  return rows.join('\n');
}

function isBlank(line: Row | undefined, ansi: boolean): boolean {
  return line === undefined || shownEnd(line, ansi) === 0;
}

function shownEnd(line: Row, ansi: boolean): number {
  let end = line.length;
  while (end > 0 && isBlankCell(line, end - 1, ansi)) end -= 1;
  return end;
}

function isBlankCell(line: Row, column: number, ansi: boolean): boolean {
  if (ansi && isDecorated(line.style(column))) return false;
  return line.isEmpty(column) ? !line.isHalf(column) : line.text(column) === ' ';
}

function lineText(line: Row, pen: Pen | null): string {
  const end = shownEnd(line, pen !== null);
  let text = '';
  for (let column = 0; column < end; column += line.width(column) || 1) {
    pen?.use(line.style(column));
    text += (pen?.take() ?? '') + (line.text(column) || ' ');
  }
  pen?.use(plain);
  return text + (pen?.take() ?? '');
}

/** Plain tables: columns two spaces apart, no box drawing. */
import type { Colour, Paint } from './colour.ts';

export interface Cell {
  readonly text: string;
  readonly colour?: Colour;
}

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** May be cut to this width where the table is wider than the terminal. */
  readonly least?: number;
}

export interface TableOptions {
  /** Undefined: as wide as it needs to be. */
  readonly width?: number | undefined;
  readonly paint: Paint;
}

/** Rows of cells as lines; the columns with a `least` give way, the widest first, where `width` is too little. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string[] {
  const widths = fit(columns, naturalWidths(columns, rows), options.width);
  const header = columns.map(({ title }) => ({ text: title, colour: 'bold' as const }));
  return [header, ...rows].map((cells) => renderLine(cells, { columns, widths, paint: options.paint }));
}

function naturalWidths(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map(({ title }, at) => Math.max(title.length, ...rows.map((cells) => cells[at]!.text.length)));
}

const gap = '  ';

function fit(columns: readonly Column[], natural: readonly number[], width = Infinity): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, w) => sum + w, gap.length * (widths.length - 1));
  while (total() > width) {
    const slack = widths.map((w, at) => w - (columns[at]!.least ?? w));
    const most = Math.max(...slack);
    if (most <= 0) break;
    widths[slack.indexOf(most)]! -= 1;
  }
  return widths;
}

interface LineOptions {
  readonly columns: readonly Column[];
  readonly widths: readonly number[];
  readonly paint: Paint;
}

function renderLine(cells: readonly Cell[], { columns, widths, paint }: LineOptions): string {
  const parts = cells.map(({ text, colour }, at) => {
    const shown = cut(text, widths[at]!);
    const padding = ' '.repeat(widths[at]! - shown.length);
    const painted = colour ? paint(shown, colour) : shown;
    return columns[at]!.align === 'right' ? padding + painted : painted + (at === cells.length - 1 ? '' : padding);
  });
  return parts.join(gap).trimEnd();
}

export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

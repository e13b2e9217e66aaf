/** `COLSxROWS`, as a terminal's size is written. */
import { SteadError } from '../protocol/errors.ts';

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** Beyond it no screen is, and memory would be. */
export const maxCells = 1000;

/** `80x24`: each of 1 to 1000. Throws OPTION_INVALID. */
export function parseTerminalSize(text: string, flag: string): TerminalSize {
  const [, cols, rows] = /^(\d{1,4})x(\d{1,4})$/.exec(text) ?? [];
  const size = { cols: Number(cols), rows: Number(rows) };
  const isRight = Object.values(size).every((cells) => cells >= 1 && cells <= maxCells);
  if (isRight) return size;
  throw new SteadError('OPTION_INVALID', `${flag} ${JSON.stringify(text)} is no size of a terminal.`, {
    hint: `columns x rows, each of 1 to ${maxCells}: ${flag} 80x24`,
  });
}

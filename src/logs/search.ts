/** What a search asks for, and what of its hits is the end of it. */
import type { Line } from './lines.ts';
import type { MergedLine } from './merge.ts';

export interface GrepChoice {
  readonly pattern: string;
  readonly ignoreCase: boolean;
  readonly invert: boolean;
  readonly context: number;
}

/** The last so many lines; of a search the last so many matches, with what is around them. */
export function lastOf(lines: MergedLine[], count: number): MergedLine[] {
  if (count === 0) return [];
  let missing = count;
  let at = lines.length;
  while (at > 0 && missing > 0) if (lines[--at]!.isContext !== true) missing--;
  while (at > 0 && lines[at - 1]!.isContext === true && lines[at - 1]!.bytes !== gapMark) at--;
  return at === 0 ? lines : lines.slice(at);
}

/** As grep has it, between lines that are not neighbours. */
export const gapMark = Buffer.from('--\n');
export const gapLine = (offset: number): Line => ({ offset, bytes: gapMark, isContext: true });

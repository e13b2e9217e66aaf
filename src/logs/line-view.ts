import { decodeBytes } from '../host/bytes.ts';
import { isoTime } from '../host/clock.ts';
import type { LogLineView } from '../protocol/api.ts';
import type { StreamName } from './layout.ts';
import type { Line } from './lines.ts';

/** Whose line it is. */
export interface LineOf {
  readonly name: string;
  readonly index: number;
  readonly stream: StreamName;
}

/** A line as the API has it. `came`: milliseconds since the epoch. */
export function lineView(
  { name, index, stream }: LineOf,
  { offset, bytes, isContext }: Line,
  came: number | null,
): LogLineView {
  const isWhole = bytes.at(-1) === 10;
  const line = decodeBytes(isWhole ? bytes.subarray(0, -1) : bytes);
  return {
    name,
    index,
    stream,
    time: came === null ? null : isoTime(came),
    offset,
    line,
    ...(!isWhole && { partial: true }),
    ...(isContext === true && { isContext }),
  };
}

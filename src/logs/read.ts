/**
 * Where lines begin in a log. It is searched in blocks, so that memory is a few of them, however long a line is.
 *
 * A line ends with LF; what follows the last LF is a line, too, if it isn't empty.
 */
import type { Log } from './log.ts';

/** Takes bytes, which are its own from then on; the next come when it resolves. */
export type Writer = (chunk: Uint8Array) => void | Promise<void>;

const searchBytes = 64 * 1024;
const lineEnd = 10;

/** The offset at which the last `count` lines of what lies between two offsets begin. */
export async function startOfLast(
  log: Log,
  count: number | 'all',
  { from = log.start, to = log.end } = {},
): Promise<number> {
  if (count === 'all') return from;
  if (count <= 0) return to;
  let missing = count;
  // The LF that ends the last line begins none.
  for (let end = to - 1; end > from; ) {
    const begin = Math.max(from, end - searchBytes);
    const parts: { readonly offset: number; readonly bytes: Buffer }[] = [];
    for await (const chunk of log.chunks(begin, end, searchBytes)) parts.push(chunk);
    for (const { offset, bytes } of parts.reverse()) {
      for (let at = bytes.length; at > 0; ) {
        at = bytes.lastIndexOf(lineEnd, at - 1);
        if (at < 0) break;
        missing--;
        if (missing === 0) return offset + at + 1;
      }
    }
    end = begin;
  }
  return from;
}

/** The first offset from `offset` on at which a line begins, `to` if there is none before. */
export async function startOfLine(log: Log, offset: number, to = log.end): Promise<number> {
  if (offset <= log.start) return log.start;
  for await (const { offset: begin, bytes } of log.chunks(offset - 1, to, searchBytes)) {
    const at = bytes.indexOf(lineEnd);
    if (at >= 0) return begin + at + 1;
  }
  return to;
}

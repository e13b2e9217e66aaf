/**
 * Reads the end of a log. The file is searched backwards in blocks for the line ends that count, then streamed from there: memory is a
 * few blocks, however long a line is. Bytes pass as they are.
 *
 * A line ends with LF; what follows the last LF is a line, too, if it isn't empty.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../host/files.ts';

/** Takes bytes, which are its own from then on; the next come when it resolves. */
export type Writer = (chunk: Uint8Array) => void | Promise<void>;

export interface Read {
  /** Where reading ended: follow on from here. */
  readonly to: number;
  /** Whether the last byte written was a line end, or nothing was written. */
  readonly endsLine: boolean;
}

const blockBytes = 64 * 1024;
const lineEnd = 10;

/**
 * Writes the last `count` lines of a file as it is now; a file that doesn't exist has none. What is appended meanwhile is left
 * for `followFiles`. Throws the system's error and what the writer throws.
 */
export async function lastLines(path: string, count: number | 'all', write: Writer): Promise<Read> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { to: 0, endsLine: true };
    throw error;
  }
  try {
    const { size } = await file.stat();
    const from = count === 'all' ? 0 : await startOfLast(file, size, count);
    return await copyRange(file, { from, to: size }, write);
  } finally {
    await file.close();
  }
}

/** The offset at which the last `count` lines before `size` begin. */
async function startOfLast(file: FileHandle, size: number, count: number): Promise<number> {
  if (!(count > 0)) return size;
  const block = Buffer.allocUnsafe(Math.min(blockBytes, size));
  let missing = count;
  // The LF that ends the last line begins none.
  let end = size - 1;
  while (end > 0) {
    const from = Math.max(0, end - block.length);
    const length = await readFully(file, block.subarray(0, end - from), from);
    for (let at = length; at > 0; ) {
      at = block.lastIndexOf(lineEnd, at - 1);
      if (at < 0) break;
      missing--;
      if (missing === 0) return from + at + 1;
    }
    end = from;
  }
  return 0;
}

/** Writes the bytes of a range; stops early where the file ends (it was truncated). */
export async function copyRange(
  file: FileHandle,
  { from, to }: { readonly from: number; readonly to: number },
  write: Writer,
): Promise<Read> {
  let at = from;
  let endsLine = true;
  while (at < to) {
    // A new block each time: the writer may still hold the last one.
    const block = Buffer.allocUnsafe(Math.min(blockBytes, to - at));
    const { bytesRead } = await file.read(block, 0, block.length, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    endsLine = block[bytesRead - 1] === lineEnd;
    await write(block.subarray(0, bytesRead));
  }
  return { to: at, endsLine };
}

async function readFully(file: FileHandle, into: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < into.length) {
    const { bytesRead } = await file.read(into, length, into.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

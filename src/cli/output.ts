/**
 * What a command prints. Synchronous writes to the fds: nothing is lost when the process ends, and Node's streams, whose loading costs
 * milliseconds, stay out of it.
 */
import { fstatSync, writeSync } from 'node:fs';

/** The reader of our output is gone (`| head`): no failure, but nothing more to do. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** A pipe that somebody made non-blocking is full: look again after so long. */
const fullPipePauseMs = 5;

/** Writes all of it. Throws OutputClosed on a closed pipe. */
export function write(fd: 1 | 2, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'EIO') throw new OutputClosed();
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fullPipePauseMs);
    }
  }
}

export const print = (text: string): void => write(1, `${text}\n`);
export const printJson = (value: unknown): void => write(1, `${JSON.stringify(value, null, isTerminal(1) ? 2 : 0)}\n`);

/** To stderr; a closed one is no reason to fail. */
export function say(text: string): void {
  try {
    write(2, `${text}\n`);
  } catch {}
}

/** Loaded for what may be a terminal alone: a pipe is told by its file type. */
const tty = (): typeof import('node:tty') => process.getBuiltinModule('node:tty');

export function isTerminal(fd: 0 | 1 | 2): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && tty().isatty(fd);
  } catch {
    return false;
  }
}

/** Columns of the terminal; undefined where there is none, and so no reason to cut. */
export function terminalColumns(): number | undefined {
  if (!isTerminal(1)) return undefined;
  const { columns } = new (tty().WriteStream)(1);
  return columns > 0 ? columns : 80;
}

/** How long something may take before a person is told what goes on. */
const progressAfterMs = 400;

/** Awaits work; on a terminal says on stderr what goes on if it takes long, and takes the line away at the end. */
export async function withProgress<T>(text: string, work: Promise<T>): Promise<T> {
  if (!isTerminal(2)) return work;
  let isShown = false;
  const timer = setTimeout(() => {
    isShown = true;
    write(2, text);
  }, progressAfterMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (isShown) write(2, '\r\x1b[K');
  }
}

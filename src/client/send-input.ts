/** Input for a program: into its terminal by way of the pty host, or into the FIFO that is its stdin. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errnoOf } from '../host/files.ts';
import { pause } from '../host/pause.ts';
import type { AttachResponse } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import { send, shapeOfSession } from '../terminal/client/ask.ts';
import { encodeKeys, KeyUnknown } from '../terminal/keys.ts';

/** What is sent depends on who gets it. */
export type Spoken = (to: { readonly isTerminal: boolean; readonly applicationCursor: boolean }) => Buffer;

export const exactly =
  (bytes: Buffer): Spoken =>
  () =>
    bytes;

/** Enter is CR on a terminal, and LF ends a line anywhere else. */
export const asLine =
  (text: string): Spoken =>
  ({ isTerminal }) =>
    Buffer.from(`${text}${isTerminal ? '\r' : '\n'}`);

/** Throws USAGE for what is the name of no key. */
export function asKeys(words: string): Spoken {
  try {
    encodeKeys(words);
    return (to) => encodeKeys(words, to);
  } catch (error) {
    if (!(error instanceof KeyUnknown)) throw error;
    throw new SteadError('USAGE', error.message, { hint: 'C-c, M-x, Enter, Escape, Up, F1; stead help send' });
  }
}

/** To a program's terminal, or its stdin. Throws NOT_RUNNING, and the signal's reason: what has left by then has left. */
export async function sendInput(where: AttachResponse, said: Spoken, signal?: AbortSignal): Promise<void> {
  if (where.kind === 'terminal') {
    if (['stopped', 'completed', 'failed'].includes(where.state)) throw notRunning(where);
    const { applicationCursor } = await shapeOfSession(where, signal);
    return send(where, said({ isTerminal: true, applicationCursor }), signal);
  }
  const fd = openToWrite(where);
  try {
    await writeAll(fd, said({ isTerminal: false, applicationCursor: false }), signal);
  } finally {
    closeSync(fd);
  }
}

const notRunning = ({ name, state }: AttachResponse): SteadError =>
  new SteadError('NOT_RUNNING', `"${name}" is ${state}: nobody reads what is sent.`, { hint: `stead restart ${name}` });

/** Never waits for a reader: the program itself has it open. */
function openToWrite(where: Extract<AttachResponse, { readonly kind: 'stdin' }>): number {
  try {
    return openSync(where.path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENXIO', 'ENOENT'].includes(errnoOf(error) ?? '')) throw notRunning(where);
    throw error;
  }
}

/** While the program does not read, room is looked for every so often. */
const roomMs = 50;

async function writeAll(fd: number, bytes: Buffer, signal?: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at, Math.min(bytes.length - at, 4096));
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      await pause(roomMs, signal);
    }
  }
}

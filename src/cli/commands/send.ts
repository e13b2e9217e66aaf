import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { act } from '../../client/act.ts';
import { errnoOf } from '../../host/files.ts';
import type { AttachResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { send, shapeOfSession } from '../../terminal/client/ask.ts';
import { encodeKeys, KeyUnknown } from '../../terminal/keys.ts';
import type { Call, Command } from '../command.ts';

export const command: Command = {
  name: 'send',
  usage: ['send <sel> <text…>', 'send <sel> --text text | --keys "C-c Enter" | --stdin'],
  about: [
    'Types into the terminal of a program that has one (stead open, --tty), or writes to the stdin of one that was started with --stdin. Words are typed as one line, with Enter; --text as it is, without.',
    'Keys are named as in tmux and Emacs: C-c, M-x, S-Tab, Enter, Escape, Tab, Space, Up, PageDown, F1 …; whatever is no name is typed as it is.',
  ],
  examples: [
    ['stead send build make clean', 'a line'],
    ['stead send build --keys "C-c"', 'interrupt it'],
    ['stead send shell --stdin < commands.txt', 'all of a file'],
  ],
  flags: () => [
    { name: 'text', type: 'text', value: 'text', text: 'type exactly this' },
    { name: 'keys', type: 'text', value: 'keys', text: 'press these keys' },
    { name: 'stdin', type: 'boolean', text: 'what comes on stdin' },
  ],
  hasJson: false,
  run,
};

type Spoken = (to: { readonly isTerminal: boolean; readonly applicationCursor: boolean }) => Buffer;

async function run({ home, words, values }: Call): Promise<number> {
  const [select, ...line] = words;
  if (select === undefined)
    throw new SteadError('USAGE', 'stead send needs the name of one program, and what to send', {
      hint: 'stead send build make clean',
    });
  const said = [
    ...(line.length > 0 ? [lineOf(line.join(' '))] : []),
    ...(typeof values.text === 'string' ? [exactly(Buffer.from(values.text))] : []),
    ...(typeof values.keys === 'string' ? [keysOf(values.keys)] : []),
    ...(values.stdin === true ? [exactly(await readStdin())] : []),
  ];
  if (said.length !== 1)
    throw new SteadError('USAGE', `stead send takes one of: words, --text, --keys, --stdin; these are ${said.length}`, {
      hint: `stead send ${select} --text 'y'`,
    });
  await speak(await act(home, 'attach', { body: { select: [select] } }), said[0]!);
  return 0;
}

const exactly =
  (bytes: Buffer): Spoken =>
  () =>
    bytes;

/** Enter is CR on a terminal, and LF ends a line anywhere else. */
const lineOf =
  (text: string): Spoken =>
  ({ isTerminal }) =>
    Buffer.from(`${text}${isTerminal ? '\r' : '\n'}`);

function keysOf(words: string): Spoken {
  try {
    encodeKeys(words);
    return (to) => encodeKeys(words, to);
  } catch (error) {
    if (!(error instanceof KeyUnknown)) throw error;
    throw new SteadError('USAGE', error.message, { hint: 'C-c, M-x, Enter, Escape, Up, F1; stead help send' });
  }
}

async function readStdin(): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function speak(where: AttachResponse, said: Spoken): Promise<void> {
  if (where.kind === 'terminal') {
    if (['stopped', 'completed', 'failed'].includes(where.state)) throw notRunning(where);
    const { applicationCursor } = await shapeOfSession(where);
    return send(where, said({ isTerminal: true, applicationCursor }));
  }
  const fd = openToWrite(where);
  try {
    await writeAll(fd, said({ isTerminal: false, applicationCursor: false }));
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

async function writeAll(fd: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at, Math.min(bytes.length - at, 4096));
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, roomMs));
    }
  }
}

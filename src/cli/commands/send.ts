import { act } from '../../client/act.ts';
import { asKeys, asLine, exactly, sendInput } from '../../client/send-input.ts';
import { SteadError } from '../../protocol/errors.ts';
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

async function run({ home, words, values }: Call): Promise<number> {
  const [select, ...line] = words;
  if (select === undefined)
    throw new SteadError('USAGE', 'stead send needs the name of one program, and what to send', {
      hint: 'stead send build make clean',
    });
  const said = [
    ...(line.length > 0 ? [asLine(line.join(' '))] : []),
    ...(typeof values.text === 'string' ? [exactly(Buffer.from(values.text))] : []),
    ...(typeof values.keys === 'string' ? [asKeys(values.keys)] : []),
    ...(values.stdin === true ? [exactly(await readStdin())] : []),
  ];
  if (said.length !== 1)
    throw new SteadError('USAGE', `stead send takes one of: words, --text, --keys, --stdin; these are ${said.length}`, {
      hint: `stead send ${select} --text 'y'`,
    });
  await sendInput(await act(home, 'attach', { body: { select: [select] } }), said[0]!);
  return 0;
}

async function readStdin(): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return Buffer.concat(pieces);
}

import { SteadError } from '../../protocol/errors.ts';
import { capture as captureScreen } from '../../terminal/client/ask.ts';
import type { Call, Command } from '../command.ts';
import { printJson, write } from '../output.ts';
import { reachTerminal } from '../terminal-session.ts';

export const command: Command = {
  name: 'capture',
  usage: ['capture <sel> [--ansi] [--lines n]'],
  about: [
    'Prints what the terminal of a program shows, also after its end: the screen, or the last lines with those above it.',
    '--json: {text, cols, rows, cursor: {row, col, visible}, title, alternate, exit}; rows and columns count from 0, exit is null while it runs.',
  ],
  examples: [
    ['stead capture build', 'the screen'],
    ['stead capture build --lines 200', 'the last 200 lines'],
  ],
  flags: () => [
    { name: 'ansi', type: 'boolean', text: 'with colours, as escape sequences' },
    {
      name: 'lines',
      short: 'n',
      type: 'integer',
      value: 'n',
      min: 1,
      text: 'so many last lines, instead of the screen',
    },
  ],
  run,
};

async function run({ home, words, values, json }: Call): Promise<number> {
  const [select, ...others] = words;
  if (select === undefined || others.length > 0)
    throw new SteadError('USAGE', 'stead capture needs the name of one session', { hint: 'stead list shows them' });
  const lines = typeof values.lines === 'number' ? values.lines : null;
  const { name, index, socket, session } = await reachTerminal(home, select);
  const seen = await captureScreen({ socket, session }, { ansi: values.ansi === true, lines });
  if (!json) write(1, seen.text.endsWith('\n') || seen.text === '' ? seen.text : `${seen.text}\n`);
  else {
    const { text, cols, rows, cursor, title, alternate, exit } = seen;
    printJson({ name, index, text, cols, rows, cursor, title, alternate, exit });
  }
  return 0;
}

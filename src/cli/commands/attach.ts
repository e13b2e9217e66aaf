import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { enter, reachTerminal, terminalFlags } from '../terminal-session.ts';

export const command: Command = {
  name: 'attach',
  usage: ['attach <sel> [--read-only] [--steal] [--detach-keys keys]'],
  about: [
    'Goes to the terminal of a program that has one (stead open, or --tty): its screen as it is, with the lines above it, then all that comes. Several may be attached at once. Ctrl-B and then d leaves it, and the program goes on; twice Ctrl-B is one for the program.',
    "The exit code is the program's, if it ends meanwhile, and 0 for who leaves it.",
    'Without a terminal here (a pipe, TERM=dumb) its output comes as it is, and what stdin has goes to it.',
  ],
  examples: [
    ['stead attach build', 'come back to a session'],
    ['stead attach web:1 --read-only', 'look on'],
    ["stead attach build --detach-keys 'C-a d'", "leave it with screen's keys"],
  ],
  flags: () => terminalFlags,
  hasJson: false,
  run,
};

async function run({ home, words, values }: Call): Promise<number> {
  const [select, ...others] = words;
  if (select === undefined || others.length > 0)
    throw new SteadError('USAGE', 'stead attach needs the name of one session', { hint: 'stead list shows them' });
  return enter(home, await reachTerminal(home, select), values);
}

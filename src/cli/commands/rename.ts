import { act } from '../../client/act.ts';
import { escapeControls } from '../../host/bytes.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';

export const command: Command = {
  name: 'rename',
  usage: ['rename <sel> <name>'],
  about: [
    'Gives an app, job or session another name; it may run meanwhile, and its logs and its past go along. Until its next start the old name is not given to another. What shares sockets, and what runs as another user, is stopped first.',
  ],
  examples: [['stead rename bash-2 deploy', 'a session that is worth a name']],
  flags: () => [],
  run: rename,
};

async function rename({ home, words, json }: Call): Promise<number> {
  const [select, to, ...others] = words;
  if (select === undefined || to === undefined || others.length > 0)
    throw new SteadError('USAGE', 'stead rename needs an app and its new name', { hint: 'stead rename bash-2 deploy' });
  const { results } = await act(home, 'rename', { body: { select: [select], to } });
  if (json) printJson(results);
  else print(`${escapeControls(select)} is called ${escapeControls(results[0]!.app.name)} now`);
  return 0;
}

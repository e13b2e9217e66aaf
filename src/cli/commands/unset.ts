import { whoAsks } from '../../client/caller.ts';
import { unsettingsOf } from '../../config/parse.ts';
import { actOnApps, shownName } from '../acting.ts';
import type { Call, Command } from '../command.ts';

export const command: Command = {
  name: 'unset',
  usage: ['unset <sel…> key…'],
  about: ['Options go back to their defaults. env=NAME takes one variable out of the environment.'],
  examples: [
    ['stead unset web stop_timeout max_memory', 'back to 10 s, and no limit'],
    ['stead unset web env=LOG', 'without the variable LOG'],
  ],
  flags: () => [],
  run: unset,
};

function unset(call: Call): Promise<number> {
  const { selectors, keys } = unsettingsOf(call.words);
  return actOnApps(call, {
    route: 'set',
    select: selectors,
    body: { set: {}, unset: keys, caller: { ...whoAsks(), cwd: process.cwd() } },
    doing: 'Changing',
    done: (result) => `${shownName(result)} ${result.changed ? 'changed' : 'is so already'}`,
  });
}

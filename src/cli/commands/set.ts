import { whoAsks } from '../../client/caller.ts';
import { optionsTable } from '../../config/options.ts';
import { settingsOf } from '../../config/parse.ts';
import { actOnApps, shownName } from '../acting.ts';
import type { Call, Command } from '../command.ts';

export const command: Command = {
  name: 'set',
  usage: ['set <sel…> key=value…'],
  about: [
    'Changes options of apps that there are: the keys are those of a config file, and of the flags of start and run. Policies, schedules, hooks and how it is stopped hold from now on; what concerns its launch from its next start. All of it is refused if one value is wrong.',
    `Keys: ${optionsTable.map(({ key }) => key).join(' ')}`,
  ],
  examples: [
    ['stead set web stop_timeout=30s', 'more time to end'],
    ['stead set web env=LOG=debug max_memory=500M', 'a variable, a limit'],
    ['stead set @batch restart=on-failure', 'for a whole group'],
  ],
  flags: () => [],
  run: set,
};

function set(call: Call): Promise<number> {
  const { selectors, options } = settingsOf(call.words);
  return actOnApps(call, {
    route: 'set',
    select: selectors,
    body: { set: options, unset: [], caller: { ...whoAsks(), cwd: process.cwd() } },
    doing: 'Changing',
    done: (result) => `${shownName(result)} ${result.changed ? 'changed' : 'is so already'}`,
  });
}

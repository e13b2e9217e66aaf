import { actOnApps, shownName } from '../acting.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'delete',
  usage: ['delete <sel…> [--purge]'],
  about: ['Stops an app and forgets it. Its logs stay, unless --purge removes them.'],
  examples: [
    ['stead delete web', 'stop and forget web'],
    ['stead delete web --purge', 'with its logs'],
  ],
  flags: () => [
    { name: 'purge', type: 'boolean', text: 'remove its logs, too' },
    { name: 'no-wait', type: 'boolean', text: 'return at once, without waiting for its end' },
  ],
  run: (call) =>
    actOnApps(call, {
      route: 'delete',
      select: call.words,
      body: { purge: call.values.purge === true },
      doing: 'Deleting',
      done: (result) => `${shownName(result)} deleted`,
    }),
};

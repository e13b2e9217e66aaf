import { actOnApps, shownName } from '../acting.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'delete',
  usage: ['delete <sel…> [--purge] [--leave-running]'],
  about: ['Stops an app and forgets it. Its logs stay, unless --purge removes them.'],
  examples: [
    ['stead delete web', 'stop and forget web'],
    ['stead delete web --purge', 'with its logs'],
  ],
  flags: () => [
    { name: 'purge', type: 'boolean', text: 'remove its logs, too' },
    { name: 'leave-running', type: 'boolean', text: 'do not end it: gives back what was adopted' },
    { name: 'no-wait', type: 'boolean', text: 'return at once, without waiting for its end' },
  ],
  run: (call) =>
    actOnApps(call, {
      route: 'delete',
      select: call.words,
      body: { purge: call.values.purge === true, leaveRunning: call.values['leave-running'] === true },
      doing: 'Deleting',
      done: (result) =>
        call.values['leave-running'] === true
          ? `${shownName(result)} forgotten, and left running`
          : `${shownName(result)} deleted`,
    }),
};

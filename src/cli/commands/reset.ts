import { actOnApps, shownName } from '../acting.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'reset',
  usage: ['reset <sel…>'],
  about: ['Sets the count of restarts to 0 and forgets earlier crashes, so that the next one is answered at once.'],
  examples: [['stead reset web', 'count from 0']],
  flags: () => [],
  run: (call) =>
    actOnApps(call, {
      route: 'reset',
      select: call.words,
      doing: 'Resetting',
      done: (result) => `${shownName(result)} reset`,
    }),
};

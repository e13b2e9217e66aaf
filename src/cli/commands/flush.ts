import { actOnApps, shownName } from '../acting.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'flush',
  usage: ['flush <sel…>'],
  about: [
    'Empties the logs of an app: what was rotated is removed, and the file begins anew. The program goes on writing to it.',
  ],
  examples: [
    ['stead flush web', 'begin with an empty log'],
    ['stead flush all', 'of all apps'],
  ],
  flags: () => [],
  run: (call) =>
    actOnApps(call, {
      route: 'flush',
      select: call.words,
      doing: 'Emptying the logs of',
      done: (result) => `${shownName(result)}: logs emptied`,
    }),
};

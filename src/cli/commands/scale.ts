import { checkScale } from '../../config/instances.ts';
import type { ActionResult } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { actOnApps, shownName } from '../acting.ts';
import type { Call, Command } from '../command.ts';
import { countInWords, mainOf, pidsInWords } from '../render/instances.ts';
import { earlyLines } from '../render/started.ts';

export const command: Command = {
  name: 'scale',
  usage: ['scale <sel…> <n | +n | -n | max> [--no-wait]'],
  about: [
    'Changes how many instances of an app there are: new ones are started and share what the others listen on; those with the highest indexes finish what they have begun, and end. max is as many as there are cores. It is kept, as if it had been said at the start.',
  ],
  examples: [
    ['stead scale web 4', 'four of them'],
    ['stead scale web +2', 'two more'],
    ['stead scale web -1', 'one less'],
  ],
  flags: () => [{ name: 'no-wait', type: 'boolean', text: 'return at once' }],
  takesNumbers: true,
  run: scale,
};

async function scale(call: Call): Promise<number> {
  const select = call.words.slice(0, -1);
  const to = call.words.at(-1);
  if (to === undefined || select.length === 0)
    throw new SteadError('USAGE', 'stead scale needs the name of an app, and how many instances it shall have', {
      hint: 'stead scale web 4',
    });
  checkScale(to);
  return actOnApps(call, { route: 'scale', select, body: { to }, doing: 'Scaling', done });
}

function done(result: ActionResult): string {
  const { app, changed, early } = result;
  if (early) return earlyLines(app, early).join('\n');
  const count = countInWords(mainOf(app.instances).length);
  return `${shownName(result)} has ${count}${changed ? '' : ' already'}, ${pidsInWords(app) ?? app.state}`;
}

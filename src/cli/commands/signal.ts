import { parseSignal } from '../../config/values.ts';
import { SteadError } from '../../protocol/errors.ts';
import { actOnApps, shownName } from '../acting.ts';
import type { Call, Command } from '../command.ts';

export const command: Command = {
  name: 'signal',
  usage: ['signal <SIG> <sel…>'],
  about: [
    'Sends a signal to the main program of an app. To end an app for good use stead stop: what dies by a signal is restarted.',
  ],
  examples: [
    ['stead signal HUP nginx', 'let it read its configuration again'],
    ['stead signal 10 web', 'by number: SIGUSR1'],
  ],
  flags: () => [],
  strayHint: 'stead signal HUP <name>',
  run: signal,
};

async function signal(call: Call): Promise<number> {
  const [name, ...select] = call.words;
  if (name === undefined) {
    throw new SteadError('USAGE', 'stead signal needs a signal and the name of an app', {
      hint: 'stead signal HUP <name>',
    });
  }
  const sent = parseSignal(name.replace(/^-/, ''), 'signal');
  const done = (result: Parameters<typeof shownName>[0]) => `${sent} sent to ${shownName(result)}`;
  return actOnApps(call, { route: 'signal', select, body: { signal: sent }, doing: 'Signalling', done });
}

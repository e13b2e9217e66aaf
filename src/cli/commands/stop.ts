import type { ActionResult } from '../../protocol/api.ts';
import { actOnApps, shownName } from '../acting.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'stop',
  usage: ['stop <sel…> [--no-wait]'],
  about: [
    'Ends an app and everything that it started, and makes sure of it: the stop signal, then after the stop timeout SIGKILL. It stays stopped until it is started again.',
  ],
  examples: [
    ['stead stop web', 'one app'],
    ['stead stop web worker @batch', 'several, and a group'],
    ['stead stop all', 'every one'],
  ],
  flags: () => [{ name: 'no-wait', type: 'boolean', text: 'return at once, without waiting for its end' }],
  run: (call) => actOnApps(call, { route: 'stop', select: call.words, doing: 'Stopping', done }),
};

function done(result: ActionResult): string {
  const { app, changed } = result;
  if (!changed) return `${shownName(result)} was not running`;
  return app.state === 'stopped' ? `${shownName(result)} stopped` : `${shownName(result)} ${app.state}`;
}

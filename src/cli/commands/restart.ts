import { captureCaller } from '../../client/caller.ts';
import type { ActionResult } from '../../protocol/api.ts';
import { actOnApps } from '../acting.ts';
import type { Call, Command } from '../command.ts';
import { earlyLines, startedLine } from '../render/started.ts';

export const command: Command = {
  name: 'restart',
  usage: ['restart <sel…> [--update-env] [--no-wait]'],
  about: [
    'Stops an app with all that it started, then starts it again as it was: same command, directory and environment.',
  ],
  examples: [
    ['stead restart web', 'stop and start'],
    ['stead restart web --update-env', 'with the environment of this shell'],
  ],
  flags: () => [
    { name: 'update-env', type: 'boolean', text: "replace its environment by this shell's" },
    { name: 'no-wait', type: 'boolean', text: 'return at once' },
  ],
  run: restart,
};

function restart(call: Call): Promise<number> {
  const updateEnv = call.values['update-env'] ? captureCaller() : null;
  return actOnApps(call, { route: 'restart', select: call.words, body: { updateEnv }, doing: 'Restarting', done });
}

function done({ app, changed, early }: ActionResult): string {
  if (early) return earlyLines(app, early).join('\n');
  return startedLine({ app, changed }).replace(' started, ', ' restarted, ');
}

import { foreignApp } from '../../client/handoff/foreign.ts';
import { takeBack } from '../../client/handoff/takeback.ts';
import { specsFromDisk } from '../../client/offline.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { ActionResult, Keeper } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { selectApps } from '../../protocol/select.ts';
import type { Call, Command } from '../command.ts';
import { importKinds } from '../import-kinds.ts';
import { print, printJson, say, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';
import { assertDirectory } from '../reading.ts';
import { startedLine } from '../render/started.ts';
import { requireSelectors } from '../selectors.ts';
import { withoutInterrupts } from '../uninterrupted.ts';

export const command: Command = {
  name: 'takeback',
  usage: ['takeback <sel | unit…> [--user]'],
  about: [
    'Takes apps back from systemd, as they were before stead handoff; or makes an app of a unit that somebody else wrote, as stead import systemd reads it. Its sockets are taken first, open as they are, then systemd ends its processes, then stead starts its own: never two copies, and nobody who connects is refused.',
    'Units that stead wrote are removed; others are disabled, and stay where they are. What does not come up with stead stays with systemd.',
  ],
  examples: [
    ['stead takeback web', 'an app that was handed over'],
    ['stead takeback nginx.service', 'a unit of this machine'],
  ],
  flags: () => [{ name: 'user', type: 'boolean', text: 'a unit of your own systemd (systemctl --user)' }],
  run: takeback,
};

async function takeback(call: Call): Promise<number> {
  const { home, words, json } = call;
  const selectors = requireSelectors(words, 'takeback');
  assertDirectory(home);
  assertWritable(home);
  const results: ActionResult[] = [];
  for (const word of selectors) {
    for (const one of await meant(call, word)) {
      const work = withoutInterrupts(() => takeBack(home, one));
      const { result, notes } = await withProgress(`Taking ${escapeControls(one.name)} back …`, work);
      for (const note of [...notes, ...(result.notes ?? [])]) say(escapeControls(note));
      if (!json) print(`${startedLine(result)}; stead keeps it again`);
      results.push(result);
    }
  }
  if (json) printJson(results);
  return 0;
}

interface Meant {
  readonly name: string;
  readonly keeper: Keeper;
}

/** Apps that were handed over; else a unit, which is made an app of first. */
async function meant({ home, values }: Call, word: string): Promise<readonly Meant[]> {
  const all = await specsFromDisk(home);
  const isUnit = /\.(?:service|timer)$/.test(word) && !all.some(({ name }) => name === word);
  const ours = all.find(({ keeper }) => keeper?.main === word || keeper?.services.includes(word));
  if (isUnit && ours === undefined) return [await foreign(home, word, values.user === true)];
  const chosen = ours === undefined ? selectApps(all, [word]) : [ours];
  return chosen.map(({ name, keeper }) => {
    if (keeper !== null) return { name, keeper };
    throw new SteadError('NOT_RUNNING', `systemd does not keep ${JSON.stringify(name)}: it is stead's.`, {
      hint: 'stead list; a unit is named with its ending: stead takeback web.service',
    });
  });
}

async function foreign(home: string, unit: string, isUser: boolean): Promise<Meant> {
  const load = importKinds.systemd!.load;
  return foreignApp(home, { unit, scope: isUser ? 'user' : 'system' }, async (words) => {
    const { apps, notes } = await load({ words, rest: null, values: {}, base: process.cwd() });
    return { apps, notes };
  });
}

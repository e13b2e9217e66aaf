import { request } from '../../client/http.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { WhyView } from '../../protocol/api.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { fromDaemonOrDisk, readApps } from '../reading.ts';
import { whyLines } from '../render/why.ts';
import { requireSelectors, selectApps } from '../selectors.ts';

export const command: Command = {
  name: 'why',
  usage: ['why <sel…>'],
  about: [
    'Why an app is as it is: its state and who wanted it, how its last runs ended and what that means, what it needs and misses, its last words, and what comes next.',
  ],
  examples: [
    ['stead why web', 'in words'],
    ['stead why web --json', 'for programs'],
  ],
  flags: () => [],
  run: why,
};

async function why({ home, words, json }: Call): Promise<number> {
  const selectors = requireSelectors(words, 'why');
  const isOne = selectors.length === 1 && selectors[0] !== 'all' && !selectors[0]!.startsWith('@');
  const names = isOne ? selectors : selectApps(await readApps(home), selectors).map(({ app }) => app.name);
  const views: WhyView[] = [];
  for (const name of names) views.push(await read(home, name));
  if (json) printJson(isOne ? views[0] : views);
  else print(views.map((view) => whyLines(view, Date.now()).map(escapeControls).join('\n')).join('\n\n'));
  return 0;
}

async function read(home: string, sel: string): Promise<WhyView> {
  const view = await fromDaemonOrDisk(home, request(home, 'why', { params: { sel } }), async () => {
    const { whyFromDisk } = await import('../../client/why.ts');
    return whyFromDisk(home, sel);
  });
  if (!view.keeper) return view;
  const { keptWhy } = await import('../../client/kept/why.ts');
  const app = (await readApps(home)).find(({ name }) => name === view.name);
  return app === undefined ? view : keptWhy(view, app, view.keeper);
}

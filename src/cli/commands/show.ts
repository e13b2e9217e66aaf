import { request } from '../../client/http.ts';
import type { AppDetail } from '../../protocol/api.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { asKept, fromDaemonOrDisk, readApps } from '../reading.ts';
import { painter } from '../render/colour.ts';
import { renderDetail } from '../render/detail.ts';
import { requireSelectors, selectApps } from '../selectors.ts';

export const command: Command = {
  name: 'show',
  usage: ['show <sel…> [--show-env]'],
  about: [
    'What was asked for, what is, how earlier runs ended, where its logs are, what it listens on. Values of variables are hidden.',
  ],
  examples: [
    ['stead show web', 'all about web'],
    ['stead show web --json', 'the same for programs'],
    ['stead show web --show-env', 'with the values of its environment'],
  ],
  flags: () => [{ name: 'show-env', type: 'boolean', text: 'show the values of its environment, too' }],
  run: show,
};

async function show({ home, words, values, json }: Call): Promise<number> {
  const showEnv = values['show-env'] === true;
  const selectors = requireSelectors(words, 'show');
  const isOne = selectors.length === 1 && selectors[0] !== 'all' && !selectors[0]!.startsWith('@');
  const names = isOne ? selectors : selectApps(await readApps(home), selectors).map(({ app }) => app.name);
  const details: AppDetail[] = [];
  for (const name of names) details.push(await readDetail(home, { name, showEnv }));
  if (json) printJson(isOne ? details[0] : details);
  else
    print(
      details
        .map((detail) => renderDetail(detail, { paint: painter(), nowMs: Date.now(), showEnv }).join('\n'))
        .join('\n\n'),
    );
  return 0;
}

async function readDetail(home: string, { name, showEnv }: { name: string; showEnv: boolean }): Promise<AppDetail> {
  const query = showEnv ? { showEnv: '1' } : {};
  const detail = await fromDaemonOrDisk(home, request(home, 'show', { params: { sel: name }, query }), async () => {
    const { showFromDisk } = await import('../../client/offline.ts');
    return showFromDisk(home, name);
  });
  return (await asKept([detail]))[0]!;
}

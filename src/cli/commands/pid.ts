import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { readApps } from '../reading.ts';
import { mainOf } from '../render/instances.ts';
import { requireSelectors, selectApps } from '../selectors.ts';

export const command: Command = {
  name: 'pid',
  usage: ['pid <sel…>'],
  about: [
    'Prints the pid of the program itself, one per line and instance, without those that a reload is about to put in or takes out; exit code 1 if nothing of it runs.',
  ],
  examples: [
    ['stead pid web', '812'],
    ['strace -p "$(stead pid web)"', 'look into it'],
  ],
  flags: () => [],
  run: pid,
};

async function pid({ home, words, json }: Call): Promise<number> {
  const selected = selectApps(await readApps(home), requireSelectors(words, 'pid'));
  const all = selected.flatMap(({ app, instances }) =>
    mainOf(instances).map(({ index, pid }) => ({ name: app.name, index, pid })),
  );
  const alive = all.filter((one) => one.pid !== null);
  if (alive.length === 0) {
    const { app } = selected[0] ?? {};
    throw new SteadError('NOT_RUNNING', app ? `${JSON.stringify(app.name)} is ${app.state}` : 'Nothing runs', {
      hint: 'stead list',
    });
  }
  if (json) printJson(all);
  else print(alive.map((one) => one.pid).join('\n'));
  return 0;
}

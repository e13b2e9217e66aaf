import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, inTurn, median, memoryOf, ms, times } from '../support/measure.mjs';
import { stead } from '../support/tools.mjs';

const apps = 1000;
const startLimitMs = 30_000;
const listLimit = 3;
const perAppLimitKb = 20;

export const row = {
  name: 'thousand',
  title: `${apps} apps of one config file: apply, list, memory of the daemon`,
  target: `apply ≤ ${startLimitMs / 1000} s; list ≤ ${listLimit} × node -e 0; ≤ ${perAppLimitKb} KB of the daemon per app`,
  runs: 11,
  async run(context) {
    const ours = stead(context);
    try {
      const file = join(context.scratch, 'thousand.json');
      const one = (at) => ({ name: `app${at}`, command: ['sleep', '100000'] });
      // The first apply brings up what every later one needs, so that memory is that of the apps alone.
      writeFileSync(file, JSON.stringify({ apps: [one(0)] }));
      await ours.run(['apply', file]);
      const { pid } = await ours.json('daemon', 'status');
      await ours.run(['list']);
      const before = memoryOf(pid).rss;
      writeFileSync(file, JSON.stringify({ apps: Array.from({ length: apps }, (_, at) => one(at)) }));
      const { took } = await ours.run(['apply', file]);
      const running = (await ours.json('list')).filter(({ state }) => state === 'running').length;
      const numbers = await inTurn(context.runs, {
        bare: async () => (await command([process.execPath, '-e', '0'])).took,
        list: async () => (await ours.run(['list'])).took,
      });
      const after = memoryOf(pid).rss;
      const perApp = (after - before) / 1024 / apps;
      const ratio = median(numbers.list.map((list, at) => list / numbers.bare[at]));
      return {
        how: 'The programs are `sleep`. Memory is RSS after the lists, less that with one app.',
        values: {
          [`stead apply, ${running} running`]: ms(took),
          'node -e 0': ms(median(numbers.bare)),
          'stead list': `${ms(median(numbers.list))}, ${times(ratio)}`,
          'memory of the daemon per app': `${perApp.toFixed(1)} KB`,
        },
        checks: [
          { text: `all running: ${running}`, met: running === apps },
          { text: `apply ≤ ${startLimitMs / 1000} s: ${ms(took)}`, met: took <= startLimitMs },
          { text: `list ≤ ${listLimit} × node -e 0: ${times(ratio)}`, met: ratio <= listLimit },
          { text: `≤ ${perAppLimitKb} KB per app: ${perApp.toFixed(1)} KB`, met: perApp <= perAppLimitKb },
        ],
      };
    } finally {
      await ours.end();
    }
  },
};

import { join } from 'node:path';
import { command, inTurn, median, ms, times } from '../support/measure.mjs';
import { forever, pm2, stead } from '../support/tools.mjs';

const apps = 20;
const limit = 1.35;

export const row = {
  name: 'list',
  title: '`list` of 20 apps',
  target: `≤ ${limit} × node -e 0`,
  runs: 21,
  async run(context) {
    const [ours, pm, fe] = [stead(context), pm2(context), forever(context)];
    const script = join(context.root, 'bench/programs/sleeper.cjs');
    try {
      for (let at = 0; at < apps; at++) {
        await ours.run(['start', '--no-wait', '--name', `app${at}`, '--', 'sleep', '100000']);
        await fe.run(['start', '--uid', `app${at}`, '-a', script]);
      }
      await pm.run(['start', script, '-i', String(apps), '-x']);
      const numbers = await inTurn(context.runs, {
        bare: async () => (await command([process.execPath, '-e', '0'])).took,
        stead: async () => (await ours.run(['list'])).took,
        pm2: async () => (await pm.run(['list'])).took,
        forever: async () => (await fe.run(['list'])).took,
      });
      const bare = median(numbers.bare);
      const ratio = median(numbers.stead.map((took, at) => took / numbers.bare[at]));
      return {
        values: {
          'node -e 0': ms(bare),
          'stead list': `${ms(median(numbers.stead))}, ${times(ratio)}`,
          'pm2 list': `${ms(median(numbers.pm2))}, ${times(median(numbers.pm2) / bare)}`,
          'forever list': `${ms(median(numbers.forever))}, ${times(median(numbers.forever) / bare)}`,
        },
        checks: [{ text: `stead list ≤ ${limit} × node -e 0: ${times(ratio)}`, met: ratio <= limit }],
      };
    } finally {
      await Promise.all([ours.end(), pm.end(), fe.end()]);
    }
  },
};

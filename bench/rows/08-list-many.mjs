import { command, inTurn, median, ms, times } from '../support/measure.mjs';
import { manyApps, pm2, stead } from '../support/tools.mjs';

const apps = 500;
const limit = 2;

export const row = {
  name: 'list-500',
  title: `\`list\` of ${apps} apps`,
  target: `≤ ${limit} × node -e 0`,
  runs: 21,
  async run(context) {
    const [ours, pm] = [stead(context), pm2(context)];
    try {
      await manyApps(ours, apps);
      await pm.run(['start', '/bin/sleep', '--interpreter', 'none', '-i', String(apps), '-x', '--', '100000']);
      const numbers = await inTurn(context.runs, {
        bare: async () => (await command([process.execPath, '-e', '0'])).took,
        stead: async () => (await ours.run(['list'])).took,
        pm2: async (round) => (round > 4 ? Number.NaN : (await pm.run(['list'])).took),
      });
      const bare = median(numbers.bare);
      const pm2Took = median(numbers.pm2.filter((took) => !Number.isNaN(took)));
      const ratio = median(numbers.stead.map((took, at) => took / numbers.bare[at]));
      return {
        values: {
          'node -e 0': ms(bare),
          'stead list': `${ms(median(numbers.stead))}, ${times(ratio)}`,
          'pm2 list (5 runs)': `${ms(pm2Took)}, ${times(pm2Took / bare)}`,
        },
        checks: [{ text: `stead list ≤ ${limit} × node -e 0: ${times(ratio)}`, met: ratio <= limit }],
      };
    } finally {
      await Promise.all([ours.end(), pm.end()]);
    }
  },
};

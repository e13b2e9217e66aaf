import { cpus } from 'node:os';
import { inTurn, median, ms } from '../support/measure.mjs';
import { manyApps, pidsByName, pm2, stead } from '../support/tools.mjs';

const apps = 200;
const startLimitMs = 6000;
const restartLimitMs = 2000;

export const row = {
  name: 'many',
  title: `${apps} apps: start all, then restart the daemon`,
  target: `≤ ${startLimitMs} ms; ≤ ${restartLimitMs} ms, no pid changed`,
  runs: 3,
  async run(context) {
    const [ours, pm] = [stead(context), pm2(context)];
    let changed = 0;
    try {
      await manyApps(ours, apps);
      await pm.run(['start', '/bin/sleep', '--interpreter', 'none', '-i', String(apps), '-x', '--', '100000']);
      const numbers = await inTurn(context.runs, {
        start: async () => {
          await ours.run(['stop', 'all']);
          return (await ours.run(['start', 'all'])).took;
        },
        // Until `list` shows all of them running, with the right pids.
        restart: async () => {
          const before = await pidsByName(ours);
          const began = performance.now();
          await ours.run(['daemon', 'restart']);
          const after = await pidsByName(ours);
          const took = performance.now() - began;
          changed += Object.keys(before).filter((name) => !before[name] || before[name] !== after[name]).length;
          return took;
        },
        pm2Start: async (round) => {
          if (round > 0) return Number.NaN;
          await pm.run(['stop', 'all']);
          return (await pm.run(['start', 'all'])).took;
        },
        pm2Update: async (round) => (round > 0 ? Number.NaN : (await pm.run(['update'])).took),
      });
      const [start, restart] = [median(numbers.start), median(numbers.restart)];
      return {
        how: `${cpus().length} cores; the programs are \`sleep\`. The restart is counted until the list is whole again.`,
        values: {
          'stead start all': ms(start),
          'pm2 start all (1 run)': ms(numbers.pm2Start[0]),
          'stead daemon restart': `${ms(restart)}, ${changed} pids changed`,
          'pm2 update (1 run)': `${ms(numbers.pm2Update[0])}, all programs started anew`,
        },
        checks: [
          { text: `start all ≤ ${startLimitMs} ms: ${ms(start)}`, met: start <= startLimitMs },
          { text: `daemon restart ≤ ${restartLimitMs} ms: ${ms(restart)}`, met: restart <= restartLimitMs },
          { text: `no pid changed: ${changed}`, met: changed === 0 },
        ],
      };
    } finally {
      await Promise.all([ours.end(), pm.end()]);
    }
  },
};

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuOf, ms, sleep } from '../support/measure.mjs';
import { stead } from '../support/tools.mjs';

const apps = 100;
const stormMs = 20_000;
const listLimitMs = 300;

export const row = {
  name: 'crash-storm',
  title: `${apps} apps that crash within a millisecond`,
  target: `the daemon under half a core; p99 of list ≤ ${listLimitMs} ms`,
  runs: 1,
  async run(context) {
    const ours = stead(context);
    try {
      const file = join(context.scratch, 'storm.json');
      const one = (at) => ({ name: `app${at}`, command: ['/bin/false'], backoff_min: '1ms', backoff_max: '1ms' });
      writeFileSync(file, JSON.stringify({ apps: Array.from({ length: apps }, (_, at) => one(at)) }));
      await ours.run(['apply', file, '--no-wait']);
      const { pid } = await ours.json('daemon', 'status');
      const restarts = async () =>
        (await ours.json('list')).reduce((sum, { instances }) => sum + instances[0].restarts, 0);
      const [cpu, before, began] = [cpuOf(pid), await restarts(), performance.now()];
      const lists = [];
      while (performance.now() - began < stormMs) {
        lists.push((await ours.run(['list'])).took);
        await sleep(50);
      }
      const took = performance.now() - began;
      const share = (cpuOf(pid) - cpu) / took;
      const rate = ((await restarts()) - before) / (took / 1000);
      const p99 = lists.sort((a, b) => a - b)[Math.floor(lists.length * 0.99)];
      return {
        how: 'Each may be restarted after 1 ms; what holds them is the bucket for the whole host.',
        values: {
          'CPU of the daemon, lists included': `${(share * 100).toFixed(0)} % of a core`,
          'restarts per second, all together': rate.toFixed(1),
          [`stead list, p99 of ${lists.length}`]: ms(p99),
        },
        checks: [
          { text: `the daemon under half a core: ${(share * 100).toFixed(0)} %`, met: share < 0.5 },
          { text: `p99 of list ≤ ${listLimitMs} ms: ${ms(p99)}`, met: p99 <= listLimitMs },
        ],
      };
    } finally {
      await ours.end();
    }
  },
};

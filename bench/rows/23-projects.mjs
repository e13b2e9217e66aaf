import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, inTurn, median, ms, times } from '../support/measure.mjs';
import { stead } from '../support/tools.mjs';

const many = 1000;
const few = 20;
const planLimitMs = 1000;
const sameLimit = 2;

export const row = {
  name: 'projects',
  title: `A config file: ${many} apps read and planned, ${few} applied that are as they were`,
  target: `planned ≤ ${planLimitMs / 1000} s; an unchanged one ≤ ${sameLimit} × node -e 0, and starts nothing`,
  runs: 11,
  async run(context) {
    const ours = stead(context);
    try {
      const write = (name, count) => {
        const file = join(context.scratch, name);
        const one = (_, at) => ({ name: `app${at}`, command: ['sleep', '100000'], env: { N: String(at) } });
        writeFileSync(file, JSON.stringify({ apps: Array.from({ length: count }, one) }));
        return file;
      };
      const [large, small] = [write('many.json', many), write('few.json', few)];
      await ours.run(['apply', small]);
      const pids = async () => (await ours.json('list')).map(({ instances }) => instances[0].pid).join();
      const before = await pids();
      const numbers = await inTurn(context.runs, {
        bare: async () => (await command([process.execPath, '-e', '0'])).took,
        plan: async () => (await ours.run(['apply', '--dry-run', large])).took,
        same: async () => (await ours.run(['apply', small])).took,
      });
      const isSame = (await pids()) === before;
      const plan = median(numbers.plan);
      const ratio = median(numbers.same.map((same, at) => same / numbers.bare[at]));
      return {
        how: `\`stead apply --dry-run\` of ${many} apps that are not there, and \`stead apply\` of ${few} that run.`,
        values: {
          'node -e 0': ms(median(numbers.bare)),
          [`read and planned, ${many} apps`]: ms(plan),
          [`applied unchanged, ${few} apps`]: `${ms(median(numbers.same))}, ${times(ratio)}`,
        },
        checks: [
          { text: `planned ≤ ${planLimitMs / 1000} s: ${ms(plan)}`, met: plan <= planLimitMs },
          { text: `unchanged ≤ ${sameLimit} × node -e 0: ${times(ratio)}`, met: ratio <= sameLimit },
          { text: `nothing started: ${isSame ? 'every pid as before' : 'other pids'}`, met: isSame },
        ],
      };
    } finally {
      await ours.end();
    }
  },
};

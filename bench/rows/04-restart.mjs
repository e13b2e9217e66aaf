import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, median, ms, until } from '../support/measure.mjs';
import { forever, pm2, stead } from '../support/tools.mjs';

const limitMs = 15;

/** From the program's last act to the first of its next run, by its own clock. */
async function gap(notes) {
  const words = await until(() => {
    try {
      const lines = readFileSync(notes, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
      return lines.filter(([word]) => word === 'start').length >= 2 ? lines : null;
    } catch {
      return null;
    }
  }, 'the second start');
  return Number(BigInt(words[2][1]) - BigInt(words[1][1])) / 1e6;
}

export const row = {
  name: 'restart',
  title: 'From the death of a program to the exec of the next',
  target: `median ≤ ${limitMs} ms`,
  runs: 21,
  async run(context) {
    const [ours, pm, fe] = [stead(context), pm2(context), forever(context)];
    const script = join(context.root, 'bench/programs/dies-once.sh');
    try {
      await pm.run(['ping']);
      const numbers = await inTurn(context.runs, {
        stead: async (round) => {
          const notes = join(context.scratch, `stead-${round}`);
          await ours.run(['start', '--no-wait', '--name', `dies${round + 1}`, script, '--', notes]);
          const took = await gap(notes);
          await ours.run(['delete', `dies${round + 1}`]);
          return took;
        },
        pm2: async (round) => {
          const notes = join(context.scratch, `pm2-${round}`);
          await pm.run(['start', script, '--name', `dies${round + 1}`, '--', notes]);
          const took = await gap(notes);
          await pm.run(['delete', `dies${round + 1}`]);
          return took;
        },
        forever: async (round) => {
          const notes = join(context.scratch, `forever-${round}`);
          await fe.run([
            'start',
            '--uid',
            `dies${round + 1}`,
            '--minUptime',
            '1',
            '--spinSleepTime',
            '1',
            '-a',
            '-c',
            'sh',
            script,
            notes,
          ]);
          const took = await gap(notes);
          await fe.run(['stop', `dies${round + 1}`], { allowFailure: true });
          return took;
        },
      });
      const got = median(numbers.stead);
      return {
        values: { stead: ms(got), pm2: ms(median(numbers.pm2)), forever: ms(median(numbers.forever)) },
        checks: [{ text: `median ≤ ${limitMs} ms: ${ms(got)}`, met: got <= limitMs }],
      };
    } finally {
      await Promise.all([ours.end(), pm.end(), fe.end()]);
    }
  },
};

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, median, ms, times, until } from '../support/measure.mjs';
import { ownProcess, pm2, stead } from '../support/tools.mjs';

const megabytes = 500;
const limit = 1.05;

const tookIn = (file) =>
  until(
    () => {
      try {
        return Number(readFileSync(file, 'utf8')) || null;
      } catch {
        return null;
      }
    },
    'the writer',
    120_000,
  );

export const row = {
  name: 'log-lines',
  title: `${megabytes} MB of log lines`,
  target: `≤ ${limit} × writing the file directly`,
  runs: 7,
  async run(context) {
    const [ours, pm] = [stead(context), pm2(context)];
    const script = join(context.root, 'bench/programs/line-writer.cjs');
    try {
      await pm.run(['ping']);
      const numbers = await inTurn(context.runs, {
        direct: async (round) => {
          const [log, done] = [join(context.scratch, 'direct.log'), join(context.scratch, `direct-${round}`)];
          const fd = openSync(log, 'a');
          const child = ownProcess(
            context,
            spawn(process.execPath, [script, String(megabytes), done], { stdio: ['ignore', fd, fd] }),
          );
          closeSync(fd);
          const took = await tookIn(done);
          child.kill('SIGKILL');
          rmSync(log);
          return took;
        },
        stead: async (round) => {
          const done = join(context.scratch, `stead-${round}`);
          await ours.run(['start', '--no-wait', '--name', 'writer', script, '--', String(megabytes), done]);
          const took = await tookIn(done);
          await ours.run(['delete', 'writer', '--purge']);
          return took;
        },
        pm2: async (round) => {
          if (round > 1) return Number.NaN;
          const done = join(context.scratch, `pm2-${round}`);
          await pm.run(['start', script, '--name', 'writer', '--', String(megabytes), done]);
          const took = await tookIn(done);
          await pm.run(['delete', 'writer']);
          await pm.run(['flush']);
          return took;
        },
      });
      const direct = median(numbers.direct);
      const ratio = median(numbers.stead.map((took, at) => took / numbers.direct[at]));
      const pm2Took = median(numbers.pm2.filter((took) => !Number.isNaN(took)));
      return {
        values: {
          'the file directly': ms(direct),
          stead: `${ms(median(numbers.stead))}, ${times(ratio)}`,
          'pm2 (2 runs)': `${ms(pm2Took)}, ${times(pm2Took / direct)}`,
        },
        checks: [{ text: `stead ≤ ${limit} × direct: ${times(ratio)}`, met: ratio <= limit }],
      };
    } finally {
      await Promise.all([ours.end(), pm.end()]);
    }
  },
};

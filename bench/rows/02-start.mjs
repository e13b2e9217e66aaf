import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { command, freePort, inTurn, median, ms, times, untilAnswers } from '../support/measure.mjs';
import { ownProcess, pm2, stead } from '../support/tools.mjs';

export const row = {
  name: 'start',
  title: 'Start of an HTTP server until it answers',
  target: '≤ bare start + 1.35 × node -e 0 + 15 ms',
  runs: 15,
  async run(context) {
    const [ours, pm] = [stead(context), pm2(context)];
    const script = join(context.root, 'bench/programs/server.cjs');
    await ours.run(['start', '--name', 'other', '--', 'sleep', '100000']);
    await pm.run(['ping']);
    try {
      const numbers = await inTurn(context.runs, {
        node: async () => (await command([process.execPath, '-e', '0'])).took,
        bare: async () => {
          const port = await freePort();
          const began = performance.now();
          const child = ownProcess(
            context,
            spawn(process.execPath, [script], {
              env: { ...process.env, PORT: String(port) },
              stdio: 'ignore',
            }),
          );
          await untilAnswers(port);
          const took = performance.now() - began;
          const ended = new Promise((resolve) => child.once('exit', resolve));
          child.kill('SIGKILL');
          await ended;
          return took;
        },
        stead: async (round) => {
          const port = await freePort();
          const began = performance.now();
          const [, took] = await Promise.all([
            ours.run(['start', '--name', `web${round + 1}`, '-e', `PORT=${port}`, script]),
            untilAnswers(port).then(() => performance.now() - began),
          ]);
          await ours.run(['delete', `web${round + 1}`]);
          return took;
        },
        pm2: async (round) => {
          const port = await freePort();
          const began = performance.now();
          const [, took] = await Promise.all([
            pm.run(['start', script, '--name', `web${round + 1}`], { env: { ...pm.env, PORT: String(port) } }),
            untilAnswers(port).then(() => performance.now() - began),
          ]);
          await pm.run(['delete', `web${round + 1}`]);
          return took;
        },
      });
      const allowed = median(numbers.bare.map((bare, at) => bare + 1.35 * numbers.node[at] + 15));
      const got = median(numbers.stead);
      return {
        values: {
          'node -e 0': ms(median(numbers.node)),
          'bare start': ms(median(numbers.bare)),
          'stead start': `${ms(got)}, ${times(got / median(numbers.bare))} bare`,
          'pm2 start': `${ms(median(numbers.pm2))}, ${times(median(numbers.pm2) / median(numbers.bare))} bare`,
        },
        checks: [
          { text: `stead ≤ bare + 1.35 × node -e 0 + 15 ms: ${ms(got)} of ${ms(allowed)}`, met: got <= allowed },
        ],
      };
    } finally {
      await Promise.all([ours.end(), pm.end()]);
    }
  },
};

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { mb, median, memoryOf, ms, sleep } from '../support/measure.mjs';
import { ownProcess, pm2, stead } from '../support/tools.mjs';

const lines = 300;
const stoppedMs = 120_000;

/** A program that prints the time each 50 ms, and who reads along: how long each line took. */
async function lags(context, words, env) {
  const child = ownProcess(context, spawn(words[0], words.slice(1), { env, stdio: ['ignore', 'pipe', 'ignore'] }));
  const found = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const now = performance.timeOrigin + performance.now();
    const parts = (rest + chunk).split('\n');
    rest = parts.pop();
    for (const part of parts) {
      const at = Number(/at ([\d.]+)$/.exec(part)?.[1]);
      if (at > 0) found.push(now - at);
    }
  });
  while (found.length < lines + 5) await sleep(50);
  child.kill('SIGKILL');
  return found.slice(5);
}

export const row = {
  name: 'log-following',
  title: 'Who reads along: how late, and what one that stopped costs',
  target: 'a line is seen after ≤ 20 ms (median); the daemon grows by ≤ 5 MB',
  runs: 1,
  async run(context) {
    const [ours, pm] = [stead(context), pm2(context)];
    const pmBin = [process.execPath, join(context.root, 'bench/node_modules/pm2/bin/pm2')];
    const printer = join(context.root, 'bench/programs/time-printer.cjs');
    try {
      await ours.run(['start', '--name', 'printer', printer]);
      await pm.run(['start', printer, '--name', 'printer']);
      const own = await lags(context, [...ours.bin, 'logs', '-f', 'printer', '-n', '0'], ours.env);
      const theirs = await lags(context, [...pmBin, 'logs', 'printer', '--raw', '--lines', '0'], pm.env);
      await pm.run(['delete', 'printer']);

      const flood = join(context.root, 'bench/programs/steady-writer.cjs');
      await ours.run(['start', '--name', 'flood', flood]);
      const follower = ownProcess(
        context,
        spawn(ours.bin[0], [ours.bin[1], 'logs', '-f', 'flood'], {
          env: ours.env,
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      );
      await sleep(3000);
      follower.kill('SIGSTOP');
      const { pid } = await ours.json('daemon', 'status');
      const before = memoryOf(pid).rss;
      await sleep(stoppedMs);
      const after = memoryOf(pid).rss;
      const grown = after - before;
      return {
        values: {
          'stead logs -f: median; 99th of a hundred': `${ms(median(own))}; ${ms(own.toSorted((a, b) => a - b)[Math.floor(own.length * 0.99)])}`,
          'pm2 logs: median': ms(median(theirs)),
          'the daemon before and after 2 min of 5 MB/s with a stopped follower': `${mb(before)}, ${mb(after)}`,
        },
        checks: [
          { text: `median ≤ 20 ms: ${ms(median(own))}`, met: median(own) <= 20 },
          { text: `the daemon ± 5 MB: ${mb(grown)}`, met: Math.abs(grown) <= 5 * 1024 ** 2 },
        ],
      };
    } finally {
      await Promise.all([ours.end(), pm.end()]);
    }
  },
};

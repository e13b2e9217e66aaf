import { spawn } from 'node:child_process';
import { openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpuOf, inTurn, median, ms, sleep, times, until } from '../support/measure.mjs';
import { ownProcess, stead } from '../support/tools.mjs';

const lines = 8_000_000;
const limits = { speed: 0.97, cpu: 0.05 };

const tookIn = (file) =>
  until(
    () => {
      try {
        return JSON.parse(readFileSync(file, 'utf8'));
      } catch {
        return null;
      }
    },
    'the writer',
    120_000,
  );

export const row = {
  name: 'log-keeping',
  title: `${lines / 1e6} million lines of 60 to 100 bytes, a write each, with index and rotation (20 MB)`,
  target: `≥ ${limits.speed} × the speed of a plain file; ≤ ${limits.cpu * 100} % of the writer's CPU`,
  runs: 5,
  async run(context) {
    const ours = stead(context);
    const script = join(context.root, 'bench/programs/line-by-line.cjs');
    const cpu = [];
    try {
      await ours.run(['daemon', 'restart']);
      const { pid } = await ours.json('daemon', 'status');
      const numbers = await inTurn(context.runs, {
        direct: async (round) => {
          const [log, done] = [join(context.scratch, 'direct.log'), join(context.scratch, `direct-${round}`)];
          const fd = openSync(log, 'a');
          const child = ownProcess(
            context,
            spawn(process.execPath, [script, String(lines), done], { stdio: ['ignore', fd, fd] }),
          );
          const { tookMs } = await tookIn(done);
          child.kill('SIGKILL');
          rmSync(log);
          return tookMs;
        },
        stead: async (round) => {
          const done = join(context.scratch, `stead-${round}`);
          const before = cpuOf(pid);
          await ours.run(['start', '--no-wait', '--name', 'writer', script, '--', String(lines), done]);
          const { tookMs, cpuMs } = await tookIn(done);
          if (round >= 0) cpu.push((cpuOf(pid) - before) / cpuMs);
          await ours.run(['delete', 'writer', '--purge']);
          // What it left to be written is no matter of the next.
          await sleep(500);
          return tookMs;
        },
      });
      const speed = median(numbers.direct.map((took, at) => took / numbers.stead[at]));
      const share = median(cpu);
      return {
        values: {
          'the plain file': ms(median(numbers.direct)),
          stead: `${ms(median(numbers.stead))}, ${times(speed)} its speed`,
          'CPU of the daemon, starting it included': `${(share * 100).toFixed(1)} % of the writer's`,
        },
        checks: [
          { text: `speed ≥ ${limits.speed} × the plain file: ${times(speed)}`, met: speed >= limits.speed },
          {
            text: `CPU ≤ ${limits.cpu * 100} % of the writer's: ${(share * 100).toFixed(1)} %`,
            met: share <= limits.cpu,
          },
        ],
      };
    } finally {
      await ours.end();
    }
  },
};

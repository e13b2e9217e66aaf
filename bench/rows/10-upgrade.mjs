import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, freePort, sleep, until, untilAnswers } from '../support/measure.mjs';
import { pidsByName, pm2, stead } from '../support/tools.mjs';

const loadMs = 12_000;
const restarts = 5;

/** How many of the lines 1 to count a log lacks, and how many are there twice or out of turn. */
function faults(log, count) {
  const numbers = readFileSync(log, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(/^line (\d+)$/.exec(line)?.[1]));
  const seen = new Set(numbers);
  let missing = 0;
  for (let line = 1; line <= count; line++) if (!seen.has(line)) missing++;
  return { missing, surplus: numbers.filter((line, at) => line !== at + 1).length };
}

const load = async (context, port) =>
  JSON.parse(
    (await command([process.execPath, join(context.root, 'bench/programs/http-load.cjs'), port, loadMs])).output,
  );

export const row = {
  name: 'upgrade',
  title: 'Restarts of the daemon under a logger of 1,000 lines/s and an HTTP load',
  target: '0 lines, 0 requests lost',
  runs: 1,
  async run(context) {
    const [ours, pm] = [stead(context), pm2(context)];
    const program = (name) => join(context.root, 'bench/programs', name);
    const [port, pmPort, done] = [await freePort(), await freePort(), join(context.scratch, 'done')];
    try {
      await ours.run(['start', '--name', 'web', '-e', `PORT=${port}`, program('server.cjs')]);
      await pm.run(['start', program('server.cjs'), '--name', 'web'], { env: { ...pm.env, PORT: String(pmPort) } });
      await Promise.all([untilAnswers(port), untilAnswers(pmPort)]);
      await ours.run(['start', '--name', 'logger', program('line-counter.cjs'), '--', String(loadMs), done]);
      const before = await pidsByName(ours);
      const loading = load(context, port);
      for (let round = 0; round < restarts; round++) {
        await sleep(1000);
        await ours.run(['daemon', 'restart']);
      }
      const requests = await loading;
      const count = Number(await until(() => readOrNull(done), 'the logger', loadMs));
      const after = await pidsByName(ours);
      const changed = Object.keys(before).filter((name) => before[name] !== after[name]).length;
      const { logs } = await ours.json('show', 'logger');
      const lines = faults(logs.out, count);

      const pmLoading = load(context, pmPort);
      await sleep(1000);
      await pm.run(['update']);
      const pmRequests = await pmLoading;
      const why = (reasons) =>
        Object.entries(reasons)
          .map(([reason, times]) => `${times} ${reason}`)
          .join(', ');
      return {
        how: `${restarts} restarts in ${loadMs / 1000} s; half of the requests on kept connections, half on new ones. pm2: one \`pm2 update\`, which is its way.`,
        values: {
          'lines written through stead': count,
          'of them missing; twice or out of turn': `${lines.missing}; ${lines.surplus}`,
          'requests answered; lost': `${requests.answered}; ${requests.lost}`,
          'pids changed': changed,
          'pm2 update: requests answered; lost': `${pmRequests.answered}; ${pmRequests.lost} (${why(pmRequests.reasons)})`,
        },
        checks: [
          {
            text: `0 lines lost or doubled: ${lines.missing + lines.surplus}`,
            met: lines.missing + lines.surplus === 0 && count > loadMs * 0.9,
          },
          { text: `0 requests lost: ${requests.lost} ${why(requests.reasons)}`.trim(), met: requests.lost === 0 },
          { text: `no pid changed: ${changed}`, met: changed === 0 },
        ],
      };
    } finally {
      await Promise.all([ours.end(), pm.end()]);
    }
  },
};

function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, median, ms, until } from '../support/measure.mjs';
import { endProcess, forever, pm2, stead } from '../support/tools.mjs';

const limitMs = 1000;
const patienceMs = 5000;

/** The runs that the program noted: its pid, and when it began in nanoseconds. */
function runs(notes) {
  try {
    const lines = [...readFileSync(notes, 'utf8').matchAll(/^start (\d+) (\d+)$/gm)];
    return lines.map(([, time, pid]) => ({ began: BigInt(time), pid: Number(pid) }));
  } catch {
    return [];
  }
}

/** Resolves with the pid of the program's first run. */
async function firstRun(notes) {
  await until(() => runs(notes).length === 1, 'the first run');
  return runs(notes)[0].pid;
}

/** Kills a supervisor and the program at once; resolves with the milliseconds until the program runs again. */
async function killBoth(supervisor, program, notes) {
  const before = runs(notes).length;
  const wall = BigInt(Date.now()) * 1_000_000n;
  await Promise.all([endProcess(supervisor), endProcess(program)]);
  await until(() => runs(notes).length > before, 'the next run', patienceMs);
  return Number(runs(notes)[before].began - wall) / 1e6;
}

export const row = {
  name: 'recovery',
  title: 'From SIGKILL of the daemon and of an app to the next run of that app',
  target: `≤ ${limitMs} ms`,
  runs: 11,
  async run(context) {
    const [ours, pm, fe] = [stead(context), pm2(context), forever(context)];
    const script = join(context.root, 'bench/programs/notes-start.sh');
    const notes = (name) => join(context.scratch, `${name}.notes`);
    try {
      for (const others of [1, 2]) await ours.run(['start', '--name', `other${others}`, '--', 'sleep', '100000']);
      const numbers = await inTurn(context.runs, {
        stead: async (round) => {
          const name = `app${round + 1}`;
          await ours.run(['start', '--name', name, script, '--', notes(name)]);
          const { pid } = await ours.json('daemon', 'status');
          const took = await killBoth(pid, await firstRun(notes(name)), notes(name));
          await ours.run(['delete', name]);
          return took;
        },
      });
      const peers = { pm2: await peer(pm, notes('pm2'), script), forever: await peer(fe, notes('forever'), script) };
      const worst = Math.max(...numbers.stead);
      return {
        how: 'Both are killed at once; a recovered daemon has to find out what died meanwhile.',
        values: {
          stead: `${ms(median(numbers.stead))}, at most ${ms(worst)}`,
          'pm2 (1 run)': peers.pm2,
          'forever (1 run)': peers.forever,
        },
        checks: [{ text: `the slowest of ${context.runs} ≤ ${limitMs} ms: ${ms(worst)}`, met: worst <= limitMs }],
      };
    } finally {
      await Promise.all([ours.end(), pm.end(), fe.end()]);
    }
  },
};

/** The same of a peer, which may never bring it back. */
async function peer(tool, notes, script) {
  await tool.startOne(script, notes);
  const program = await firstRun(notes);
  const supervisor = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${program}/status`, 'utf8'))[1]);
  return killBoth(supervisor, program, notes).then(ms, () => `not within ${patienceMs / 1000} s`);
}

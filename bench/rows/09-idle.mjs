import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuOf, ms, sleep, switchesOf } from '../support/measure.mjs';
import { manyApps, pm2, stead } from '../support/tools.mjs';

const apps = 20;
const limitMs = 50;
const idleMs = 60_000;
/** What a start leaves to be done (the exit of its CLI, the first look) is over by then. */
const settleMs = 5000;

export const row = {
  name: 'idle',
  title: `CPU time of the daemon in 60 s with ${apps} quiet apps`,
  target: `≤ ${limitMs} ms`,
  runs: 1,
  async run(context) {
    const [ours, pm] = [stead(context), pm2(context)];
    try {
      await manyApps(ours, apps);
      await pm.run(['start', '/bin/sleep', '--interpreter', 'none', '-i', String(apps), '-x', '--', '100000']);
      const { pid, guardian } = await ours.json('daemon', 'status');
      const pids = { daemon: pid, guardian, pm2: Number(readFileSync(join(pm.env.PM2_HOME, 'pm2.pid'), 'utf8')) };
      const look = (of) => Object.fromEntries(Object.entries(pids).map(([name, one]) => [name, of(one)]));
      await sleep(settleMs);
      const [cpu, switches] = [look(cpuOf), look(switchesOf)];
      await sleep(idleMs);
      const [cpuAfter, switchesAfter] = [look(cpuOf), look(switchesOf)];
      const used = Object.fromEntries(Object.keys(pids).map((name) => [name, cpuAfter[name] - cpu[name]]));
      const words = (name) => `${ms(used[name])}, ${switchesAfter[name] - switches[name]} wake-ups`;
      const ourMs = used.daemon + used.guardian;
      return {
        how: 'The programs are `sleep`; nobody looks.',
        values: {
          'stead daemon': words('daemon'),
          'stead guardian': words('guardian'),
          'pm2 daemon': words('pm2'),
        },
        checks: [{ text: `stead ≤ ${limitMs} ms: ${ms(ourMs)}`, met: ourMs <= limitMs }],
      };
    } finally {
      await Promise.all([ours.end(), pm.end()]);
    }
  },
};

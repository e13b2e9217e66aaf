import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mb, memoryOf, pidsWith, sleep, times } from '../support/measure.mjs';
import { forever, ownProcess, pm2, shells, stead } from '../support/tools.mjs';

const daemonLimit = 1.25;
const launcherLimits = { dash: 0.3, busybox: 0.3, bash: 0.4 };
const restMs = 60_000;

export const row = {
  name: 'memory',
  title: 'Memory of the daemon, and per app',
  target: `daemon ≤ ${daemonLimit} × a bare node:http server; launcher ≤ 0.3 MB private (bash 0.4)`,
  runs: 1,
  async run(context) {
    const [pm, fe] = [pm2(context), forever(context)];
    const script = join(context.root, 'bench/programs/server.cjs');
    const sleeper = join(context.root, 'bench/programs/sleeper.cjs');
    const found = Object.entries(shells(context)).filter(([, path]) => path !== null);
    const ours = found.map(([name, path]) => ({ name, stead: stead(context, { STEAD_SHELL: path }, `stead-${name}`) }));
    const bare = ownProcess(context, spawn(process.execPath, [script, '0'], { stdio: 'ignore' }));
    try {
      // A shell's code counts as private while one process alone runs it, so there are three of each; the daemon that is measured has one app.
      for (const { name, stead: one } of ours) {
        const apps = name === 'dash' ? ['app'] : ['app', 'app2', 'app3'];
        for (const app of apps) await one.run(['start', '--name', app, '--', 'sleep', '100000']);
      }
      await pm.run(['start', sleeper]);
      await fe.run(['start', '--uid', 'app', '-a', sleeper]);
      await sleep(restMs);
      const bareRss = memoryOf(bare.pid).rss;
      const { pid } = await ours[0].stead.json('daemon', 'status');
      const daemonRss = memoryOf(pid).rss;
      const launchers = ours.map(({ name, stead: one }) => ({
        name,
        private: memoryOf(pidsWith(`${one.home}/apps/app/0/runs`)[0]).private,
      }));
      const pmRss = memoryOf(Number(readFileSync(join(pm.env.PM2_HOME, 'pm2.pid'), 'utf8'))).rss;
      const monitor = pidsWith('forever/bin/monitor')[0];
      const ratio = daemonRss / bareRss;
      return {
        values: {
          'bare node:http server, RSS': mb(bareRss),
          'stead daemon, 1 app, after 1 min': `${mb(daemonRss)}, ${times(ratio)}`,
          'pm2 daemon, 1 app, after 1 min': `${mb(pmRss)}, ${times(pmRss / bareRss)}`,
          ...Object.fromEntries(launchers.map((one) => [`stead launcher (${one.name}), private`, mb(one.private, 2)])),
          'forever monitor (per app), private': `${mb(memoryOf(monitor).private)}, RSS ${mb(memoryOf(monitor).rss)}`,
        },
        checks: [
          { text: `daemon ≤ ${daemonLimit} × bare: ${times(ratio)}`, met: ratio <= daemonLimit },
          ...launchers.map((one) => ({
            text: `launcher (${one.name}) ≤ ${launcherLimits[one.name]} MB: ${mb(one.private, 2)}`,
            met: one.private <= launcherLimits[one.name] * 2 ** 20,
          })),
        ],
      };
    } finally {
      bare.kill('SIGKILL');
      await Promise.all([...ours.map(({ stead: one }) => one.end()), pm.end(), fe.end()]);
    }
  },
};

/** Exported units in a real systemd (test/systemd/testbed.sh): they are read without a word, and what they run does its work, kept in as they say. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { freePort } from '../support/ports.ts';
import { dev, Machine, noMachine } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';

const server = `
require('node:http')
  .createServer((request, answer) => {
    if (request.url === '/crash') process.exit(3);
    answer.end(String(process.pid) + ' ' + process.env.GREETING);
  })
  .listen(Number(process.env.PORT));
`;
const worker = `
import os, time
with open('worker.out', 'a') as out: out.write('%d %d\\n' % (os.getpid(), os.getuid()))
time.sleep(1000)
`;

const units = ['web@.service', 'web.target', 'web.socket', 'worker.service', 'nightly.service', 'nightly.timer'];
const running = ['web.socket', 'web.target', 'worker.service', 'nightly.timer'];

suite('exported units', { skip: noMachine }, () => {
  let machine: Machine;
  let port: number;
  const cleanups: (() => void | Promise<void>)[] = [];
  before(async () => {
    machine = await Machine.boot({ after: (fn) => void cleanups.push(fn) });
    port = await freePort();
    machine.write('/var/lib/shop/server.cjs', server);
    machine.write('/var/lib/shop/worker.py', worker);
    await machine.sh(`chown -R ${dev.uid}:${dev.uid} /var/lib/shop`);
    const common = { user: dev.name, cwd: '/var/lib/shop' };
    const held = { ...common, autostart: false };
    const apps = [
      {
        ...held,
        name: 'web',
        script: '/var/lib/shop/server.cjs',
        instances: 2,
        listen: [String(port)],
        env: { PORT: String(port), GREETING: '$x %n "y"' },
      },
      { ...held, name: 'worker', script: '/var/lib/shop/worker.py' },
      { ...common, name: 'nightly', job: true, command: ['sh', '-c', 'id -u >>job.out'], cron: '0 3 * * *' },
    ];
    machine.write('/root/stead.config.json', JSON.stringify({ apps }));
    await machine.stead(['apply', '/root/stead.config.json']);
    await machine.stead(['daemon', 'stop']);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const answer = async (path = '/') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    return response.text();
  };
  const linesOf = (name: string) => machine.sh(`cat /var/lib/shop/${name} 2>/dev/null || true`);
  const stateOf = (unit: string) => machine.property(unit, 'ActiveState');

  for (const [hardening, most] of [
    ['default', 4.5],
    ['strict', 1.5],
  ] as const)
    test(`a Node server in two instances, a Python worker and a timer job, hardening ${hardening}`, async () => {
      await machine.sh('rm -f /var/lib/shop/*.out');
      const words = ['export', 'systemd', 'web', 'worker', 'nightly', '--hardening', hardening, '--force'];
      await machine.stead([...words, '-o', '/etc/systemd/system/']);
      const paths = units.map((name) => `/etc/systemd/system/${name}`);
      assert.equal(await machine.sh(`systemd-analyze verify --man=no ${paths.join(' ')} 2>&1`), '');
      for (const unit of ['web@.service', 'worker.service', 'nightly.service']) {
        const said = await machine.sh(`systemd-analyze security --offline=true --no-pager /etc/systemd/system/${unit}`);
        const level = Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
        assert.ok(level <= most, `${unit}: ${level}`);
      }
      await machine.sh(`systemctl daemon-reload; systemctl start ${running.join(' ')}`);
      const [pid, greeting] = (await answer()).split(/ (.*)/s);
      assert.equal(greeting, '$x %n "y"');
      const pids = await Promise.all([0, 1].map((at) => machine.property(`web@${at}.service`, 'MainPID')));
      assert.ok(pids.includes(pid!), `${pid} of ${pids}`);
      assert.match(await waitFor('the worker', async () => (await linesOf('worker.out')) || null), /^\d+ 4242\n$/);
      await answer('/crash').catch(() => {});
      await waitFor('another server', async () => {
        const now = await Promise.all([0, 1].map((at) => machine.property(`web@${at}.service`, 'MainPID')));
        return now.every((one) => one !== '0') && now.join() !== pids.join();
      });
      assert.match(await answer(), /^\d+ \$x/);
      const [worker0] = (await linesOf('worker.out')).split(' ');
      await machine.sh(`kill -KILL $(systemctl show --value -p MainPID worker.service)`);
      await waitFor('another worker', async () => (await linesOf('worker.out')).split('\n').length === 3);
      assert.ok(worker0);
      await machine.ok(['systemctl', 'start', 'nightly.service']);
      assert.equal(await linesOf('job.out'), `${dev.uid}\n`);
      assert.match(await machine.property('nightly.timer', 'NextElapseUSecRealtime'), /03:00:00/);
      await machine.sh(`systemctl stop ${running.join(' ')} 'web@*.service'`);
      for (const unit of ['web@0.service', 'web@1.service', ...running]) assert.equal(await stateOf(unit), 'inactive');
      await assert.rejects(answer());
    });
});

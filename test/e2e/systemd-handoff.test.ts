/** Apps go over to systemd and come back, in a real one (test/systemd/testbed.sh), under load. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { request } from '../../src/client/http.ts';
import type { AppView, WhyView } from '../../src/protocol/api.ts';
import { failed, Load } from '../support/load.ts';
import { steadBin } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { Machine, noMachine } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';

/** As it starts it looks whether another process of its instance is alive, and writes that down. */
const looksAround = (name: string, index: string) => `
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const mine = '/root/${name}.' + ${index};
try {
  const other = readFileSync(mine, 'utf8');
  if (!/^State:\\s+Z/m.test(readFileSync('/proc/' + other + '/status', 'utf8'))) appendFileSync('/root/copies', mine + ' ' + other + '\\n');
} catch {}
writeFileSync(mine, String(process.pid));
`;

const server = `
${looksAround('web', '(process.env.NODE_APP_INSTANCE || 0)')}
require('node:http')
  .createServer((_, answer) => setTimeout(() => answer.end(process.pid + ' ' + process.env.COLOUR + ' ' + process.env.GREETING), 5))
  .listen(Number(process.env.PORT));
`;

suite('handoff and takeback', { skip: noMachine }, () => {
  let machine: Machine;
  let port: number;
  const cleanups: (() => void | Promise<void>)[] = [];
  before(async () => {
    machine = await Machine.boot({ after: (fn) => void cleanups.push(fn) });
    port = await freePort();
    machine.write('/root/server.cjs', server);
    machine.write('/root/copies', '');
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const list = async () => JSON.parse(await machine.stead(['list', '--json'])) as readonly AppView[];
  const one = async (name: string) => (await list()).find((app) => app.name === name)!;

  /** Starts of an instance at a time when another process of it was alive. */
  const copies = () => readFileSync(machine.path('/root/copies'), 'utf8');

  test('a server in two instances goes over under load: no request fails, and no two copies', async () => {
    const env = { COLOUR: 'blue', SSH_TTY: '/dev/pts/9' };
    await machine.stead(
      ['start', '/root/server.cjs', '--name', 'web', '-i', '2', '-e', `PORT=${port}`, '-e', 'GREETING=a "b" 100% $x'],
      { env },
    );
    const load = new Load(port, { concurrency: 4, keepAlive: true });
    await load.more(50);
    const said = await machine.stead(['handoff', 'web']);
    await load.more(50);
    const result = await load.stop();
    assert.equal(failed(result), 0, JSON.stringify(result.failures));
    assert.equal(copies(), '');
    assert.match(said, /web is kept by systemd from now on: web\.target/);
    assert.ok(
      Object.keys(result.bodies).every((body) => body.endsWith('blue a "b" 100% $x')),
      JSON.stringify(result.bodies),
    );
    const units = await Promise.all(
      ['web.socket', 'web@0.service', 'web@1.service', 'web.target'].map((unit) =>
        machine.property(unit, 'ActiveState'),
      ),
    );
    assert.deepEqual(units, ['active', 'active', 'active', 'active']);
  });

  test('in the list it stays, and start, stop, restart, show and why are said to systemd', async () => {
    const app = await one('web');
    assert.deepEqual([app.state, app.keeper?.main, app.keeper?.scope], ['running', 'web.target', 'system']);
    assert.deepEqual(app.ports, [String(port)]);
    const pids = app.instances.map(({ pid }) => pid);
    assert.deepEqual(pids, [
      Number(await machine.property('web@0.service', 'MainPID')),
      Number(await machine.property('web@1.service', 'MainPID')),
    ]);
    assert.match(await machine.stead(['list']), /systemd keeps it: web\.target/);
    assert.match(await machine.stead(['show', 'web']), /web\.target/);
    await machine.ok(['kill', '-KILL', String(pids[0])]);
    await waitFor('systemd to start it again', async () => {
      const pid = Number(await machine.property('web@0.service', 'MainPID'));
      return pid !== 0 && pid !== pids[0];
    });
    const why = JSON.parse(await machine.stead(['why', 'web', '--json'])) as WhyView;
    assert.equal(why.keeper?.main, 'web.target');
    assert.match(why.findings[0]!.what, /systemd keeps it/);
    const load = new Load(port, { concurrency: 2 });
    await load.more(20);
    assert.match(await machine.stead(['restart', 'web']), /web restarted, pids/);
    await load.more(20);
    assert.equal(failed(await load.stop()), 0, 'a restart by systemd is one without a gap');
    assert.match(await machine.stead(['stop', 'web']), /web stopped/);
    assert.equal((await one('web')).state, 'stopped');
    assert.equal(await machine.property('web@0.service', 'ActiveState'), 'inactive');
    assert.match(await machine.stead(['start', 'web']), /web started, pids/);
    await machine.ok(['kill', '-KILL', String((await machine.daemon()).pid)]);
    const kept = await one('web');
    assert.deepEqual(
      [kept.state, kept.keeper?.main],
      ['running', 'web.target'],
      'the next daemon leaves it to systemd',
    );
    const { code, stderr } = await machine.tryStead(['reload', 'web']);
    assert.equal(code, 5);
    assert.match(stderr, /systemd keeps "web" \(web\.target\).*stead takeback web/s);
    assert.equal(copies(), '');
  });

  test('it comes back under load: no request fails, no two copies, and its units are gone', async () => {
    const load = new Load(port, { concurrency: 4, keepAlive: true });
    await load.more(50);
    const said = await machine.stead(['takeback', 'web']);
    await load.more(50);
    const result = await load.stop();
    assert.equal(failed(result), 0, JSON.stringify(result.failures));
    assert.equal(copies(), '');
    assert.match(said, /web started, pids .*; stead keeps it again/);
    const app = await one('web');
    assert.deepEqual([app.state, app.want, app.keeper], ['running', 'running', null]);
    for (const name of ['web@.service', 'web.socket', 'web.target', 'web.env', 'stead-listen.cjs'])
      assert.equal(existsSync(machine.path(`/etc/systemd/system/${name}`)), false, name);
    assert.equal(await machine.property('web.socket', 'LoadState'), 'not-found');
  });

  test('a command that is killed half-way leaves one copy of each, and fails no request', async () => {
    const load = new Load(port, { concurrency: 2 });
    await load.more(20);
    const script = 'echo $$ >/root/handoff.pid; exec "$@"';
    const handing = machine.run(['sh', '-c', script, 'sh', process.execPath, steadBin, 'handoff', 'web']);
    const home = machine.path('/root/.stead');
    await waitFor('the app to be given', async () => {
      const apps = await request(home, 'list', { timeoutMs: 2000 });
      return apps.find(({ name }) => name === 'web')?.keeper;
    });
    await machine.sh('kill -KILL $(cat /root/handoff.pid)');
    assert.equal((await handing).signal, 'SIGKILL');
    await waitFor('both to run there', async () =>
      (await one('web')).instances.every(({ state }) => state === 'running'),
    );
    await load.more(20);
    const result = await load.stop();
    assert.equal(failed(result), 0, JSON.stringify(result.failures));
    await machine.stead(['takeback', 'web']);
    assert.equal(copies(), '');
  });

  test('a worker and a timer job go over and come back; what has no socket is away for one restart', async () => {
    machine.write(
      '/root/worker.cjs',
      `${looksAround('worker', '0')}\nconsole.log(process.pid);\nsetInterval(() => {}, 1000);`,
    );
    await machine.stead(['start', '/root/worker.cjs', '--log-out', '/root/worker.log']);
    await machine.stead(['run', '--name', 'nightly', '--cron', '0 3 * * *', '--', 'true']);
    await machine.stead(['handoff', 'worker', 'nightly', '--hardening', 'strict']);
    assert.deepEqual(
      (await list()).filter(({ keeper }) => keeper).map(({ name, state }) => [name, state]),
      [
        ['worker', 'running'],
        ['nightly', 'waiting'],
      ],
    );
    assert.equal(await machine.property('nightly.timer', 'UnitFileState'), 'enabled');
    const pid = await machine.property('worker.service', 'MainPID');
    assert.match(await machine.stead(['logs', 'worker']), new RegExp(`^${pid}$`, 'm'));
    await machine.stead(['takeback', 'worker', 'nightly']);
    assert.deepEqual(
      (await list()).map(({ name, state, keeper }) => [name, state, keeper]),
      [
        ['web', 'running', null],
        ['worker', 'running', null],
        ['nightly', 'waiting', null],
      ],
    );
    assert.equal(copies(), '');
  });

  test('what does not come up there stays here, and nobody notices', async () => {
    machine.write('/etc/systemd/system/web@.service.d/bad.conf', '[Service]\nExecStartPre=/bin/false\n');
    const load = new Load(port, { concurrency: 2 });
    await load.more(20);
    const { code, stderr } = await machine.tryStead(['handoff', 'web']);
    assert.equal(code, 1);
    assert.match(stderr, /web@\d\.service does not come up: .*stead keeps "web" as before/);
    await load.more(20);
    const result = await load.stop();
    assert.equal(failed(result), 0, JSON.stringify(result.failures));
    const app = await one('web');
    assert.deepEqual([app.state, app.want, app.keeper], ['running', 'running', null]);
    assert.equal(existsSync(machine.path('/etc/systemd/system/web.socket')), false);
    assert.equal(copies(), '');
    await machine.sh('rm -r /etc/systemd/system/web@.service.d');
  });

  test('a unit of that name which is not ours is left as it is', async () => {
    machine.write('/etc/systemd/system/worker.service', '[Service]\nExecStart=/bin/sleep 1000\n');
    const { code, stderr } = await machine.tryStead(['handoff', 'worker']);
    assert.equal(code, 5);
    assert.match(stderr, /worker\.service was not written by stead; it was left as it is/);
    assert.equal((await one('worker')).state, 'running');
    await machine.sh('rm /etc/systemd/system/worker.service; systemctl daemon-reload');
  });

  test('where /etc is read-only nothing is changed; a dry run prints the units', async () => {
    await machine.sh('mount -o remount,bind,ro /etc/systemd/system');
    const { code, stderr } = await machine.tryStead(['handoff', 'worker']);
    await machine.sh('mount -o remount,bind,rw /etc/systemd/system');
    assert.equal(code, 5);
    assert.match(stderr, /read-only file system: no unit can be written there\. Nothing was changed.*--dry-run/s);
    const units = await machine.stead(['handoff', 'worker', '--dry-run', '--hardening', 'none']);
    assert.match(units, /^# \/etc\/systemd\/system\/worker\.service\n# App "worker" of stead/m);
    assert.equal(existsSync(machine.path('/etc/systemd/system/worker.service')), false);
    assert.deepEqual([(await one('worker')).state, (await one('worker')).keeper], ['running', null]);
  });

  test('a unit of somebody else, with a socket, is taken under load', async () => {
    const other = await freePort();
    machine.write(
      '/root/other.cjs',
      server.replaceAll('/root/web.', '/root/other.').replace('Number(process.env.PORT)', '{ fd: 3 }'),
    );
    machine.write(
      '/etc/systemd/system/other.socket',
      `[Socket]\nListenStream=127.0.0.1:${other}\n[Install]\nWantedBy=sockets.target\n`,
    );
    machine.write(
      '/etc/systemd/system/other.service',
      `[Service]\nExecStart=${process.execPath} /root/other.cjs\n[Install]\nWantedBy=multi-user.target\n`,
    );
    await machine.sh('systemctl daemon-reload; systemctl enable --now other.socket');
    const load = new Load(other, { concurrency: 1, pauseMs: 20 });
    await load.more(5);
    const said = await machine.stead(['takeback', 'other.service']);
    await load.more(5);
    const result = await load.stop();
    // It does not know how to end without cutting off what it answers: the one request at most that was under way.
    assert.ok(failed(result) <= 1 && !result.failures.ECONNREFUSED, JSON.stringify(result.failures));
    assert.match(said, /other .*stead keeps it again/);
    assert.equal(copies(), '');
    assert.equal(await machine.property('other.service', 'ActiveState'), 'inactive');
    assert.equal(await machine.property('other.socket', 'UnitFileState'), 'disabled');
    assert.equal((await one('other')).state, 'running');
    await machine.stead(['delete', 'other']);
  });

  test('run --systemd: a transient unit, listed like the others', async () => {
    const said = await machine.stead(
      ['run', '--systemd', '--name', 'once', '--', 'sh', '-c', 'echo "$0 is $X"; exit 3', '$HOME %n'],
      {
        env: { X: 'a b' },
      },
    );
    assert.match(said, /^once /);
    const app = await waitFor('its end', async () => {
      const now = await one('once');
      return now.state === 'failed' ? now : null;
    });
    assert.match(app.reason!, /exit code 3; systemd keeps it: run-stead-once\.service/);
    assert.equal(await machine.stead(['logs', 'once']), '$HOME %n is a b\n');
    assert.match(await machine.stead(['why', 'once']), /exit code 3/);
    await machine.stead(['run', '--systemd', '--name', 'long', '--', 'sleep', '1000']);
    assert.equal((await one('long')).state, 'running');
    await machine.stead(['stop', 'long']);
    assert.notEqual((await one('long')).state, 'running');
  });

  test("an ordinary user hands over to that user's own systemd, and takes back", async () => {
    const asDev = { who: 'dev' } as const;
    const own = await freePort();
    machine.write('/home/dev/server.cjs', server.replaceAll('/root/', '/home/dev/'));
    await machine.sh('touch /home/dev/copies; chown -R 4242:4242 /home/dev');
    await machine.stead(['start', 'server.cjs', '--name', 'web', '-i', '2', '-e', `PORT=${own}`], asDev);
    const load = new Load(own, { concurrency: 2 });
    await load.more(20);
    await machine.stead(['handoff', 'web'], asDev);
    await load.more(20);
    assert.equal(failed(await load.stop()), 0);
    assert.equal(await machine.property('web.target', 'ActiveState', asDev), 'active');
    await machine.stead(['takeback', 'web'], asDev);
    assert.match(await machine.stead(['list'], asDev), /web.*running/);
    assert.equal(readFileSync(machine.path('/home/dev/copies'), 'utf8'), '');
  });
});

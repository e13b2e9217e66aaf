/** The daemon as a unit of the machine's systemd, in a real one (test/systemd/testbed.sh). */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { after, before, suite, test } from 'node:test';
import type { AppDetail } from '../../src/protocol/api.ts';
import { Machine, noMachine } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';

const unit = 'stead.service';
const drop = '/etc/systemd/system/stead.service.d';

/** Others may use this machine as well: by how many times it has more to do than it has processors. */
const slowness = () => Math.max(1, loadavg()[0]! / availableParallelism());

/** Writes its name to /root/ends when it is told to end. */
const endsSlowly = (name: string) => [
  'sh',
  '-c',
  `trap 'sleep 0.2; echo ${name} >>/root/ends; exit 0' TERM; while :; do sleep 0.05; done`,
];

suite('a unit of the machine', { skip: noMachine }, () => {
  let machine: Machine;
  const cleanups: (() => void | Promise<void>)[] = [];
  before(async () => {
    machine = await Machine.boot({ after: (fn) => void cleanups.push(fn) });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const mainPid = async () => Number(await machine.property(unit, 'MainPID'));
  /** Once all that is wanted runs. */
  const running = () =>
    waitFor('all to run', async () => {
      const now = await machine.pids();
      return now.web?.[0] && now.db?.[0] && now.held?.[0] ? now : null;
    });
  const anotherDaemon = (than: number) =>
    waitFor('another daemon to be ready', async () => {
      const state = await machine.property(unit, 'ActiveState');
      const pid = await mainPid();
      return state === 'active' && pid !== 0 && pid !== than ? pid : null;
    });

  test('startup takes a daemon and its programs under systemd, and restarts none', async () => {
    await machine.stead(['start', '--name', 'db', '--', ...endsSlowly('db')]);
    await machine.stead(['start', '--name', 'web', '--depends-on', 'db', '--', ...endsSlowly('web')]);
    await machine.stead(['start', '--name', 'off', '--', 'sleep', '1000']);
    await machine.stead(['stop', 'off']);
    // One with sockets, so with a holder; one with a terminal, so with a pty host.
    await machine.stead(['start', '--name', 'held', '--listen', '127.0.0.1:5000', '--', 'sleep', '1000']);
    await machine.stead(['open', '-d', 'shell', '--', 'sleep', '1000']);
    const before = await machine.pids();
    const { pid: first, guardian } = await machine.daemon();
    const said = await machine.stead(['startup']);
    assert.match(said, /systemd keeps the daemon from now on \(stead\.service, pid \d+\)/);
    assert.deepEqual(await machine.pids(), before);
    const daemon = await machine.daemon();
    assert.notEqual(daemon.pid, first);
    assert.deepEqual(daemon.unit, { name: unit, scope: 'system' });
    assert.equal(await mainPid(), daemon.pid);
    assert.match(await machine.sh(`cat /proc/${daemon.pid}/cmdline | tr '\\0' ' '`), /daemon\.cjs/);
    assert.equal(await machine.property(unit, 'StatusText'), '4 apps, 1 job running');
    const inside = await machine.inUnit(unit);
    for (const pid of [before.db![0], before.web![0], before.shell![0], daemon.pid])
      assert.ok(inside.includes(pid!), `${pid} of ${inside}`);
    // Holder, pty host and launchers as well: nothing of it is anywhere else.
    const session = '/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope/cgroup.procs';
    const others = `while read pid; do tr '\\0' ' ' </proc/$pid/cmdline | grep -F .stead/; done <${session}; true`;
    assert.equal(await machine.sh(`{ ${others}; } 2>/dev/null | grep -v 'while read' || true`), '');
    await waitFor(
      'the guardian to go',
      async () => (await machine.run(['test', '-e', `/proc/${guardian}`])).code !== 0,
    );
    assert.match(await machine.stead(['startup']), /nothing was changed/);
    assert.deepEqual(await machine.pids(), before);
  });

  test('nothing that is of the unit alone is in the environment of a program', async () => {
    await machine.stead(['start', '--name', 'env', '--', 'sleep', '1000']);
    const [pid] = (await machine.pids()).env!;
    const environment = await machine.sh(`tr '\\0' '\\n' </proc/${pid}/environ`);
    assert.doesNotMatch(environment, /NOTIFY_SOCKET|WATCHDOG|INVOCATION_ID|JOURNAL_STREAM|STEAD_UNIT|SYSTEMD/);
    await machine.stead(['delete', 'env']);
  });

  test('systemctl restart and reload, kill -9 and stead daemon restart keep every program', async () => {
    const programs = await running();
    const change = async (words: readonly string[]) => {
      const pid = await mainPid();
      const began = performance.now();
      await machine.ok(words);
      await anotherDaemon(pid);
      assert.deepEqual(await machine.pids(), programs, words.join(' '));
      return performance.now() - began;
    };
    await change(['systemctl', 'restart', unit]);
    const tookMs = await change(['kill', '-9', String(await mainPid())]);
    assert.ok(tookMs < 2000 * slowness(), `${tookMs} ms`);
    const pid = await mainPid();
    await machine.stead(['daemon', 'restart']);
    assert.notEqual(await mainPid(), pid);
    assert.deepEqual(await machine.pids(), programs);
    await machine.ok(['systemctl', 'reload', unit]);
    assert.equal(await machine.property(unit, 'ActiveState'), 'active');
    const { code, stderr } = await machine.tryStead(['daemon', 'stop']);
    assert.equal(code, 5);
    assert.match(stderr, /systemd keeps this daemon \(stead\.service\)/);
  });

  test('the watchdog replaces a daemon that hangs; programs are not touched', async () => {
    machine.write(`${drop}/watchdog.conf`, '[Service]\nWatchdogSec=1s\n');
    await machine.ok(['systemctl', 'daemon-reload']);
    await machine.ok(['systemctl', 'restart', unit]);
    const programs = await running();
    const pid = await mainPid();
    await machine.ok(['kill', '-STOP', String(pid)]);
    await anotherDaemon(pid);
    assert.deepEqual(await machine.pids(), programs);
    // Fed, it lives: for longer than the watchdog waits.
    const fed = await mainPid();
    const began = performance.now();
    await waitFor('1.2 s', () => performance.now() - began > 1200);
    assert.equal(await mainPid(), fed);
  });

  test('a program that fails is in the status', async () => {
    await machine.stead(['start', '--name', 'bad', '--restart', 'no', '--no-wait', '--', 'sh', '-c', 'exit 3']);
    await waitFor(
      'the status',
      async () => (await machine.property(unit, 'StatusText')) === '5 apps, 1 failing, 1 job running',
    );
    await machine.stead(['delete', 'bad']);
  });

  test('systemctl stop ends all in order and leaves nothing; start brings back what was wanted', async () => {
    const programs = await running();
    await machine.ok(['systemctl', 'stop', unit]);
    assert.deepEqual((await machine.sh('cat /root/ends')).trim().split('\n'), ['web', 'db']);
    assert.deepEqual(await machine.inUnit(unit), []);
    for (const [pid] of [programs.web!, programs.db!])
      assert.notEqual((await machine.run(['test', '-e', `/proc/${pid}`])).code, 0);
    await machine.ok(['systemctl', 'start', unit]);
    const again = await waitFor('all to run', async () => {
      const now = await machine.pids();
      return now.web![0] && now.db![0] ? now : null;
    });
    assert.deepEqual(again.off, [null]);
    // A job is not begun again.
    assert.deepEqual(again.shell, [null]);
    const { reason } = JSON.parse(await machine.stead(['show', 'db', '--json'])) as AppDetail;
    assert.equal(reason, null);
  });

  test('a command starts the unit again, not a daemon beside it', async () => {
    await machine.ok(['systemctl', 'stop', unit]);
    await machine.stead(['start', 'off']);
    assert.equal(await machine.property(unit, 'ActiveState'), 'active');
    assert.equal((await machine.daemon()).pid, await mainPid());
    await machine.stead(['stop', 'off']);
  });

  test('what was wanted runs after a boot, what was stopped stays stopped', async () => {
    await machine.powerOff();
    await machine.boot();
    const now = await waitFor('all to run', async () => {
      const pids = await machine.pids();
      return pids.web?.[0] && pids.db?.[0] ? pids : null;
    });
    assert.deepEqual(now.off, [null]);
    assert.equal((await machine.daemon()).pid, await mainPid());
  });

  test('stop ends programs that ignore SIGTERM, and those of a daemon that hangs', async () => {
    const deaf = ['sh', '-c', "trap '' TERM; while :; do sleep 0.1; done"];
    await machine.stead(['start', '--name', 'deaf', '--stop-timeout', '300ms', '--', ...deaf]);
    await machine.ok(['systemctl', 'stop', unit]);
    assert.deepEqual(await machine.inUnit(unit), []);
    machine.write(`${drop}/limit.conf`, '[Service]\nTimeoutStopSec=1s\nWatchdogSec=0\n');
    await machine.ok(['systemctl', 'daemon-reload']);
    await machine.ok(['systemctl', 'start', unit]);
    const pid = await waitFor('deaf to run', async () => (await machine.pids()).web?.[0]);
    await machine.stead(['delete', 'deaf']);
    await machine.ok(['kill', '-STOP', String(await mainPid())]);
    await machine.run(['systemctl', 'stop', unit]);
    assert.deepEqual(await machine.inUnit(unit), []);
    assert.notEqual((await machine.run(['test', '-e', `/proc/${pid}`])).code, 0);
    await machine.sh(`rm -r ${drop}; systemctl daemon-reload; systemctl reset-failed; systemctl start ${unit}`);
  });

  test('an upgrade of stead is taken up by stead daemon restart, with the same unit', async () => {
    const { home } = await machine.daemon();
    const file = readFileSync(machine.path('/etc/systemd/system/stead.service'), 'utf8');
    // Another build, as npm would put it there: the package's files change under the daemon that runs.
    await machine.sh(
      `mkdir -p /root/new && cp -r ${process.cwd()}/bin ${process.cwd()}/dist ${process.cwd()}/package.json /root/new/ &&
       sed -i 's/"id":"[^"]*"/"id":"fedcba98"/' /root/new/dist/build.json && ln -s ${process.cwd()}/node_modules /root/new/node_modules`,
    );
    const programs = await running();
    await machine.ok([process.execPath, '/root/new/bin/stead.cjs', 'daemon', 'restart']);
    const { pid } = await machine.daemon();
    assert.match(await machine.sh(`cat /proc/${pid}/cmdline | tr '\\0' ' '`), /-fedcba98\/daemon\.cjs/);
    assert.deepEqual(await machine.pids(), programs);
    assert.equal(pid, await mainPid());
    await machine.ok(['rm', '-r', '/root/new']);
    await machine.ok(['systemctl', 'restart', unit]);
    assert.deepEqual(await machine.pids(), programs);
    assert.equal(readFileSync(machine.path('/etc/systemd/system/stead.service'), 'utf8'), file);
    await machine.stead(['daemon', 'restart']);
    assert.ok(existsSync(machine.path(`${home}/lib/unit.sh`)));
  });

  test('with a full /run the daemon comes back as ever', async () => {
    await machine.sh(
      'dd if=/dev/zero of=/run/full bs=64k 2>/dev/null || true; echo x >/run/more 2>/dev/null && exit 1 || true',
    );
    const programs = await running();
    const pid = await mainPid();
    await machine.ok(['kill', '-9', String(pid)]);
    await anotherDaemon(pid);
    assert.deepEqual(await machine.pids(), programs);
    await machine.ok(['systemctl', 'restart', unit]);
    assert.deepEqual(await machine.pids(), programs);
    await machine.sh('rm -f /run/full /run/more');
  });

  test('a Node that is gone is replaced by one that is found', async () => {
    await machine.sh('printf "/root/.nvm/versions/node/v20.19.0/bin/node\\n" >/root/.stead/lib/node');
    const programs = await running();
    await machine.ok(['systemctl', 'restart', unit]);
    assert.deepEqual(await machine.pids(), programs);
    assert.match(
      await machine.sh('cat /root/.stead/daemon.log'),
      /v20\.19\.0\/bin\/node is gone; \S+node in its place/,
    );
  });

  test('unstartup takes the unit away, and restarts no program', async () => {
    const programs = await running();
    assert.match(await machine.stead(['unstartup']), /stead\.service is gone.*no program was restarted/);
    assert.deepEqual(await machine.pids(), programs);
    const { unit: none, guardian } = await machine.daemon();
    assert.equal(none, null);
    assert.notEqual(guardian, null);
    assert.equal(existsSync(machine.path('/etc/systemd/system/stead.service')), false);
    assert.match(await machine.stead(['unstartup']), /No unit/);
  });

  test('50 apps: ready within 5 s', async () => {
    const apps = Array.from({ length: 50 }, (_, at) => ({ name: `n${at}`, command: ['sleep', '1000'] }));
    machine.write('/root/fifty.json', JSON.stringify({ apps }));
    await machine.stead(['apply', '/root/fifty.json', '--no-wait']);
    await machine.stead(['startup']);
    await machine.ok(['systemctl', 'stop', unit]);
    const began = performance.now();
    await machine.ok(['systemctl', 'start', unit]);
    assert.ok(performance.now() - began < 5000 * slowness(), `${performance.now() - began} ms`);
    await waitFor(
      '50 to run',
      async () => (await machine.daemon()).running && (await machine.inUnit(unit)).length > 100,
    );
  });
});

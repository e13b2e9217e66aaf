/** An ordinary user's daemon under systemd: by that user's own one, or by root, and what stands in the way (test/systemd/testbed.sh). */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { dev, Machine, noMachine } from '../support/systemd.ts';
import { waitFor } from '../support/wait.ts';

const asDev = { who: 'dev' } as const;
const unit = 'stead.service';
const file = `${dev.home}/.config/systemd/user/${unit}`;

suite('a unit of an ordinary user', { skip: noMachine }, () => {
  let machine: Machine;
  const cleanups: (() => void | Promise<void>)[] = [];
  before(async () => {
    machine = await Machine.boot({ after: (fn) => void cleanups.push(fn) });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const mainPid = async () => Number(await machine.property(unit, 'MainPID', asDev));
  const refused = async (words: readonly string[], options: Parameters<Machine['tryStead']>[1]) => {
    const { code, stderr } = await machine.tryStead(words, options);
    return { code, stderr };
  };

  test('--dry-run prints the unit and does nothing', async () => {
    const text = await machine.stead(['startup', '--dry-run'], asDev);
    assert.match(text, /^Type=notify$/m);
    assert.match(text, /^WantedBy=default\.target$/m);
    assert.doesNotMatch(text, /^User=|^RequiresMountsFor=/m);
    assert.equal(existsSync(machine.path(file)), false);
    assert.equal(existsSync(machine.path(`${dev.home}/.stead`)), false);
  });

  test('without linger, and without the right to it, startup says so and changes nothing', async () => {
    const { code, stderr } = await refused(['startup'], asDev);
    assert.equal(code, 5);
    assert.match(
      stderr,
      /Without linger systemd starts nothing of dev's at boot, and ends all of it at logout; asking for it failed: .+ Nothing was changed/,
    );
    assert.match(stderr, /sudo loginctl enable-linger dev/);
    assert.equal(existsSync(machine.path(file)), false);
  });

  test('where the own systemd is not to be reached, startup says what to do', async () => {
    const env = { XDG_RUNTIME_DIR: '/run/user/nobody', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' };
    const { code, stderr } = await refused(['startup'], { ...asDev, env });
    assert.equal(code, 5);
    assert.match(stderr, /Your own systemd \(systemctl --user\) does not answer: Failed to connect to bus/);
    assert.match(stderr, /log in by ssh.*or as root: stead startup --user/s);
  });

  test("a unit of the machine's is root's to write", async () => {
    const { code, stderr } = await refused(['startup', '--system'], asDev);
    assert.equal(code, 5);
    assert.match(stderr, /root's to write.*sudo .*startup --user dev/s);
  });

  test('with KillUserProcesses=yes and without linger, start says once what a logout will do', async () => {
    const kills = '/run/systemd/logind.conf.d/kills.conf';
    machine.write(kills, '[Login]\nKillUserProcesses=yes\n');
    const first = await machine.tryStead(['start', '--name', 'one', '--', 'sleep', '1000'], asDev);
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stderr,
      /^logind ends all of this when you log out \(KillUserProcesses=yes\): loginctl enable-linger dev/m,
    );
    const second = await machine.tryStead(['start', '--name', 'two', '--', 'sleep', '1000'], asDev);
    assert.doesNotMatch(second.stderr, /logind/);
    const { code, stdout } = await machine.tryStead(['doctor'], asDev);
    assert.equal(code, 1);
    assert.match(stdout, /problem +logins +logind ends all of this/);
    await machine.stead(['delete', 'all'], asDev);
    await machine.stead(['daemon', 'stop'], asDev);
    // With linger its own systemd outlives the session, and so does what is in a scope of it.
    await machine.sh('mkdir -p /var/lib/systemd/linger && touch /var/lib/systemd/linger/dev');
    await machine.stead(['start', '--name', 'one', '--', 'sleep', '1000'], asDev);
    const [pid] = (await machine.pids('dev')).one!;
    assert.match(
      await machine.sh(`grep ^0:: /proc/${pid}/cgroup`),
      /user@4242\.service\/.*\.scope\/stead-[^/]+\/app\.one\.0/,
    );
    await machine.sh('echo 1 >/sys/fs/cgroup/user.slice/user-4242.slice/session-2.scope/cgroup.kill');
    assert.deepEqual((await machine.pids('dev')).one, [pid]);
    await machine.stead(['delete', 'all'], asDev);
    await machine.stead(['daemon', 'stop'], asDev);
    await machine.sh(`rm ${kills}`);
  });

  test('startup takes programs out of the session in which they were started', async () => {
    await machine.stead(['start', '--name', 'web', '--', 'sleep', '1000'], asDev);
    const programs = await machine.pids('dev');
    const [pid] = programs.web!;
    assert.match(await machine.sh(`cat /proc/${pid}/cgroup`), /session-2\.scope/);
    await machine.stead(['startup'], asDev);
    assert.deepEqual(await machine.pids('dev'), programs);
    const cgroup = await machine.sh(`grep ^0:: /proc/${pid}/cgroup`);
    assert.match(cgroup, /user@4242\.service\/app\.slice\/stead\.service\/stead-[^/]+\/app\.web\.0$/m);
    const left = await machine.sh('cat /sys/fs/cgroup/user.slice/user-4242.slice/session-2.scope/cgroup.procs');
    assert.equal(left.trim(), '');
  });

  test('kill -9 and systemctl --user restart keep the program; stop leaves nothing', async () => {
    const programs = await machine.pids('dev');
    const first = await mainPid();
    assert.ok(first > 0);
    await machine.ok(['kill', '-9', String(first)], asDev);
    await waitFor('another daemon', async () => ![0, first].includes(await mainPid()));
    await machine.ok(['systemctl', '--user', 'restart', unit], asDev);
    assert.deepEqual(await machine.pids('dev'), programs);
    await machine.ok(['systemctl', '--user', 'stop', unit], asDev);
    assert.deepEqual(await machine.inUnit(unit, asDev), []);
    assert.notEqual((await machine.run(['test', '-e', `/proc/${programs.web![0]}`])).code, 0);
  });

  test('the end of the user manager ends programs in order, and a boot brings them back', async () => {
    const trap = `trap 'echo ended >>$HOME/ends; exit 0' TERM; while :; do sleep 0.05; done`;
    await machine.stead(['start', '--name', 'last', '--', 'sh', '-c', trap], asDev);
    await machine.ok(['systemctl', 'stop', 'user@4242.service']);
    assert.equal(readFileSync(machine.path(`${dev.home}/ends`), 'utf8'), 'ended\n');
    await machine.powerOff();
    await machine.boot();
    await waitFor('both to run', async () => {
      const { web, last } = await machine.pids('dev');
      return web?.[0] && last?.[0];
    });
  });

  test('unstartup by the user; then root has it started by the machine', async () => {
    const programs = await machine.pids('dev');
    await machine.stead(['unstartup'], asDev);
    assert.equal(existsSync(machine.path(file)), false);
    assert.deepEqual(await machine.pids('dev'), programs);
    await machine.stead(['startup', '--user', 'dev']);
    assert.deepEqual(await machine.pids('dev'), programs);
    const { pid, unit: kept } = await machine.daemon('dev');
    assert.deepEqual(kept, { name: 'stead-dev.service', scope: 'system' });
    assert.match(await machine.sh(`ps -o user= -p ${pid}`), /^dev$/m);
    // The user may have it replaced, and not end it.
    await machine.stead(['daemon', 'restart'], asDev);
    assert.equal(Number(await machine.property('stead-dev.service', 'MainPID')), (await machine.daemon('dev')).pid);
    assert.deepEqual(await machine.pids('dev'), programs);
    await machine.ok(['systemctl', 'stop', 'stead-dev.service']);
    assert.deepEqual(await machine.inUnit('stead-dev.service'), []);
    await machine.ok(['systemctl', 'start', 'stead-dev.service']);
    await machine.stead(['unstartup', '--user', 'dev']);
    const { unit: none } = await machine.daemon('dev');
    assert.equal(none, null);
  });

  test('a unit that exists and is not ours is left as it is', async () => {
    const foreign = '[Service]\nExecStart=/bin/sleep 1000\n';
    machine.write('/etc/systemd/system/stead.service', foreign);
    const { code, stderr } = await refused(['startup'], {});
    assert.equal(code, 5);
    assert.match(
      stderr,
      /\/etc\/systemd\/system\/stead\.service is not written by stead startup; it was left as it is/,
    );
    assert.equal(readFileSync(machine.path('/etc/systemd/system/stead.service'), 'utf8'), foreign);
    await machine.stead(['unstartup']).catch(({ message }) => assert.match(message, /not written by stead startup/));
    await machine.ok(['rm', '/etc/systemd/system/stead.service']);
    machine.write('/run/systemd/system/stead.service', foreign);
    await machine.ok(['systemctl', 'daemon-reload']);
    const other = await refused(['startup'], {});
    assert.match(other.stderr, /\/run\/systemd\/system\/stead\.service is another unit of this name/);
    await machine.sh('rm /run/systemd/system/stead.service; systemctl daemon-reload');
  });

  test('a unit that does not start is taken away again, and the daemon goes on', async () => {
    await machine.stead(['start', '--name', 'kept', '--', 'sleep', '1000']);
    const programs = await machine.pids();
    machine.write('/etc/systemd/system/stead.service.d/bad.conf', '[Service]\nExecStartPre=/bin/false\nRestart=no\n');
    const { code, stderr } = await refused(['startup'], {});
    assert.equal(code, 5);
    assert.match(
      stderr,
      /stead\.service does not start: .*; systemd calls it "exit-code".*the unit was taken away again/,
    );
    assert.equal(existsSync(machine.path('/etc/systemd/system/stead.service')), false);
    assert.deepEqual(await machine.pids(), programs);
    await machine.sh('rm -r /etc/systemd/system/stead.service.d');
  });

  test('where /etc is read-only, startup says so and changes nothing', async () => {
    await machine.ok(['mount', '-o', 'remount,bind,ro', '/etc/systemd/system']);
    const { code, stderr } = await refused(['startup'], {});
    assert.equal(code, 5);
    assert.match(stderr, /\/etc\/systemd\/system is on a read-only file system: no unit can be written there/);
    assert.equal((await machine.daemon()).unit, null);
  });
});

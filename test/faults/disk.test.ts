import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';
import { MountSpace, noMounts } from './harness/mounts.ts';

const skip = noMounts();
const sleeper = ['--', 'sleep', '1000'];

/** The error that a command gives with --json, which comes before its `--`. */
async function errorOf(stead: Stead, [verb, ...rest]: readonly string[]): Promise<{ code: string; hint: string }> {
  const { stdout } = await stead.run([verb!, '--json', ...rest]);
  return JSON.parse(stdout).error;
}

test('a full disk: what can’t be written is refused and not done, supervising goes on, and with room all is as before', {
  skip,
}, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  mkdirSync(`${stead.home}/apps`, { recursive: true, mode: 0o700 });
  await space.shell('chmod 700 "$0" && mount -t tmpfs -o size=128k,mode=700 tmpfs "$0/apps"');
  assert.equal((await space.stead('start', '--name', 'web', ...sleeper)).code, 0);
  const server = `require('net').createServer().listen(${JSON.stringify(`${stead.directory}/s.sock`)})`;
  assert.equal((await space.stead('start', '--name', 'shared', '-i', '1', '--', 'node', '-e', server)).code, 0);
  const pid = await stead.pid('web');
  await space.shell('head -c 1M /dev/zero > "$0/apps/fill" 2>/dev/null; true');

  assert.equal((await errorOf(stead, ['start', '--name', 'other', ...sleeper])).code, 'DISK');
  const { code, hint } = await errorOf(stead, ['restart', 'web']);
  assert.deepEqual([code, /df -h/.test(hint)], ['DISK', true]);
  assert.equal((await errorOf(stead, ['reload', 'shared'])).code, 'DISK');
  assert.deepEqual(
    [await stead.pid('web'), (await stead.list()).map(({ want }) => want)],
    [pid, ['running', 'running']],
  );

  process.kill(pid, 'SIGKILL');
  const again = await waitFor('its restart', async () => {
    const now = (await stead.show('web')).instances[0]!.pid;
    return now !== null && now !== pid && isRunning(now) && now;
  });
  await space.shell('rm "$0/apps/fill"');
  await stead.ok(['start', '--name', 'other', ...sleeper]);
  await stead.ok(['stop', 'web']);
  assert.ok(!isRunning(again));
  assert.equal((await space.stead('daemon', 'restart')).code, 0);
  const views = (await stead.list()).map(({ name, state }) => [name, state]);
  assert.deepEqual(views.sort(), [
    ['other', 'running'],
    ['shared', 'running'],
    ['web', 'stopped'],
  ]);
});

test('a full disk: what is to end ends all the same, which is written as soon as there is room; a delete makes some', {
  skip,
}, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  mkdirSync(`${stead.home}/apps`, { recursive: true, mode: 0o700 });
  await space.shell('chmod 700 "$0" && mount -t tmpfs -o size=128k,mode=700 tmpfs "$0/apps"');
  for (const name of ['web', 'gone']) assert.equal((await space.stead('start', '--name', name, ...sleeper)).code, 0);
  const pids = [await stead.pid('web'), await stead.pid('gone')];
  await space.shell('head -c 1M /dev/zero > "$0/apps/fill" 2>/dev/null; true');
  const { code, stderr } = await space.stead('stop', 'web');
  assert.deepEqual([code, /disk is full: that web is to stay stopped/.test(stderr)], [0, true], stderr);
  assert.equal((await space.stead('delete', 'gone')).code, 0);
  assert.deepEqual(pids.filter(isRunning), []);
  await space.shell('rm "$0/apps/fill"');
  await waitFor('the wish on disk', async () =>
    /"want": "stopped"/.test((await space.run('cat', `${stead.home}/apps/web/state.json`)).stdout),
  );
  assert.equal((await space.stead('daemon', 'restart')).code, 0);
  assert.deepEqual(
    (await stead.list()).map(({ name, state }) => [name, state]),
    [['web', 'stopped']],
  );
});

test('a full disk under the whole home, its own log included: the daemon lives, supervises, and comes back after kill -9', {
  skip,
}, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  mkdirSync(stead.home, { mode: 0o700 });
  await space.shell('mount -t tmpfs -o size=8m,mode=700 tmpfs "$0"');
  const loop = ['--backoff-min', '10ms', '--backoff-max', '50ms', '--', 'sleep', '0.05'];
  assert.equal((await space.stead('start', '--name', 'loop', '--no-wait', ...loop)).code, 0);
  await space.shell('cat /dev/zero >"$0/fill" 2>/dev/null; true');
  const view = async () => JSON.parse((await space.stead('list', '--json')).stdout)[0];
  const daemonPid = async () => JSON.parse((await space.stead('daemon', 'status', '--json')).stdout).pid;
  for (let kills = 0; kills < 2; kills++) {
    const { restarts } = (await view()).instances[0];
    await waitFor('more restarts', async () => (await view()).instances[0].restarts > restarts + 3);
    const pid = await daemonPid();
    process.kill(pid, 'SIGKILL');
    await waitFor('another daemon', async () => ![null, pid].includes(await daemonPid()));
  }
  await space.shell('rm "$0/fill"');
  assert.equal((await space.stead('delete', 'loop')).code, 0);
  assert.equal((await space.stead('daemon', 'stop')).code, 0);
});

test('state that becomes read-only: nothing is lost, and an app that ends meanwhile comes back when it can', {
  skip,
}, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  assert.equal((await space.stead('start', '--name', 'web', ...sleeper)).code, 0);
  const pid = await stead.pid('web');
  // Another mount over it: what is open to be written would keep this one from becoming read-only.
  await space.shell('mount --bind "$0/apps" "$0/apps" && mount -o remount,bind,ro "$0/apps"');

  assert.equal((await errorOf(stead, ['stop', 'web'])).code, 'DISK');
  assert.equal((await errorOf(stead, ['delete', 'web'])).code, 'DISK');
  assert.equal(await stead.pid('web'), pid);
  process.kill(pid, 'SIGKILL');
  // Its launcher keeps the end until it can be written.
  await waitFor('its end', () => !isRunning(pid));
  assert.equal((await stead.list()).length, 1);
  await space.shell('umount -l "$0/apps"');
  const { exits } = await stead.until(
    'web',
    'its restart',
    ({ state, instances }) => state === 'running' && instances[0]!.pid !== pid,
  );
  assert.equal(exits.at(-1)!.signal, 'SIGKILL');
  await stead.ok(['stop', 'web']);
});

test('a read-only home without a daemon can be listed, and a start says why it can’t be', { skip }, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  await stead.ok(['start', '--name', 'web', ...sleeper]);
  await stead.ok(['daemon', 'stop']);
  await space.shell('mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"');
  const list = await space.stead('list', '--json');
  assert.deepEqual([list.code, JSON.parse(list.stdout)[0].name], [0, 'web']);
  const { code, stdout } = await space.stead('start', '--json', '--name', 'other', ...sleeper);
  assert.notEqual(code, 0);
  assert.match(JSON.parse(stdout).error.code, /^(DISK|HOME_UNUSABLE)$/);
});

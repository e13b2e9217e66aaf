/** The daemon's own commands, a daemon that hangs, and homes of other users. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MountSpace, noMounts } from '../faults/harness/mounts.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning } from '../support/proc.ts';
import { collect, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const isRoot = process.geteuid!() === 0;

test('restart replaces the daemon and leaves the programs alone', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '100']);
  const pid = await stead.pid('web');
  const before = await stead.daemon();
  await stead.ok(['daemon', 'restart']);
  const after = await stead.daemon();
  assert.ok(after.running && after.pid !== before.pid);
  assert.equal(await stead.pid('web'), pid);
  assert.match((await stead.ok(['daemon', 'stop'])).stdout, /has ended; your programs run on\.\n$/);
  assert.match((await stead.ok(['daemon', 'stop'])).stdout, /was not running/);
  assert.ok(isRunning(pid));
});

test('stop says that programs run on only if some run', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '100']);
  await stead.ok(['stop', 'web']);
  assert.match((await stead.ok(['daemon', 'stop'])).stdout, /^The daemon \(pid \d+\) has ended\.\n$/);
});

test('a daemon that hangs is named, and daemon restart replaces it', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '100']);
  const [program, { pid }] = [await stead.pid('web'), await stead.daemon()];
  process.kill(pid!, 'SIGSTOP');
  for (const args of [['list'], ['stop', 'web']]) {
    const { code, stderr } = await stead.run(args);
    assert.equal(code, 4, stderr);
    assert.match(stderr, new RegExp(`pid ${pid}\\) has not answered`));
    assert.match(stderr, /stead daemon restart/);
  }
  await stead.ok(['daemon', 'restart']);
  assert.notEqual((await stead.daemon()).pid, pid);
  assert.equal(await stead.pid('web'), program);
});

test('daemon run stays in the foreground until it is told to end', async (t) => {
  const stead = new Stead(t);
  const child = spawn(process.execPath, [steadBin, 'daemon', 'run'], { env: stead.env });
  const result = collect(child, 'daemon run', 30_000);
  await waitFor('its answer', async () => (await stead.daemon()).running);
  const second = await stead.run(['daemon', 'run']);
  assert.equal(second.code, 5);
  assert.match(second.stderr, /runs already/);
  child.kill('SIGTERM');
  assert.equal((await result).code, 0);
  assert.equal((await stead.daemon()).running, false);
});

test('a home that is no directory is an error for every command, and not a home without apps', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.directory, 'file');
  writeFileSync(file, '');
  for (const home of [file, join(file, 'home')]) {
    for (const line of ['list', '', 'show web', 'why web', 'logs web', 'pid web', 'stop all', 'start -- sleep 100']) {
      const { code, stdout, stderr } = await stead.run(line.split(' ').filter(Boolean), { env: { STEAD_HOME: home } });
      assert.deepEqual([code, stdout], [5, ''], `${line}: ${stderr}`);
      assert.match(stderr, /not a directory|no directory/i, line);
    }
  }
});

test('a home on a read-only file system is said to be so, there or not', { skip: noMounts() }, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  const disk = stead.folder('disk');
  mkdirSync(join(disk, 'there'), { mode: 0o700 });
  await space.shell(`mount --bind '${disk}' '${disk}' && mount -o remount,bind,ro '${disk}'`);
  for (const name of ['there', 'new', 'deep/er/new']) {
    const home = join(disk, name);
    const line = ['env', `STEAD_HOME=${home}`, process.execPath, steadBin, 'start', '--', 'sleep', '100'] as const;
    const { code, stderr } = await space.run(...line);
    assert.equal(code, 5, stderr);
    assert.ok(
      stderr.includes(`The home "${home}" can't be used: its file system is read-only.\nHint: mount it`),
      stderr,
    );
  }
});

test('in a home of another user nothing is written, and list says whose it is', {
  skip: !isRoot && 'only root',
}, async (t) => {
  const stead = new Stead(t);
  mkdirSync(join(stead.home, 'apps'), { recursive: true });
  chownSync(stead.home, 65534, 65534);
  const { code, stderr } = await stead.run(['start', '--', 'sleep', '100']);
  assert.equal(code, 5);
  assert.match(stderr, /belongs to nobody, and you are root/);
  assert.deepEqual(readdirSync(stead.home), ['apps']);
  assert.match((await stead.ok(['list'])).stderr, /nobody's home/);
});

test('under sudo no home is made in the directory of the user', { skip: !isRoot && 'only root' }, async (t) => {
  const stead = new Stead(t);
  const theirs = stead.folder('theirs');
  chownSync(theirs, 65534, 65534);
  const env = { STEAD_HOME: '', HOME: theirs, SUDO_USER: 'nobody', SUDO_UID: '65534' };
  assert.equal((await stead.run(['start', '--', 'sleep', '100'], { env })).code, 5);
  assert.match((await stead.ok(['list'], { env })).stderr, /This is .*theirs/);
  assert.ok(!existsSync(join(theirs, '.stead')));
});

test('a home that cannot be read is said to be so', { skip: !isRoot && 'only root' }, async (t) => {
  const stead = new Stead(t);
  mkdirSync(join(stead.home, 'apps'), { recursive: true, mode: 0o700 });
  chmodSync(stead.directory, 0o755);
  const script = 'exec setpriv --reuid=65534 --clear-groups "$@"';
  const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, steadBin, 'list'], { env: stead.env });
  const { code, stderr } = await collect(child, 'list', 30_000);
  assert.equal(code, 5);
  assert.match(stderr, /belongs to another user/);
  assert.equal(lstatSync(stead.home).uid, 0);
});

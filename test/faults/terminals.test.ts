/** Sessions where something is lacking: pseudoterminals, a directory, room on the disk, permission; and many of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { clientOf, clientSocketOf } from '../support/sessions.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';
import { MountSpace, noMounts } from './harness/mounts.ts';
import { manySessions } from './harness/terminal-many.ts';

const skip = noMounts();

test('no pseudoterminal is left: it is said, nothing is left behind, and with one more it works', {
  skip,
}, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  await space.shell(
    'mount -t devpts -o newinstance,ptmxmode=0666,max=1 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx',
  );
  assert.equal((await space.stead('open', '-d', 'one', '--', 'sleep', '1000')).code, 0);
  const refused = await space.stead('open', '-d', 'two', '--', 'sleep', '1000');
  assert.deepEqual(
    [refused.code, /no pseudoterminal is left on this machine/.test(refused.stderr)],
    [125, true],
    refused.stderr,
  );
  assert.match(refused.stderr, /kernel\.pty\.max/);
  assert.equal((await space.stead('delete', 'one')).code, 0);
  await stead.until('two', 'its start', ({ state }) => state === 'running');
});

const stead = new Stead({ after });

test('a directory that is not there: 125, and no session is left', async () => {
  const gone = join(stead.directory, 'gone');
  const { code, stderr } = await stead.run(['open', '-d', 'x', '--cwd', gone, '--', 'sleep', '1000']);
  assert.deepEqual([code, /working directory ".*gone" does not exist/.test(stderr)], [125, true], stderr);
  assert.deepEqual(await stead.list(), []);
});

test('a full disk under the log: the program waits, and goes on when there is room; no byte is missing', {
  skip,
}, async (t) => {
  const stead = new Stead(t);
  const space = await MountSpace.make(stead);
  mkdirSync(`${stead.home}/logs`, { recursive: true, mode: 0o700 });
  await space.shell('chmod 700 "$0" && mount -t tmpfs -o size=256k,mode=700 tmpfs "$0/logs"');
  const script = 'read line; seq -f "%015.0f" 20000; echo over; read line';
  assert.equal((await space.stead('open', '-d', 'full', '--', '/bin/bash', '-c', script)).code, 0);
  const client = await clientOf(stead, 'full');
  client.type('go\n');
  const log = `${stead.home}/logs/full/0.out.log`;
  const size = async () => Number((await space.run('stat', '-c', '%s', log)).stdout);
  await waitFor('a full disk', async () => (await size()) > 150_000);
  // It is at rest, and so is whoever moves its output.
  const answer = await client.ask({ session: 'full:0', what: 'size' });
  assert.equal(answer.what, 'size');
  await space.shell('mount -o remount,size=8m "$0/logs"');
  await client.shows(/\bover$/);
  const text = (await space.run('cat', log)).stdout;
  const numbers = [...text.matchAll(/^(\d{15})\r$/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    Array.from({ length: 20_000 }, (_, at) => at + 1),
  );
  await client.close();
});

const nobody = 65_534;
const connects =
  "require('net').connect(process.argv[1]).on('connect', () => console.log('connected')).on('error', ({ code }) => console.log(code))";

test('another user can neither look into the terminals’ directory nor connect', {
  skip: process.getuid?.() !== 0 && 'needs root, to be another user',
}, async () => {
  await stead.ok(['open', '-d', 'mine', '--', 'sleep', '1000']);
  const directory = join(stead.home, 'terminals');
  await clientOf(stead, 'mine').then((client) => client.close());
  const modes = ['', 'host.sock', 'control.sock'].map((name) =>
    (statSync(join(directory, name)).mode & 0o777).toString(8),
  );
  assert.deepEqual(modes, ['700', '600', '600']);
  const asNobody = (path: string) =>
    spawnSync(
      'setpriv',
      ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', process.execPath, '-e', connects, path],
      { encoding: 'utf8' },
    ).stdout.trim();
  for (const path of [stead.directory, stead.home]) chmodSync(path, 0o755);
  assert.equal(asNobody(clientSocketOf(stead)), 'EACCES');
  chmodSync(directory, 0o755);
  for (const name of ['host.sock', 'control.sock']) assert.equal(asNobody(join(directory, name)), 'EACCES');
});

test('a terminals’ directory that is a link, or another’s, is refused', {
  skip: process.getuid?.() !== 0 && 'needs root, to make it another’s',
}, async () => {
  await stead.ok(['delete', 'mine']);
  await stead.ok(['daemon', 'stop']);
  const directory = join(stead.home, 'terminals');
  rmSync(directory, { recursive: true, force: true });
  const elsewhere = stead.folder('elsewhere');
  symlinkSync(elsewhere, directory);
  const open = () => stead.run(['open', '-d', 'x', '--', 'sleep', '1000']);
  const viaLink = await open();
  assert.deepEqual([viaLink.code, /terminals" is a symbolic link/.test(viaLink.stderr)], [125, true], viaLink.stderr);
  rmSync(directory);
  mkdirSync(directory, { mode: 0o700 });
  chownSync(directory, nobody, nobody);
  const ofAnother = await open();
  assert.deepEqual([ofAnother.code, /belongs to uid 65534/.test(ofAnother.stderr)], [125, true], ofAnother.stderr);
  rmSync(directory, { recursive: true });
  await stead.until('x', 'its start', ({ state }) => state === 'running');
});

test('sessions that come and go leave no descriptor, no terminal and no memory', () =>
  manySessions(stead, { rounds: 1, each: 8 }));

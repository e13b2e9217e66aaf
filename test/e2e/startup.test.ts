/** `startup` where no systemd runs: what to do is printed, and nothing is changed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const skip = existsSync('/run/systemd/system') ? 'systemd runs here' : false;

test('without systemd startup prints what to do, and what it prints brings all back', { skip }, async (t) => {
  const stead = new Stead(t);
  const { code, stdout, stderr } = await stead.run(['startup']);
  assert.equal(code, 1);
  assert.match(stderr, /does not run systemd; nothing was changed/);
  assert.match(stderr, /stead daemon prepare/);
  assert.equal(existsSync(stead.home), false);
  assert.match((await stead.ok(['unstartup'])).stdout, /there is no unit/);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const before = await stead.pid('web');
  const line = /^@reboot (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) return;
  // As after a boot: nothing of it is alive.
  const { pid, guardian } = await stead.daemon();
  for (const each of [guardian!, pid!, before]) process.kill(each, 'SIGKILL');
  const cron = spawn('sh', ['-c', line], { env: { PATH: '/usr/bin:/bin', HOME: stead.directory }, stdio: 'ignore' });
  await new Promise((resolve) => cron.once('exit', resolve));
  await waitFor('another daemon', async () => ![null, pid].includes((await stead.daemon()).pid));
  const again = await waitFor('web to run again', async () => {
    const now = (await stead.list())[0]?.instances[0]?.pid;
    return now && now !== before ? now : null;
  });
  assert.ok(again > 0);
});

test('a Node that is gone is replaced by one that is found', { skip }, async (t) => {
  const stead = new Stead(t);
  await stead.ok(['daemon', 'prepare']);
  writeFileSync(join(stead.home, 'lib/node'), '/home/nobody/.nvm/versions/node/v20.19.0/bin/node\n');
  const doctor = await stead.run(['doctor']);
  assert.match(doctor.stdout, /problem +node .*v20\.19\.0\/bin\/node, with which the daemon was started, is gone/);
  const script = join(stead.home, 'lib/unit.sh');
  const env = { PATH: '/usr/bin:/bin', HOME: stead.directory };
  spawn('sh', [script, 'boot', stead.home], { env, stdio: 'ignore' });
  await waitFor('a daemon', async () => (await stead.daemon()).running);
});

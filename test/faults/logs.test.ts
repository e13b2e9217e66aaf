import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';
import { logRotation } from './harness/log-rotation.ts';

test('lines at full speed, rotation, followers, the daemon killed: each line once over archives and file, and once in each follower', async (t) => {
  await logRotation(new Stead(t), { lines: 300_000, kills: 3, seed: 5, maxSize: '2M' });
});

test('the logs of a home are kept within its cap: the oldest archives go, whosesoever they are', async (t) => {
  const stead = new Stead(t);
  mkdirSync(stead.home, { mode: 0o700 });
  writeFileSync(join(stead.home, 'config.yaml'), 'logs: { max_total: 600K }\n');
  const script = (word: string) =>
    `let n = 0; const step = () => { if (n++ === 40) return; require('fs').writeSync(1, ('${word} ' + n).padEnd(49999, '.') + '\\n'); setTimeout(step, 100) }; step(); setInterval(() => {}, 1e9)`;
  const options = ['--log-max-size', '200K', '--log-keep', '100', '--no-log-compress'];
  for (const name of ['a', 'b'])
    await stead.ok(['start', '--name', name, ...options, '--', process.execPath, '-e', script(name)]);
  const bytes = () =>
    ['a', 'b'].flatMap((name) => archives(stead, name)).reduce((sum, path) => sum + statSync(path).size, 0);
  for (const name of ['a', 'b'])
    await waitFor('its last line', async () =>
      (await stead.ok(['logs', name, '-n', '1'])).stdout.startsWith(`${name} 40.`),
    );
  await waitFor('more than the cap', () => bytes() > 700_000);
  // The cap is looked at once a minute, and when the daemon starts.
  await stead.ok(['daemon', 'restart']);
  await waitFor('the cap to be kept', () => bytes() <= 600 * 1024, { timeoutMs: 90_000 });
  assert.ok((await stead.ok(['logs', 'a', '-n', '1'])).stdout.startsWith('a 40.'));
});

const archives = (stead: Stead, name: string): string[] =>
  readdirSync(join(stead.home, 'logs', name))
    .filter((file) => /\.log\.\d/.test(file))
    .map((file) => join(stead.home, 'logs', name, file));

test('a log that can’t be opened: the app does not start blind, and comes up when it can', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--backoff-max', '300ms', '--', 'sleep', '1000']);
  const file = join(stead.home, 'logs/web/0.out.log');
  await stead.ok(['stop', 'web']);
  rmSync(file);
  mkdirSync(file);
  const { code, stderr } = await stead.run(['start', 'web']);
  assert.deepEqual([code !== 0, /0\.out\.log/.test(stderr)], [true, true], stderr);
  rmdirSync(file);
  await stead.ok(['start', 'web']);
  assert.equal((await stead.show('web')).state, 'running');
});

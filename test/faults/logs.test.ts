import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { steadBin } from '../support/paths.ts';
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
  await stead.ok(['logs', 'a', '-n', '1']);
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

test('a follower of a log of which nothing is kept, stopped meanwhile: what it misses is said, and no line is garbled or comes twice', async (t) => {
  const stead = new Stead(t);
  const script = `let n = 0; const step = () => { if (n >= 200000) return; let s = ''; for (let i = 0; i < 400; i++) s += 'line ' + ++n + ' ' + 'x'.repeat(n % 90) + '\\n'; require('fs').writeSync(1, s); setTimeout(step, 8) }; step(); setInterval(() => {}, 1e9)`;
  const options = ['--no-wait', '--log-max-size', '64K', '--log-keep', '0'];
  await stead.ok(['start', '--name', 'web', ...options, '--', process.execPath, '-e', script]);
  const child = spawn(process.execPath, [steadBin, 'logs', '-f', 'web', '-n', '0'], { env: stead.env });
  t.after(() => child.kill('SIGKILL'));
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    text.err += chunk;
  });
  await waitFor('it to follow', () => text.out.length > 10_000);
  child.kill('SIGSTOP');
  const newest = async () => Number(/^line (\d+)/.exec((await stead.ok(['logs', 'web', '-n', '1'])).stdout)?.[1] ?? 0);
  const stoppedAt = await newest();
  await waitFor('rotations', async () => (await newest()) > stoppedAt + 20_000);
  child.kill('SIGCONT');
  await waitFor('the last line', () => text.out.includes('line 200000 '), { timeoutMs: 60_000 });
  assert.match(text.err, /\d+ bytes of .* were rotated away before they were read/);
  let last = 0;
  for (const line of text.out.split('\n').filter(Boolean)) {
    const number = Number(/^line (\d+) (x*)$/.exec(line)?.[1]);
    // The first line after a gap may be the rest of one.
    if (Number.isNaN(number) && /^(?:line \d* ?|[\dine ]*)x*$/.test(line)) continue;
    assert.ok(number > last, `"${line.slice(0, 100)}" after line ${last}`);
    last = number;
  }
});

/** `run`, `run -f` and `wait`: nohup done right. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { steadBin } from '../support/paths.ts';
import { isRunning } from '../support/proc.ts';
import { collect, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const sh = (script: string) => ['--', 'sh', '-c', script];

test('run returns at once with name and log; wait hands over the exit code', async (t) => {
  const stead = new Stead(t);
  const { stdout } = await stead.ok(['run', '--name', 'job', ...sh('echo out; echo err >&2; sleep 0.2; exit 7')]);
  assert.match(stdout, /^job runs, pid \d+; output in .*\/logs\/job\/0\.out\.log\n$/);
  const waited = await stead.run(['wait', 'job']);
  assert.deepEqual([waited.code, waited.stdout], [7, 'job: exit code 7\n']);
  assert.equal((await stead.ok(['logs', 'job', '--out'])).stdout, 'out\n');
  assert.equal((await stead.ok(['logs', 'job', '--err'])).stdout, 'err\n');
});

test('run -f keeps the two outputs apart and ends with the code of the program', async (t) => {
  const stead = new Stead(t);
  const lines = await stead.run([
    'run',
    '-f',
    ...sh('i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; echo bad >&2; exit 3'),
  ]);
  assert.equal(lines.code, 3);
  assert.equal(lines.stdout, Array.from({ length: 2000 }, (_, at) => `line ${at}\n`).join(''));
  assert.equal(lines.stderr, 'bad\n');
  assert.equal((await stead.run(['run', '-f', ...sh('kill -9 $$')])).code, 137);
  assert.equal((await stead.run(['run', '-f', '--', 'true'])).code, 0);
});

test('run ends with 126 for what cannot be executed, 127 for what is not there, 125 for a failure of its own', async (t) => {
  const stead = new Stead(t);
  writeFileSync(join(stead.directory, 'plain'), 'text', { mode: 0o644 });
  for (const flags of [[], ['-f']]) {
    assert.equal((await stead.run(['run', ...flags, './plain'])).code, 126);
    assert.equal((await stead.run(['run', ...flags, './missing'])).code, 127);
    assert.equal((await stead.run(['run', ...flags, 'no-such-command'])).code, 127);
    assert.equal((await stead.run(['run', ...flags, '--cwd', '/missing', 'true'])).code, 125);
    assert.equal((await stead.run(['run', ...flags])).code, 125);
  }
  assert.equal((await stead.run(['wait', 'nobody'])).code, 125);
  assert.deepEqual(await stead.list(), []);
});

test('wait gives the first code that is not 0, and 124 at its timeout', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['run', '--name', 'good', '--', 'true']);
  await stead.ok(['run', '--name', 'bad', ...sh('exit 4')]);
  await stead.ok(['run', '--name', 'long', '--', 'sleep', '100']);
  assert.equal((await stead.run(['wait', 'good', 'bad'])).code, 4);
  const late = await stead.run(['wait', 'long', '--timeout', '100ms']);
  assert.equal(late.code, 124);
  assert.match(late.stderr, /Still going after 0.1 s: long/);
  const { error } = await stead.json<{ error: { code: string } }>(['wait', 'long', '--timeout', '100ms']);
  assert.equal(error.code, 'TIMED_OUT');
});

for (const [signal, code] of [
  ['SIGINT', 143],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} to run -f stops the job and hands over its code`, async (t) => {
    const stead = new Stead(t);
    const child = spawn(process.execPath, [steadBin, 'run', '-f', '--name', 'job', ...sh('echo ready; sleep 100')], {
      env: stead.env,
    });
    const result = collect(child, 'run -f', 30_000);
    await waitFor('the first line', () => new Promise((resolve) => child.stdout.once('data', () => resolve(true))));
    const pid = await stead.pid('job');
    child.kill(signal);
    assert.equal((await result).code, code);
    assert.ok(!isRunning(pid));
  });
}

test('a hang-up ends run -f and leaves the job running', async (t) => {
  const stead = new Stead(t);
  const child = spawn(process.execPath, [steadBin, 'run', '-f', '--name', 'job', ...sh('echo ready; sleep 100')], {
    env: stead.env,
  });
  const result = collect(child, 'run -f', 30_000);
  await waitFor('the first line', () => new Promise((resolve) => child.stdout.once('data', () => resolve(true))));
  child.kill('SIGHUP');
  assert.equal((await result).signal, 'SIGHUP');
  assert.ok(isRunning(await stead.pid('job')));
});

test('run -f shows nothing of an earlier job whose logs were kept', async (t) => {
  const stead = new Stead(t);
  await stead.run(['run', '-f', '--name', 'job', '--', 'echo', 'old']);
  await stead.ok(['delete', 'job']);
  assert.equal((await stead.run(['run', '-f', '--name', 'job', '--', 'echo', 'new'])).stdout, 'new\n');
});

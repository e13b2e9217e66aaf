import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** A program that somebody else started, with a child of its own. */
function foreign(stead: Stead, line: string): number {
  const out = openSync(join(stead.directory, 'foreign.out'), 'a');
  const child = spawn('/bin/sh', ['-c', line], {
    cwd: stead.directory,
    env: { ...stead.env, MARK: 'kept' },
    stdio: ['ignore', out, out],
    detached: true,
  });
  child.unref();
  return child.pid!;
}

test('an adopted program is listed, its end is followed by a start, and stop ends it and its children', async (t) => {
  const stead = new Stead(t);
  const pid = foreign(stead, 'sleep 3001 & sleep 3002; :');
  const { stderr } = await stead.ok(['adopt', String(pid), '--name', 'taken']);
  assert.match(stderr, /its output stays where it goes: .*foreign\.out/);
  assert.match(stderr, /exit code can't be known/);
  assert.equal(await stead.pid('taken'), pid);
  assert.equal((await stead.show('taken')).processes.length, 3);
  process.kill(pid, 'SIGKILL');
  const app = await stead.until(
    'taken',
    'its restart',
    ({ state, instances }) => state === 'running' && instances[0]!.pid !== pid,
  );
  assert.deepEqual([app.exits[0]!.code, app.exits[0]!.signal], [null, null]);
  const again = app.instances[0]!.pid!;
  const processes = (await stead.until('taken', 'its children', (now) => now.processes.length === 3)).processes.map(
    (each) => each.pid,
  );
  assert.ok((await stead.run(['show', 'taken', '--show-env'])).stdout.includes('MARK=kept'));
  await stead.ok(['stop', 'taken']);
  assert.deepEqual(processes.filter(isRunning), []);
  assert.equal(isRunning(again), false);
});

test('an adopted program outlives the daemon like the others, and a stopped one is continued', async (t) => {
  const stead = new Stead(t);
  const pid = foreign(stead, 'exec sleep 3003');
  process.kill(pid, 'SIGSTOP');
  const { stderr } = await stead.ok(['adopt', String(pid)]);
  assert.match(stderr, /was continued/);
  process.kill((await stead.daemon()).pid!, 'SIGKILL');
  await waitFor('the daemon to be back', async () => (await stead.daemon()).running);
  assert.equal(await stead.pid('sleep'), pid);
});

test('what was adopted can be given back: it is forgotten and runs on; what stead started can not', async (t) => {
  const stead = new Stead(t);
  const pid = foreign(stead, 'exec sleep 3004');
  await stead.ok(['adopt', String(pid), '--name', 'guest']);
  await stead.ok(['start', '--name', 'own', '--', 'sleep', '3005']);
  assert.equal((await stead.run(['delete', 'guest', 'own', '--leave-running'])).code, 5);
  assert.equal((await stead.list()).length, 2);
  const { stdout } = await stead.ok(['delete', 'guest', '--leave-running']);
  assert.match(stdout, /guest forgotten, and left running/);
  assert.deepEqual([isRunning(pid), (await stead.list()).map(({ name }) => name)], [true, ['own']]);
});

test('the shell that asks is not adopted', async (t) => {
  const stead = new Stead(t);
  const { code, stderr } = await stead.run(['adopt', String(process.pid)]);
  assert.deepEqual([code, /this command runs in it/.test(stderr)], [5, true], stderr);
});

test("what can't be adopted is refused with the reason", async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'own', '--', 'sleep', '1000']);
  const own = await stead.pid('own');
  const refusals = [
    ['1', 5, /init/],
    [String(own), 5, /belongs to the app "own"/],
    [String((await stead.daemon()).pid), 5, /stead itself/],
    ['99999999', 3, /no process/],
    ['x', 2, /no pid/],
  ] as const;
  for (const [pid, code, words] of refusals) {
    const result = await stead.run(['adopt', pid]);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, words);
  }
});

test('uninstall names what runs, asks, and leaves nothing', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const pid = await stead.pid('web');
  const unasked = await stead.run(['uninstall', '--purge']);
  assert.equal(unasked.code, 5);
  assert.match(unasked.stderr, /These end: web/);
  assert.ok(isRunning(pid));
  const { pid: daemon, guardian } = await stead.daemon();
  await stead.ok(['uninstall', '--purge', '--yes']);
  await waitFor('the end of all', () => [pid, daemon!, guardian!].every((each) => !isRunning(each)));
  assert.equal(existsSync(stead.home), false);
});

test('what is not stead’s stays in the home that is uninstalled', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['run', '--', 'true']);
  writeFileSync(join(stead.home, 'mine.txt'), 'mine');
  const { stdout } = await stead.ok(['uninstall', '--purge', '--yes']);
  assert.match(stdout, /stay: mine\.txt/);
});

/** This process is the program here: what it writes to files is on record in /proc. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { processStat } from '../host/process.ts';
import { mostOwnRestarts, OwnWrites } from './own-writes.ts';

const self = { pid: process.pid, startTicks: processStat(process.pid)!.startTicks };

/** Runs that each write something so long after their start. */
function program(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'stead-own-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const write = (path: string, size = 100) => writeFileSync(join(directory, path), 'x'.repeat(size));
  const writes = new OwnWrites(directory);
  let beganAt = 0;
  const judge = (path: string, ageMs: number) =>
    writes.judge({ paths: [path], count: 1 }, beganAt + ageMs, { members: () => [self], beganAt });
  /** Makes a file in a new run, and is asked about it. */
  const run = (path: string, ageMs: number) => {
    beganAt = Math.max(beganAt + 1, Date.now() - 1);
    write(path);
    return judge(path, ageMs);
  };
  return { write, judge, run };
}

const isOnDisk = (): boolean => !/^write_bytes: 0$/m.test(readFileSync('/proc/self/io', 'utf8'));

test('a file that a program writes at each start is left out, whatever it is called', (t) => {
  const { run } = program(t);
  const asked = (n: number) => run(`state${n}.json`, 500);
  for (let n = 0; n < mostOwnRestarts; n++) assert.equal(asked(n).isLeftOut, false);
  if (!isOnDisk()) return t.skip('the kernel counts no writes here');
  assert.deepEqual(asked(10), { isLeftOut: true, fresh: ['state10.json'] });
  assert.deepEqual(asked(11), { isLeftOut: true, fresh: [] });
  assert.equal(run('state12.txt', 500).isLeftOut, true);
  assert.equal(run('later.json', 30_000).isLeftOut, false);
});

test('so is one that comes as late after each start; at another time it counts', (t) => {
  const { run, judge, write } = program(t);
  const lateBy = [6000, 6200, 5800, 6100, 6300];
  for (const ageMs of lateBy) assert.equal(run('state.json', ageMs).isLeftOut, false);
  if (!isOnDisk()) return t.skip('the kernel counts no writes here');
  assert.deepEqual(run('state.json', 6000), { isLeftOut: true, fresh: ['state.json'] });
  // Again and again in one run.
  write('state.json');
  assert.equal(judge('state.json', 12_000).isLeftOut, true);
  write('state.json');
  assert.equal(judge('state.json', 18_000).isLeftOut, true);
  // Nobody here has written meanwhile.
  assert.equal(judge('state.json', 25_000).isLeftOut, false);
});

test('saves of a person at any time are no row', (t) => {
  const { run } = program(t);
  for (const ageMs of [7000, 9000, 14_000, 6500, 20_000, 8000, 11_000])
    assert.equal(run('app.js', ageMs).isLeftOut, false);
});

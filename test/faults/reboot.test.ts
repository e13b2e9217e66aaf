import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRunning } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';
import { checkInvariants } from './harness/invariants.ts';

test('after a reboot what was wanted is started afresh, what was stopped stays stopped, and no old pid is touched', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'wanted', '--', 'sleep', '1000']);
  await stead.ok(['start', '--name', 'stopped', '--', 'sleep', '1000']);
  await stead.ok(['run', '--name', 'job', '--', 'sleep', '1000']);
  await stead.ok(['stop', 'stopped']);
  const pids = [await stead.pid('wanted'), await stead.pid('job')];
  await stead.ok(['daemon', 'stop']);
  // Another boot: the same files, and pids that are other processes' by now (here: these very ones, which must be left alone).
  for (const name of readdirSync(join(stead.home, 'apps'))) {
    const file = join(stead.home, 'apps', name, 'state.json');
    const state = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...state, bootId: '00000000-0000-0000-0000-000000000000' }));
  }
  assert.match((await stead.run(['list'])).stdout, /wanted +stopped/);
  await stead.ok(['daemon', 'restart']);
  const wanted = await stead.until('wanted', 'its start', ({ state }) => state === 'running');
  assert.ok(!pids.includes(wanted.instances[0]!.pid!));
  const states = Object.fromEntries(
    (await stead.list()).map(({ name, state, reason }) => [name, `${state}: ${reason}`]),
  );
  assert.match(states.stopped!, /^stopped/);
  assert.match(states.job!, /^failed: interrupted by a restart of the machine/);
  assert.ok(pids.every(isRunning), 'a pid of the old boot was signalled');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await waitFor('their end', () => !pids.some(isRunning));
  await checkInvariants(stead);
});

test('a home that is removed is made again, and nothing that runs is lost', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  await stead.ok(['run', '--name', 'job', '--', 'sh', '-c', 'sleep 2; exit 7']);
  const [web, before] = [await stead.pid('web'), await stead.daemon()];
  await execute('/bin/rm', ['-rf', stead.home]);
  await waitFor('the daemon in the new home', async () => {
    const { running, pid } = await stead.daemon();
    return running && pid !== before.pid;
  });
  assert.equal(await stead.pid('web'), web);
  assert.equal((await stead.run(['wait', 'job'])).code, 7);
  process.kill(web, 'SIGKILL');
  await stead.until('web', 'its restart', ({ state, instances }) => state === 'running' && instances[0]!.pid !== web);
});

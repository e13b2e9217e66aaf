import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';
import { daemonKills } from './harness/daemon-kills.ts';
import { checkInvariants, daemonsOf } from './harness/invariants.ts';

const facts = (stead: Stead) => JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8'));

for (const cgroup of [true, false]) {
  test(`the daemon is killed 8 times: no pid changes, no line is lost, every end is known${cgroup ? '' : ' (without cgroups)'}`, async (t) => {
    const stead = new Stead(t, cgroup ? {} : { env: { STEAD_NO_CGROUP: '1' } });
    await daemonKills(stead, { kills: 8, seed: 7 });
  });
}

test('guardian and daemon are killed together: the list tells from the files, the next command takes all up', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  await stead.ok(['start', '--name', 'dies', '--', 'sleep', '1000']);
  const [web, dies] = [await stead.pid('web'), await stead.pid('dies')];
  const { guardian, pid } = facts(stead);
  process.kill(guardian, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  // A guardian that the daemon started in the meantime would bring one up: then there is nothing to show from the files.
  process.kill(dies, 'SIGKILL');
  await waitFor('the end of both', () => !isRunning(guardian) && !isRunning(pid));
  const { stdout } = await stead.run(['list', '--json']);
  assert.equal(JSON.parse(stdout)[0].instances[0].pid, web);
  await stead.ok(['start', '--name', 'new', '--', 'sleep', '1000']);
  assert.equal(await stead.pid('web'), web);
  const app = await stead.until(
    'dies',
    'its restart',
    ({ state, instances }) => state === 'running' && instances[0]!.restarts === 1,
  );
  assert.equal(app.exits.at(-1)!.signal, 'SIGKILL');
  await checkInvariants(stead);
});

test('a guardian that is killed is replaced, and the daemon after it is, too', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const { guardian, pid } = facts(stead);
  process.kill(guardian, 'SIGKILL');
  const next = await waitFor('another guardian', async () => {
    const view = await stead.daemon();
    return view.guardian !== null && view.guardian !== guardian && isRunning(view.guardian) ? view.guardian : null;
  });
  assert.equal((await stead.daemon()).pid, pid);
  process.kill(pid, 'SIGKILL');
  await waitFor('another daemon', async () => {
    const view = await stead.daemon();
    return view.running && view.pid !== pid && view.guardian === next;
  });
  await checkInvariants(stead);
});

test('a launcher that is killed: its program lives on, and its end is noticed', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const program = await stead.pid('web');
  const parent = Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${program}/stat`, 'latin1'))![1]);
  process.kill(parent, 'SIGKILL');
  await waitFor('its end', () => !isRunning(parent));
  assert.equal(await stead.pid('web'), program);
  await stead.ok(['daemon', 'restart']);
  assert.equal(await stead.pid('web'), program);
  process.kill(program, 'SIGKILL');
  const app = await stead.until(
    'web',
    'its restart',
    ({ state, instances }) => state === 'running' && instances[0]!.pid !== program,
  );
  assert.deepEqual([app.exits.at(-1)!.code, app.exits.at(-1)!.signal], [null, null]);
  await checkInvariants(stead);
});

test('fifty starts of one name at once make one app, and twenty first commands one daemon', async (t) => {
  const stead = new Stead(t);
  const many = await Promise.all(
    Array.from({ length: 20 }, () => stead.run(['start', '--name', 'one', '--', 'sleep', '1000'])),
  );
  assert.deepEqual(new Set(many.map(({ code }) => code)), new Set([0]), many.map(({ stderr }) => stderr).join(''));
  await Promise.all(Array.from({ length: 30 }, () => stead.ok(['start', '--name', 'one', '--', 'sleep', '1000'])));
  assert.equal((await stead.list()).length, 1);
  assert.equal(daemonsOf(stead.home).length, 1);
  await checkInvariants(stead);
});

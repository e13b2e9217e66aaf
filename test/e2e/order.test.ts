/** What waits for what: dependencies, schedules, queues of jobs. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventView } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

async function eventsOf(stead: Stead, ...types: readonly string[]): Promise<EventView[]> {
  const { stdout } = await stead.ok(['events', '--json', '-n', '1000']);
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EventView);
  return all.filter(({ type }) => types.includes(type));
}

const killDaemon = async (stead: Stead) => process.kill((await stead.daemon()).pid!, 'SIGKILL');

const config = (apps: object) => JSON.stringify({ apps }, null, 1);

test('dependencies: started in order, each when the one before is ready; stopped in reverse', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.directory, 'stead.config.json');
  const late = (name: string) => ['sh', '-c', `sleep 0.2; touch ${name}.up; exec sleep 100`];
  writeFileSync(
    file,
    config([
      { name: 'web', command: late('web'), depends_on: ['api'] },
      { name: 'api', command: late('api'), ready: 'exec:test -e api.up', depends_on: { db: 'ready' } },
      { name: 'db', command: late('db'), ready: 'exec:test -e db.up' },
      { name: 'log', command: ['sleep', '100'], depends_on: { db: 'started' } },
    ]),
  );
  await stead.ok(['apply']);
  const order = (await eventsOf(stead, 'start', 'ready')).map(({ app, type }) => `${app} ${type}`);
  const at = (what: string) => {
    assert.ok(order.includes(what), `${what} in ${order}`);
    return order.indexOf(what);
  };
  assert.ok(at('db ready') < at('api start') && at('api ready') < at('web start'), String(order));
  assert.ok(at('log start') < at('db ready') && at('db start') < at('log start'), String(order));
  await stead.ok(['stop', 'all']);
  const stops = (await eventsOf(stead, 'exit')).map(({ app }) => app);
  assert.ok(stops.indexOf('web') < stops.indexOf('api') && stops.indexOf('api') < stops.indexOf('db'), String(stops));
  assert.equal(stops.at(-1), 'db');

  // What it needs is started with it, and said.
  const { stderr } = await stead.ok(['start', 'api']);
  assert.match(stderr, /db is started, too: api needs it/);
});

test('a cycle is refused by its names, a missing name by that; nothing is done', async (t) => {
  const stead = new Stead(t);
  const sleep = ['sleep', '100'];
  writeFileSync(
    join(stead.directory, 'a.json'),
    config([
      { name: 'a', command: sleep, depends_on: 'b' },
      { name: 'b', command: sleep, depends_on: 'c' },
      { name: 'c', command: sleep, depends_on: 'a' },
    ]),
  );
  const cycle = await stead.run(['apply', 'a.json']);
  assert.equal(cycle.code, 5);
  assert.match(cycle.stderr, /These wait for each other: a → b → c → a/);
  writeFileSync(join(stead.directory, 'b.json'), config([{ name: 'a', command: sleep, depends_on: 'nobody' }]));
  assert.match((await stead.run(['apply', 'b.json'])).stderr, /"a" needs "nobody"/);
  assert.deepEqual(await stead.list(), []);
  await stead.ok(['start', '--name', 'a', '--', ...sleep]);
  await stead.ok(['start', '--name', 'b', '--depends-on', 'a', '--', ...sleep]);
  assert.equal((await stead.run(['set', 'a', 'depends_on=b'])).code, 5);
});

test('a dependency that fails names itself in those that wait; once it is there, they start', async (t) => {
  const stead = new Stead(t);
  await stead.run([
    'start',
    '--name',
    'db',
    '--ready',
    'exec:test -e ok',
    '--ready-timeout',
    '300ms',
    '--',
    'sleep',
    '100',
  ]);
  const { code, stderr } = await stead.run(['start', '--name', 'web', '--depends-on', 'db', '--', 'sleep', '100']);
  assert.equal(code, 1);
  assert.match(stderr, /"web" can't start: it needs db ready, but db is failed: not ready within 300 ms/);
  assert.equal((await stead.show('web')).state, 'waiting');
  writeFileSync(join(stead.directory, 'ok'), '');
  await stead.ok(['start', 'db']);
  await stead.until('web', 'running', ({ state }) => state === 'running');
});

for (const overlap of ['skip', 'queue', 'replace'] as const) {
  test(`a job of every second that takes longer, overlap ${overlap}, over a death of the daemon: no double run, as the policy says`, async (t) => {
    const stead = new Stead(t);
    // `live` counts those that run at once: a second one would see the first.
    const script = `
mkdir live || echo double >>wrong
echo begin $(date +%s) >>runs
trap 'rmdir live; exit 0' TERM
sleep 1.4 & wait $!
echo end >>runs
rmdir live`;
    writeFileSync(join(stead.directory, 'job.sh'), script);
    await stead.ok(['run', '--cron', '* * * * * *', '--overlap', overlap, '--name', 'tick', '--', 'sh', 'job.sh']);
    await stead.until('tick', 'a second run', ({ instances }) => instances[0]!.state === 'running');
    await pause(1500);
    await killDaemon(stead);
    await pause(3500);
    await stead.ok(['stop', 'tick']);
    const runs = readFileSync(join(stead.directory, 'runs'), 'utf8').trim().split('\n');
    const begins = runs.filter((line) => line.startsWith('begin')).length;
    const ends = runs.filter((line) => line === 'end').length;
    assert.ok(!existsSync(join(stead.directory, 'wrong')), 'never two at once');
    if (overlap === 'replace') assert.ok(ends <= 1 && begins >= 4, `${begins} begun, ${ends} ended`);
    else assert.ok(begins >= 2 && begins - ends <= 1, `${begins} begun, ${ends} ended`);
    if (overlap === 'skip') assert.ok(begins <= 4, `${begins} begun`);
    assert.equal((await stead.list())[0]!.state, 'stopped');
  });
}

test('an app with a schedule is restarted when its time comes; the list says when', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--cron', '*/2 * * * * *', '--', 'sleep', '100']);
  const pid = await stead.pid('web');
  const { nextRun } = await stead.until(
    'web',
    'another pid',
    ({ instances }) => ![null, pid].includes(instances[0]!.pid),
  );
  assert.ok(Date.parse(nextRun!) > Date.now() - 1000);
  const refused = await stead.run(['start', '--name', 'x', '--cron', '99 * * * *', '--', 'sleep', '1']);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--cron: "99 \* \* \* \*"/);
});

test('a queue with 2 slots and 10 jobs, the daemon killed twice: never more than 2 at once, all results there, in order', async (t) => {
  const stead = new Stead(t);
  writeFileSync(
    join(stead.directory, 'job.sh'),
    'mkdir -p live; echo x >live/$1; n=$(ls live | wc -l); echo "$1 $n" >>seen; sleep 0.3; rm live/$1; exit $1',
  );
  for (let at = 0; at < 10; at++)
    await stead.ok(['run', '-g', 'batch', '--slots', '2', '--name', `job-${at}`, '--', 'sh', 'job.sh', String(at)]);
  await killDaemon(stead);
  await pause(400);
  await stead.list();
  await waitFor('the daemon', async () => (await stead.daemon()).running);
  await killDaemon(stead);
  await waitFor('all jobs', async () => {
    const apps = await stead.list();
    return apps.length === 10 && apps.every(({ state }) => state === 'completed' || state === 'failed');
  });
  const seen = readFileSync(join(stead.directory, 'seen'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  assert.equal(seen.length, 10, 'each ran once');
  assert.ok(
    seen.every(([, live]) => live! <= 2),
    JSON.stringify(seen),
  );
  for (let at = 0; at < 10; at++) assert.equal((await stead.show(`job-${at}`)).exits[0]!.code, at);
});

test('a job after another: run when that has completed, blocked with the reason when it failed; --timeout and --retries', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['run', '--name', 'build', '--', 'sh', '-c', 'sleep 0.3; echo built >out']);
  await stead.ok(['run', '--name', 'deploy', '--after', 'build', '--', 'sh', '-c', 'cat out >deployed']);
  await stead.until('deploy', 'completed', ({ state }) => state === 'completed');
  assert.ok(existsSync(join(stead.directory, 'deployed')));
  await stead.ok(['run', '--name', 'bad', '--', 'sh', '-c', 'exit 3']);
  await stead.ok(['run', '--name', 'never', '--after', 'bad', '--', 'true']);
  const { reason } = await stead.until('never', 'blocked', ({ reason: why }) => /failed/.test(why ?? ''));
  assert.equal(reason, 'it needs bad completed, but bad is failed: exit code 3');

  assert.equal((await stead.run(['run', '-f', '--timeout', '300ms', '--', 'sleep', '100'])).code, 124);
  await stead.ok([
    'run',
    '--name',
    'flaky',
    '--retries',
    '3',
    '--backoff-min',
    '10ms',
    '--',
    'sh',
    '-c',
    'echo x >>tries; test $(wc -l <tries) = 3',
  ]);
  const { state, instances } = await stead.until('flaky', 'an end', (app) =>
    ['completed', 'failed'].includes(app.state),
  );
  assert.deepEqual([state, instances[0]!.restarts], ['completed', 2]);
});

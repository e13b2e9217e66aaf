import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AppView, StartResponse } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';
import { daemonsOf } from './harness/invariants.ts';
import { post } from './harness/requests.ts';

const times = <T>(count: number, make: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)));

const caller = {
  cwd: '/',
  env: ['PATH=/usr/bin:/bin'],
  umask: 18,
  limits: {},
  nice: 0,
  oomScoreAdj: 0,
  pid: 1,
  command: 'test',
};
const start = (name: string, rest: readonly string[], wait = true): string =>
  JSON.stringify({ targets: [], rest, options: { name }, caller, wait });

test('fifty requests in the same moment to start one name make one app, and one of them made it', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['daemon', 'restart']);
  const socket = join(stead.home, 'stead.sock');
  const answers = await times(50, () => post(socket, '/v1/start', start('one', ['sleep', '1000'])));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  const apps = answers.map(({ body }) => (body as StartResponse).apps[0]!);
  assert.equal(apps.filter(({ changed }) => changed).length, 1);
  assert.equal(new Set(apps.map(({ app }) => app.instances[0]!.pid)).size, 1);
  const app = await stead.show('one');
  assert.deepEqual([(await stead.list()).length, app.processes.length, app.instances[0]!.restarts], [1, 1, 0]);
});

test('of fifty requests to start as many programs under one name one has it, the others are told', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['daemon', 'restart']);
  const socket = join(stead.home, 'stead.sock');
  const answers = await times(50, (at) => post(socket, '/v1/start', start('one', ['sleep', String(1000 + at)])));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.equal(answers.filter(({ status }) => status === 409).length, 49);
  assert.equal((await stead.list()).length, 1);
});

test('twenty commands at once, the first of a home, twice: one daemon each time', async (t) => {
  for (let round = 0; round < 2; round++) {
    const stead = new Stead(t);
    const results = await times(20, (at) => stead.run(['start', '--name', `app-${at % 5}`, '--', 'sleep', '1000']));
    assert.deepEqual(
      results.filter(({ code }) => code !== 0).map(({ stderr }) => stderr),
      [],
    );
    assert.equal(daemonsOf(stead.home).length, 1);
    assert.deepEqual((await stead.list()).map(({ name }) => name).sort(), [
      'app-0',
      'app-1',
      'app-2',
      'app-3',
      'app-4',
    ]);
  }
});

test('forty apps that crash at once, again and again: the daemon answers, and each stops when told', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['daemon', 'restart']);
  const socket = join(stead.home, 'stead.sock');
  await times(40, (at) => post(socket, '/v1/start', start(`crash-${at}`, ['false'], false)));
  const took: number[] = [];
  for (let round = 0; round < 20; round++) {
    const began = performance.now();
    const { status, body } = await post(socket, '/v1/apps', '', {}, 'GET');
    took.push(performance.now() - began);
    assert.deepEqual([status, (body as AppView[]).length], [200, 40]);
  }
  const median = took.sort((a, b) => a - b)[10]!;
  assert.ok(median < 1000, `list takes ${Math.round(median)} ms`);
  t.diagnostic(`list: median ${Math.round(median)} ms, most ${Math.round(took.at(-1)!)} ms`);
  await stead.ok(['stop', 'all']);
  const runs = (await stead.list()).map(({ state, instances }) => `${state} ${instances[0]!.pid}`);
  assert.deepEqual(new Set(runs), new Set(['stopped null']));
  assert.equal(daemonsOf(stead.home).length, 1);
});

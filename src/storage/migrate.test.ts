import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { settleShare } from '../config/settle.ts';
import { migrateSpec, migrateState } from './migrate.ts';
import { specProblem, stateProblem } from './problems.ts';

/** As version 0.1 wrote it. */
const spec1 = {
  format: 1,
  name: 'api',
  kind: 'app',
  group: 'web',
  program: { how: 'script', words: ['/a.js'], interpreter: null },
  cwd: '/',
  env: ['PATH=/bin'],
  umask: 18,
  limits: { nofile: [1024, null] },
  nice: 0,
  oomScoreAdj: 0,
  user: null,
  noNewPrivs: false,
  restart: 'on-failure',
  stopExitCodes: [3, 4],
  maxRestarts: 5,
  stableAfterMs: 10_000,
  stopSignal: 'SIGINT',
  stopTimeoutMs: 2000,
  keepTree: false,
  leaveTimeoutMs: 10_000,
};
const state1 = (state: unknown) => ({
  format: 1,
  id: 3,
  want: 'running',
  by: 'stead start api',
  createdAt: '2026-01-01T00:00:00.000Z',
  bootId: 'boot',
  instances: [{ index: 0, sinceWall: 1, model: { state, restarts: 2, streak: 1, run: 7 } }],
});

test('a spec of format 1 means the same in this one, and what was said can be said otherwise', () => {
  const spec = migrateSpec(spec1) as Record<string, unknown>;
  assert.equal(specProblem(spec, 'api'), null);
  assert.deepEqual(spec.stopSignals, [{ signal: 'SIGINT', waitMs: null }]);
  assert.deepEqual(spec.options, {
    group: 'web',
    restart: 'on-failure',
    stopExitCodes: ['3', '4'],
    maxRestarts: 5,
    stopSignal: 'SIGINT',
    stopTimeoutMs: 2000,
  });
  assert.deepEqual([spec.env, spec.stopExitCodes, spec.limits], [spec1.env, [3, 4], spec1.limits]);
});

test('a spec of format 2 from before instances shares nothing', () => {
  const { share, ...old } = migrateSpec(spec1) as Record<string, unknown>;
  assert.match(specProblem(old, 'api')!.text, /"share"/);
  const spec = migrateSpec(old) as Record<string, unknown>;
  assert.equal(specProblem(spec, 'api'), null);
  assert.deepEqual([spec.share, share], [share, settleShare({})]);
});

test('what is no use of a share is found', () => {
  const spec = migrateSpec(spec1) as Record<string, unknown>;
  const share = settleShare({ listen: ['5000', 'unix:/x'], instances: '2' });
  assert.equal(specProblem({ ...spec, share }, 'api'), null);
  for (const wrong of [
    { instances: 0 },
    { listen: [{ kind: 'unix', name: null }] },
    { listen: [{ kind: 'tcp', name: null, host: null, port: '80' }] },
    { listen: [{ kind: 'sctp', name: null, host: null, port: 80 }] },
    { drainSignal: 10 },
    { idleTimeoutMs: undefined },
  ])
    assert.match(
      specProblem({ ...spec, share: { ...share, ...wrong } }, 'api')?.text ?? '',
      /"share"/,
      JSON.stringify(wrong),
    );
});

test('every state of format 1 is one of this', () => {
  const exit = { run: 7, code: 1, signal: null, ambiguous: false, upMs: 5 };
  for (const state of [
    { name: 'stopped', reason: '' },
    { name: 'starting', run: 7, since: 1 },
    { name: 'running', run: 7, since: 1 },
    { name: 'backoff', until: 9, reason: '' },
    { name: 'failed', reason: '' },
    { name: 'completed', reason: '' },
    { name: 'stopping', run: 7, phase: 'asked', deadline: 3, goal: 'stay', exit, treeIsEmpty: false, killed: false },
    { name: 'stuck', run: 7, goal: 'stay', exit, pids: [4] },
  ])
    assert.equal(stateProblem(migrateState(state1(state))), null, state.name);
});

test('what is of this format, or of none, is left as it is', () => {
  for (const value of [{ format: 2 }, { format: 3, x: 1 }, null, [], 7, 'x', {}])
    assert.deepEqual([migrateSpec(value), migrateState(value)], [value, value]);
});

test('no content makes it throw', () => {
  fc.assert(
    fc.property(fc.object(), (value) => {
      for (const each of [value, { ...spec1, ...value }, { ...state1({ name: 'running' }), ...value, format: 1 }]) {
        migrateSpec(each);
        migrateState(each);
      }
    }),
  );
});

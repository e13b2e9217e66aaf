import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import type { SpecOptions } from '../protocol/spec.ts';
import { settle, settleShare } from './settle.ts';

const inherited = { umask: 0o22, limits: {}, nice: 0, oomScoreAdj: 0 };
const app = (options: SpecOptions) => settle(options, { kind: 'app', inherited });
const refused = (options: SpecOptions, hint: RegExp) =>
  assert.throws(() => app(options), { code: 'OPTION_INVALID', hint }, JSON.stringify(options));

test('without a word on it an app is one instance that shares nothing', () => {
  assert.deepEqual(app({}).share, {
    instances: null,
    listen: [],
    nonblock: false,
    incrementVar: null,
    drainTimeoutMs: 30_000,
    drainSignal: 'SIGURG',
    onDemand: false,
    idleTimeoutMs: null,
  });
});

test('what is said of instances and sockets is settled', () => {
  const share = settleShare({
    instances: 'max',
    listen: ['http=5000', 'unix:/run/x.sock'],
    nonblock: true,
    incrementVar: 'PORT',
    drainTimeoutMs: 5000,
    drainSignal: 'winch',
    listenOnDemand: true,
    idleTimeoutMs: 60_000,
  });
  assert.deepEqual(share, {
    instances: availableParallelism(),
    listen: [
      { kind: 'tcp', name: 'http', host: null, port: 5000 },
      { kind: 'unix', name: null, path: '/run/x.sock' },
    ],
    nonblock: true,
    incrementVar: 'PORT',
    drainTimeoutMs: 5000,
    drainSignal: 'SIGWINCH',
    onDemand: true,
    idleTimeoutMs: 60_000,
  });
});

test('what makes no sense alone is refused with what to add', () => {
  refused({ listenOnDemand: true }, /--listen 5000/);
  refused({ idleTimeoutMs: 1000 }, /--listen-on-demand/);
  refused({ idleTimeoutMs: 1000, listen: ['5000'] }, /--listen-on-demand/);
  refused({ ready: 'listen' }, /--instances 1 or --listen/);
  refused({ ready: 'fd:4', listen: ['5000', '5001'] }, /fd:7/);
});

test('ready listen, and an fd behind the sockets', () => {
  assert.deepEqual(app({ ready: 'listen', instances: '1' }).ready, { kind: 'listen' });
  assert.deepEqual(app({ ready: 'listen', listen: ['5000'] }).ready, { kind: 'listen' });
  assert.deepEqual(app({ ready: 'fd:5', listen: ['5000', '5001'] }).ready, { kind: 'fd', fd: 5 });
});

test('a job has no instances', () => {
  for (const options of [{ instances: '2' }, { listen: ['80'] }, { drainTimeoutMs: 1 }, { nonblock: false }])
    assert.throws(() => settle(options, { kind: 'job', inherited }), {
      code: 'OPTION_INVALID',
      message: /is for apps/,
    });
  assert.equal(settle({}, { kind: 'job', inherited }).share.instances, null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeDetail } from './render/fixtures.ts';
import { waitingNote } from './waiting-note.ts';

const since = '2026-01-31T12:00:00.000Z';
const nowMs = Date.parse(since) + 1200;
const stopping = (stopTimeoutMs: number) => {
  const { spec, instances } = makeDetail();
  return {
    spec: { ...spec, stopTimeoutMs },
    instances: instances.map((one) => ({ ...one, state: 'stopping' as const, since })),
  };
};

test('what is waited for is told with the time until SIGKILL, the longest of several', () => {
  assert.equal(waitingNote(['web'], [stopping(10_000)], nowMs), 'Waiting for web to end; KILL in 9 s');
  assert.equal(waitingNote(['web'], [stopping(1000)], nowMs), 'Waiting for web to end; KILL in 0 s');
  const two = waitingNote(['web', 'db'], [stopping(10_000), stopping(60_000)], nowMs);
  assert.equal(two, 'Waiting for web, db to end; KILL in at most 59 s');
  assert.equal(waitingNote(['a', 'b', 'c', 'd', 'e', 'f'], [], nowMs), 'Waiting for 6 apps to end');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leavingWords } from './leaving-words.ts';

test('each way to leave a session is told in one line', () => {
  const exit = { code: null, signal: null, reason: null };
  const ended = (more: object) => leavingWords('build', { reason: 'ended', exit: { ...exit, ...more } });
  assert.equal(leavingWords('build', { reason: 'detached', exit: null }), '[detached from build; stead attach build]');
  assert.equal(ended({ code: 3 }), '[build ended: exit code 3]');
  assert.equal(ended({ code: 0 }), '[build ended: exit code 0]');
  assert.equal(ended({ signal: 'SIGKILL' }), '[build ended: SIGKILL]');
  assert.equal(ended({ code: 1, reason: 'stopped by you' }), '[build ended: stopped by you]');
  assert.equal(ended({}), '[build ended: how is not known]');
  for (const reason of ['stolen', 'stopped', 'lost'] as const)
    assert.match(leavingWords('build', { reason, exit: null }), /^\[.*build.*\]$/);
});

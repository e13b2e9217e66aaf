import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHomeConfig } from './home-config.ts';

test('the cap of all logs', () => {
  assert.deepEqual(readHomeConfig('', 'f'), {});
  assert.deepEqual(readHomeConfig('logs: { max_total: 4G }', 'f'), { logsMaxTotal: 4 * 1024 ** 3 });
  assert.deepEqual(readHomeConfig('logs:\n  max_total: 0\n', 'f'), { logsMaxTotal: null });
});

test('a mistake is refused with what is wrong', () => {
  for (const [text, wrong] of [
    ['logs: { max_totl: 4G }', /logs\.max_totl/],
    ['log: {}', /"log"/],
    ['- 1', /must be a map/],
    ['logs: { max_total: many }', /many/],
    ['a: [', /mistake/],
  ] as const)
    assert.throws(() => readHomeConfig(text, 'f'), wrong);
});

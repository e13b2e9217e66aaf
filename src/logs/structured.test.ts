import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readable } from './structured.ts';

const time = new Date(2026, 10, 23, 14, 5, 10, 123);

test('lines of the usual loggers', () => {
  const ms = time.getTime();
  for (const [line, text] of [
    [{ level: 30, time: ms, pid: 1, hostname: 'h', msg: 'up', port: 5000 }, '14:05:10.123 INFO  up port=5000'],
    [
      { name: 'api', v: 0, level: 50, time: time.toISOString(), msg: 'lost it', host: 'db 1' },
      '14:05:10.123 ERROR lost it name=api host="db 1"',
    ],
    [{ level: 'warn', message: 'slow', timestamp: time.toISOString() }, '14:05:10.123 WARN  slow'],
    [{ level: 'info', ts: ms / 1000, msg: 'zap', nested: { a: [1] } }, '14:05:10.123 INFO  zap nested={"a":[1]}'],
    [{ severity: 'NOTICE', message: 'x' }, 'NOTICE x'],
    [
      { level: 50, msg: 'boom', err: { type: 'Error', message: 'm', stack: 'Error: m\n    at f (a.js:1)' } },
      'ERROR boom\n    Error: m\n    at f (a.js:1)',
    ],
  ] as const)
    assert.equal(readable(JSON.stringify(line)), text);
});

test('what is no such line is left as it is', () => {
  for (const line of ['', 'plain', '[1]', '"x"', 'null', '{', '{"a":1}', '{"msg":{"a":1}}'])
    assert.equal(readable(line), null);
});

test('no line makes it throw or lets control characters through', () => {
  fc.assert(
    fc.property(fc.object(), fc.string(), (value, msg) => {
      const text = readable(JSON.stringify({ ...value, msg })) ?? '';
      assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text), text);
    }),
  );
  const deep = `{"msg":"x","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  assert.ok(readable(deep) !== undefined);
  assert.equal(readable('{"msg":"a","__proto__":{"level":1}}')?.includes('a'), true);
});

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
    [
      { level: 50, msg: 'no', err: { type: 'E', message: 'm', stack: 'E: m', code: 'ENOENT' }, stack: 5 },
      'ERROR no stack=5 err={"code":"ENOENT"}\n    E: m',
    ],
    [{ level: 50, err: { type: 'E', message: 'm' } }, 'ERROR err={"type":"E","message":"m"}'],
    [{ level: 'error', message: 'w', stack: 'E: m\n    at f' }, 'ERROR w\n    E: m\n    at f'],
    [{ level: 'error', msg: 'z', stacktrace: 'main.f\n\t/a.go:1' }, 'ERROR z\n    main.f\n    /a.go:1'],
    [{ msg: 'x', error: 'text', 'a b': '' }, 'x error=text "a b"=""'],
  ] as const)
    assert.equal(readable(JSON.stringify(line)), text);
});

test('a time is read whatever its unit, and what is none is left as it is', () => {
  const ms = time.getTime();
  for (const value of [ms, ms / 1e3, ms * 1e3, ms * 1e6, String(ms), time.toISOString(), '2026-11-23 14:05:10.123'])
    assert.equal(readable(JSON.stringify({ time: value, msg: 'x' })), '14:05:10.123 x', String(value));
  for (const value of ['soon', '1 o’clock', 1e308, '2026-99-99', true])
    assert.equal(readable(JSON.stringify({ time: value, msg: 'x' })), `${value} x`);
});

test('a value that is long is cut, a line over 256 KB is left as it is', () => {
  assert.equal(readable(JSON.stringify({ msg: 'x', a: `${'y'.repeat(499)}💥` })), `x a=${'y'.repeat(499)}…`);
  assert.equal(readable(JSON.stringify({ msg: 'é'.repeat(128 * 1024) })), null);
});

test('what is no such line is left as it is', () => {
  for (const line of [
    '',
    'plain',
    '[1]',
    '"x"',
    'null',
    '{',
    '{"a":1}',
    '{"msg":{"a":1}}',
    '{"__proto__":{"msg":"x"}}',
  ])
    assert.equal(readable(line), null);
});

test('no line makes it throw or lets control characters through', () => {
  fc.assert(
    fc.property(
      fc.object({
        key: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('time', 'level', 'err', 'stack', '__proto__')),
      }),
      fc.string({ unit: 'binary' }),
      fc.anything({ values: [fc.string({ unit: 'binary' }), fc.double(), fc.constant(null)] }),
      (value, msg, err) => {
        const text = readable(JSON.stringify({ ...value, msg, err })) ?? '';
        assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text), text);
      },
    ),
  );
  const deep = `{"msg":"x","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  assert.ok(readable(deep) !== undefined);
  assert.equal(readable('{"msg":"a","__proto__":{"level":1}}')?.includes('a'), true);
});

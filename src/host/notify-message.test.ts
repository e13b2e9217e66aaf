import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longestNotify, type NotifyMessage, parseNotify } from './notify-message.ts';

const nothing: NotifyMessage = {
  ready: false,
  reloading: false,
  stopping: false,
  watchdog: null,
  status: null,
  mainPid: null,
  extendTimeoutUs: null,
  watchdogUs: null,
  barrier: false,
  errno: null,
};

const cases: readonly (readonly [string, Partial<NotifyMessage>])[] = [
  ['READY=1', { ready: true }],
  ['READY=1\n', { ready: true }],
  ['READY=1\0', { ready: true }],
  ['READY=0', {}],
  ['READY=11', {}],
  ['ready=1', {}],
  ['READY', {}],
  ['=1', {}],
  ['', {}],
  ['\n\n\n', {}],
  ['RELOADING=1\nMONOTONIC_USEC=12', { reloading: true }],
  ['STOPPING=1\nSTATUS=on my way', { stopping: true, status: 'on my way' }],
  ['STATUS=', { status: '' }],
  ['STATUS=a=b=c', { status: 'a=b=c' }],
  ['STATUS=first\nSTATUS=second', { status: 'first' }],
  ['STATUS=größer 🎉', { status: 'größer 🎉' }],
  ['WATCHDOG=1', { watchdog: 'ping' }],
  ['WATCHDOG=trigger', { watchdog: 'trigger' }],
  ['WATCHDOG=0', {}],
  ['MAINPID=42', { mainPid: 42 }],
  ['MAINPID=0', {}],
  ['MAINPID=-1', {}],
  ['MAINPID=4194305', {}],
  ['MAINPID=0x10', {}],
  ['MAINPID= 42', {}],
  ['EXTEND_TIMEOUT_USEC=5000000', { extendTimeoutUs: 5_000_000 }],
  ['EXTEND_TIMEOUT_USEC=18446744073709551615', { extendTimeoutUs: Number.MAX_SAFE_INTEGER }],
  ['WATCHDOG_USEC=0', { watchdogUs: 0 }],
  ['ERRNO=2', { errno: 2 }],
  ['ERRNO=99999', {}],
  ['BARRIER=1', { barrier: true }],
  ['FDSTORE=1\nFDNAME=x\nconstructor=1\n__proto__=1\nREADY=1', { ready: true }],
  ['READY=1\0STATUS=x', {}],
];

for (const [text, expected] of cases)
  test(`${JSON.stringify(text)} is understood`, () =>
    assert.deepEqual(parseNotify(Buffer.from(text)), { ...nothing, ...expected }));

test('bytes that are no UTF-8 are replaced', () => {
  const message = parseNotify(Buffer.from('STATUS=\xff!\nREADY=1', 'latin1'));
  assert.deepEqual(message, { ...nothing, ready: true, status: '\ufffd!' });
});

test('64 KiB are read, more are not', () => {
  const long = Buffer.alloc(longestNotify, `READY=1\nSTATUS=${'x'.repeat(longestNotify)}`);
  assert.equal(parseNotify(long).ready, true);
  assert.deepEqual(parseNotify(Buffer.concat([long, Buffer.from('x')])), nothing);
});

test('no bytes at all make it throw', () => {
  const name = fc.constantFrom('READY', 'STATUS', 'WATCHDOG', 'MAINPID', 'WATCHDOG_USEC', 'ERRNO', 'BARRIER', '');
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.bigInt().map(String), fc.constantFrom('1', 'trigger'));
  const lines = fc
    .array(fc.tuple(name, value))
    .map((pairs) => Buffer.from(pairs.map((pair) => pair.join('=')).join('\n')));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), lines), (bytes) => {
      const message = parseNotify(bytes);
      assert.deepEqual(Object.keys(message), Object.keys(nothing));
      for (const number of [message.mainPid, message.watchdogUs, message.extendTimeoutUs, message.errno])
        assert.ok(number === null || (Number.isSafeInteger(number) && number >= 0));
      assert.ok(!message.status?.includes('\n'));
    }),
    { numRuns: 2000 },
  );
});

test('what is said is understood, in any order and among unknown names', () => {
  const said = { READY: '1', STATUS: 'up', MAINPID: '7', WATCHDOG: '1', X_OTHER: 'y' };
  fc.assert(
    fc.property(fc.shuffledSubarray(Object.entries(said), { minLength: 5 }), (pairs) => {
      const message = parseNotify(Buffer.from(pairs.map((pair) => pair.join('=')).join('\n')));
      assert.deepEqual(message, { ...nothing, ready: true, status: 'up', mainPid: 7, watchdog: 'ping' });
    }),
  );
});

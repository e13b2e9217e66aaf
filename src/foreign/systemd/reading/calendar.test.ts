import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronEvery, isPattern } from '../../cron.ts';
import { cronOf } from './calendar.ts';
import { sizeBytes, splitUnitWords, timeMs } from './words.ts';

test('calendar events that cron can say', () => {
  for (const [calendar, cron, timezone] of [
    ['hourly', '0 * * * *'],
    ['daily', '0 0 * * *'],
    ['weekly', '0 0 * * 1'],
    ['monthly', '0 0 1 * *'],
    ['quarterly', '0 0 1 1,4,7,10 *'],
    ['Mon..Fri *-*-* 04:30:00', '30 4 * * 1-5'],
    ['Sat,Sun 20:00', '0 20 * * 6,0'],
    ['Fri..Sun 1:2', '2 1 * * 5-7'],
    ['*-*-* *:0/15', '0-59/15 * * * *'],
    ['*:00/30:00', '0-59/30 * * * *'],
    ['*-*-01,15 12:00:30', '30 0 12 1,15 * *'],
    ['*-12-24', '0 0 24 12 *'],
    ['12-24 18:00', '0 18 24 12 *'],
    ['*-*~01 23:00', '0 23 L * *'],
    ['*-*-* 9..17:00:00 Europe/Zurich', '0 9-17 * * *', 'Europe/Zurich'],
    ['daily UTC', '0 0 * * *', 'UTC'],
    ['*-*-* 00/2:10', '10 0-23/2 * * *'],
  ] as const) {
    assert.deepEqual(cronOf(calendar), { cron, timezone }, calendar);
    assert.ok(isPattern(cron, timezone), cron);
  }
});

test('and those that it can not', () => {
  for (const calendar of [
    '2026-01-01',
    'Mon *-*-01',
    '*-*-* 25:00',
    'Mon..Xyz',
    'Sun..Tue 1:00',
    '*:*:0.5',
    'never',
    '1-2-3-4',
    '*-*~07',
    '',
  ])
    assert.equal(cronOf(calendar), null, calendar);
});

test('every so often, where the clock can be divided by it', () => {
  assert.deepEqual(
    [60, 900, 3600, 7200, 86_400, 30].map((seconds) => cronEvery(seconds * 1000)),
    ['* * * * *', '*/15 * * * *', '0 * * * *', '0 */2 * * *', '0 0 * * *', '*/30 * * * * *'],
  );
  assert.deepEqual(
    [7 * 60, 5400, 0, 1.5].map((seconds) => cronEvery(seconds * 1000)),
    [null, null, null, null],
  );
});

test('times, sizes and words', () => {
  assert.deepEqual(['5', '5min 20s', '1h', '500ms', '2d', '1.5s', 'infinity', 'x', '5 parsecs', ''].map(timeMs), [
    5000,
    320_000,
    3_600_000,
    500,
    172_800_000,
    1500,
    Number.POSITIVE_INFINITY,
    null,
    null,
    null,
  ]);
  assert.deepEqual(['4K', '1.5G', '100', '5%'].map(sizeBytes), [4096, 1.5 * 2 ** 30, 100, null]);
  assert.deepEqual(splitUnitWords('a"b c"d  \'e\' \\s \\101 \\q'), ['ab cd', 'e', ' ', 'A', '\\q']);
  assert.equal(splitUnitWords('"'), null);
});

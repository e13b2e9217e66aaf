/** Patterns in other tools' words come at the same times: croner says which these are. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Cron } from 'croner';
import fc from 'fast-check';
import { fiveFields } from './fields.ts';
import { onCalendar } from './on-calendar.ts';
import { parseCron } from './pattern.ts';

const analyze = '/usr/bin/systemd-analyze';
const from = '2026-11-28 11:00:00';
const timesLookedAt = 8;

const expected = (pattern: string, count = timesLookedAt) =>
  new Cron(pattern, { paused: true, timezone: 'UTC' })
    .nextRuns(count, new Date(`${from.replace(' ', 'T')}Z`))
    .map((time) => time.toISOString().slice(0, 19).replace('T', ' '));

/** The next times of several expressions, as systemd reckons them. */
function calendar(expressions: readonly string[]): string[] {
  const words = [
    'calendar',
    `--iterations=${timesLookedAt}`,
    `--base-time=${from} UTC`,
    ...expressions.map((text) => `${text} UTC`),
  ];
  const printed = execFileSync(analyze, words, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' } });
  const times = [...printed.matchAll(/(?:Next elapse|Iter\. #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC/g)].map(
    (match) => match[1]!,
  );
  return [...new Set(times)].sort().slice(0, timesLookedAt);
}

const patterns = [
  '0 3 * * *',
  '*/5 * * * *',
  '7-59/13 0-6,20 * * *',
  '30 4 1,15 * *',
  '30 4 1,15 * 5',
  '0 0 1 * +MON',
  '0 0 L * *',
  '0 12 * * 1-5',
  '0 12 * * SUN,tue,4',
  '0 12 * * 7',
  '0 9 * * MON#1',
  '0 9 * * 5#L',
  '0 9 * * 2#5,4#2',
  '0 9 15W * *',
  '0 9 1W * *',
  '0 9 L,10 * 3#1',
  '0 0 */2 * 1',
  '0 0 * JAN,jul *',
  '*/20 * * * * *',
  '15 30 12 1 1 *',
  '0 0 0 29 2 * 2028,2032',
  '@daily',
  '@weekly',
  '@monthly',
  '@yearly',
  '@hourly',
];

test('OnCalendar= has the times of the pattern', (t) => {
  if (!existsSync(analyze)) return t.skip('there is no systemd-analyze');
  for (const pattern of patterns) {
    const expressions = onCalendar(parseCron(pattern)!, null);
    assert.ok(expressions !== null, pattern);
    const count = pattern.endsWith('2032') ? 2 : timesLookedAt;
    assert.deepEqual(calendar(expressions), expected(pattern, count), `${pattern} → ${expressions.join(' | ')}`);
  }
});

test('OnCalendar= is written as a person would', () => {
  const written = (pattern: string, zone: string | null = null) => onCalendar(parseCron(pattern)!, zone);
  assert.deepEqual(written('0 3 * * *'), ['*-*-* 03:00:00']);
  assert.deepEqual(written('*/15 * * * 1-5', 'Europe/Zurich'), ['Mon..Fri *-*-* *:00/15:00 Europe/Zurich']);
  assert.deepEqual(written('0 0 1 * SAT,SUN'), ['*-*-01 00:00:00', 'Sat,Sun *-*-* 00:00:00']);
  assert.deepEqual(written('5 4 * 6-8 *'), ['*-06..08-* 04:05:00']);
  assert.equal(written('0 0 31W * *'), null);
});

test('five fields have the times of the pattern, or are not written', () => {
  const lists = (most: number, least = 0) =>
    fc
      .uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 4 })
      .map((values) => values.join(','));
  const field = (most: number, least = 0) =>
    fc.oneof(
      fc.constant('*'),
      lists(most, least),
      fc.integer({ min: 2, max: 6 }).map((step) => `*/${step}`),
      fc.constant(`${least}-${least + 2}`),
    );
  fc.assert(
    fc.property(field(59), field(23), field(28, 1), field(12, 1), field(6), (...words) => {
      const pattern = words.join(' ');
      const fields = fiveFields(parseCron(pattern)!);
      assert.ok(fields !== null);
      assert.deepEqual(expected(fields, 3), expected(pattern, 3), `${pattern} → ${fields}`);
    }),
    { numRuns: 100 },
  );
  for (const pattern of [
    '*/5 * * * * *',
    '0 0 L * *',
    '0 0 1 * +MON',
    '0 0 * * 5#2',
    '0 0 15W * *',
    '0 0 0 1 1 * 2030',
  ])
    assert.equal(fiveFields(parseCron(pattern)!), null, pattern);
  assert.equal(fiveFields(parseCron('0 30 4 * * *')!), '30 4 * * *');
});

test('what is no pattern of fields is not understood', () => {
  for (const text of ['', '* * * *', '60 * * * *', '2030-01-01T00:00:00', '* * * * X', '@reboot', '1/0 * * * *'])
    assert.equal(parseCron(text), null, text);
});

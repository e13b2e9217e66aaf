import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs as backoffOf } from './backoff.ts';

const backoffMs = (streak: number, random: number) =>
  backoffOf(streak, random, { minMs: 100, maxMs: 60_000, factor: 2 });

test('the first restart is at once, the next after 100 ms, then doubled up to a minute', () => {
  assert.deepEqual(
    [-1, 0, 1, 2, 3, 10, 11, 99].map((streak) => backoffMs(streak, 0)),
    [0, 0, 100, 200, 400, 51_200, 60_000, 60_000],
  );
});

test('whatever the streak: between the plain delay and a quarter more, never over a minute, never a fraction', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), random, (streak, chance) => {
      const [plain, delay] = [backoffMs(streak, 0), backoffMs(streak, chance)];
      assert.ok(Number.isSafeInteger(delay));
      assert.ok(delay >= plain && delay <= Math.min(60_000, Math.ceil(plain * 1.25)), `${streak}: ${plain} → ${delay}`);
      assert.ok(backoffMs(streak + 1, 0) >= plain, 'a longer streak waits no less');
    }),
    { numRuns: 1000 },
  );
});

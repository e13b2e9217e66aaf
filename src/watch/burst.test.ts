import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../test/support/wait.ts';
import { Burst, type BurstOptions } from './burst.ts';

function burst(options: Partial<BurstOptions>) {
  const ends: number[] = [];
  const made = new Burst({ quietMs: 50, mostMs: 2000, isHeld: () => false, onEnd: (at) => ends.push(at), ...options });
  return { burst: made, ends };
}

test('a burst is over when nothing has come for a while', async () => {
  const { burst: one, ends } = burst({ quietMs: 80 });
  const began = Date.now();
  const times: number[] = [];
  for (let n = 0; n < 10; n++) {
    one.touch();
    times.push(performance.now());
    await pause(10);
  }
  await waitFor('the end', () => ends.length > 0);
  // On a busy machine one of the pauses may have been longer than the quiet.
  const longest = Math.max(...times.slice(1).map((time, at) => time - times[at]!));
  if (longest < 75) assert.equal(ends.length, 1);
  assert.ok(ends[0]! >= began - 1 && ends[0]! <= began + 50);
});

test('a burst that goes on is cut', async () => {
  const { burst: one, ends } = burst({ quietMs: 1000, mostMs: 100 });
  const timer = setInterval(() => one.touch(), 5);
  await waitFor('two ends', () => ends.length >= 2);
  clearInterval(timer);
  one.cancel();
  assert.ok(ends[1]! - ends[0]! >= 99);
});

test('with no quiet asked for, each turn of the loop is a burst', async () => {
  const { burst: one, ends } = burst({ quietMs: 0 });
  for (let n = 1; n <= 3; n++) {
    one.touch();
    one.touch();
    await waitFor('the end', () => ends.length === n);
  }
});

test('a burst that is held is over when it is let go; cancelled, it never is', async () => {
  let isHeld = true;
  const { burst: one, ends } = burst({ quietMs: 10, mostMs: 20, isHeld: () => isHeld });
  one.touch();
  await pause(150);
  assert.equal(ends.length, 0);
  isHeld = false;
  await waitFor('the end', () => ends.length === 1);
  one.touch();
  one.cancel();
  await pause(50);
  assert.equal(ends.length, 1);
});

import type { Ms } from './state.ts';

const firstMs = 100;
const factor = 2;
const capMs = 60_000;
/** So that apps which crashed together don't come back together. */
const jitter = 0.25;

/**
 * How long to wait before the next start after so many ends in a row: the first restart is at once, then 100 ms, 200 ms … 60 s, each
 * lengthened by up to a quarter (never over the cap).
 */
export function backoffMs(streak: number, random: number): Ms {
  if (streak <= 0) return 0;
  // 2^20 × 100 ms is past every cap; a larger exponent would only overflow.
  const base = Math.min(capMs, firstMs * factor ** Math.min(streak - 1, 20));
  return Math.min(capMs, Math.round(base * (1 + jitter * random)));
}

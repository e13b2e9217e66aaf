import type { Backoff } from '../protocol/spec.ts';
import type { Ms } from './state.ts';

/** So that apps which crashed together don't come back together. */
const jitter = 0.25;

/**
 * How long to wait before the next start after so many ends in a row: the first restart is at once, then `minMs`, longer each time by `factor` up to
 * `maxMs`, each lengthened by up to a quarter (never over the cap).
 */
export function backoffMs(streak: number, random: number, { minMs, maxMs, factor }: Backoff): Ms {
  if (streak <= 0) return 0;
  // Past every cap; a larger exponent would only overflow.
  const base = Math.min(maxMs, minMs * factor ** Math.min(streak - 1, 40));
  return Math.min(maxMs, Math.round(base * (1 + jitter * random)));
}

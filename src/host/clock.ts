import { readFileSync } from 'node:fs';

/** Milliseconds since boot (CLOCK_MONOTONIC): comparable over restarts of the daemon within one boot, untouched by changes of the wall clock. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** Milliseconds since the epoch. Only for what a person reads. */
export const wallMs = (): number => Date.now();

export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** The kernel's random id of this boot. A pid or a monotonic time means nothing under another one. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

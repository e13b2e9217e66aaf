/** Waiting for what is to come, with a deadline: tests never sleep for a fixed time. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const lookEveryMs = 20;
export const patienceMs = 20_000;

/**
 * The first value of `probe` that is not null, undefined or false. A probe that throws is asked again. Throws after `timeoutMs`, naming
 * `what` and the last error.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = patienceMs }: { readonly timeoutMs?: number } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      last = `: ${String(error)}`;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}${last}`);
    await pause(lookEveryMs);
  }
}

/** The text of a file once it exists and matches. */
export function waitForFile(
  path: string,
  pattern = /\n$/,
  options: { readonly timeoutMs?: number } = {},
): Promise<string> {
  return waitFor(
    `${path} to match ${pattern}`,
    () => {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : null;
      return text !== null && pattern.test(text) ? { text } : null;
    },
    options,
  ).then(({ text }) => text);
}

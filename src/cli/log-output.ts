/** Log files on the way to a person or a pipe. */
import { readFileSync } from 'node:fs';
import type { Value } from '../config/values.ts';
import { SteadError } from '../protocol/errors.ts';
import { isTerminal, write } from './output.ts';
import { safeText } from './safe-text.ts';

export interface LogSource {
  readonly file: string;
  readonly fd: 1 | 2;
  /** Put before each line; empty for none. */
  readonly prefix: string;
}

export interface LogOptions {
  readonly lines: number | 'all';
  readonly isFollowing: boolean;
  /** Bytes as they are, on a terminal, too. */
  readonly isRaw: boolean;
}

/** `-n`: a number or `all`. */
export function parseCount(value: Value | undefined): number | 'all' {
  if (value === undefined) return 20;
  if (value === 'all') return 'all';
  if (/^\d{1,9}$/.test(String(value))) return Number(value);
  throw new SteadError('OPTION_INVALID', `-n takes a number or all, not ${JSON.stringify(value)}`);
}

/** Prints the last lines of each source. */
export async function showLogs(sources: readonly LogSource[], { lines, isRaw }: LogOptions): Promise<void> {
  for (const { file, fd, prefix } of sources) {
    const all = readFileSync(file);
    const text = all.toString('latin1').split('\n');
    if (text.at(-1) === '') text.pop();
    const last = lines === 'all' ? text : text.slice(Math.max(0, text.length - lines));
    const bytes = Buffer.from(last.map((line) => `${prefix}${line}\n`).join(''), 'latin1');
    if (isRaw || !isTerminal(fd)) write(fd, bytes);
    else {
      const safe = safeText();
      write(fd, safe.push(bytes) + safe.end());
    }
  }
}

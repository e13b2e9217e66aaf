import { readFileSync } from 'node:fs';

/** Soft and hard limits by the names of prlimit(1); null is unlimited. */
export type Limits = Readonly<Record<string, readonly [soft: number | null, hard: number | null]>>;

const limitNames: Readonly<Record<string, string>> = {
  'Max cpu time': 'cpu',
  'Max file size': 'fsize',
  'Max data size': 'data',
  'Max stack size': 'stack',
  'Max core file size': 'core',
  'Max resident set': 'rss',
  'Max processes': 'nproc',
  'Max open files': 'nofile',
  'Max locked memory': 'memlock',
  'Max address space': 'as',
  'Max file locks': 'locks',
  'Max pending signals': 'sigpending',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
};

/** The text of `/proc/PID/limits` → limits by the names of prlimit(1). */
export function parseLimits(text: string): Limits {
  const value = (word: string) => (word === 'unlimited' ? null : Number(word));
  const rows = text.split('\n').map((line) => /^(Max .*?) {2,}(\S+) +(\S+)/.exec(line));
  return Object.fromEntries(
    rows.flatMap((row) => {
      const name = limitNames[row?.[1] ?? ''];
      return row && name ? [[name, [value(row[2]!), value(row[3]!)]]] : [];
    }),
  );
}

/** The limits of a process; none if it is gone or may not be looked at. */
export function limitsOf(pid: number | 'self'): Limits {
  try {
    return parseLimits(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    return {};
  }
}

/** Facts about processes that live, from /proc. */
import { readlinkSync } from 'node:fs';
import { readEntries } from '../../host/proc-entries.ts';
import { processStat } from '../../host/process.ts';
import type { Processes } from './running.ts';

/** Null for one that is gone, or another user's. */
export const livingProcesses: Processes = (pid) => {
  const stat = pid > 0 ? processStat(pid) : null;
  const argv = stat === null ? undefined : readEntries(`/proc/${pid}/cmdline`);
  const entries = stat === null ? undefined : readEntries(`/proc/${pid}/environ`);
  if (stat === null || argv === undefined || argv.length === 0 || entries === undefined) return null;
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    const env = entries.filter((entry) => entry.indexOf('=') > 0);
    return {
      argv,
      cwd,
      parent: stat.ppid,
      env: Object.fromEntries(
        env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
      ),
    };
  } catch {
    return null;
  }
};

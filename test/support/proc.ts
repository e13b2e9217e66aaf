/** What /proc says of a process. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { processStat } from '../../src/host/process.ts';

/** Alive and no zombie. */
export function isRunning(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}

/** The entries of /proc/PID/environ or /proc/PID/cmdline, byte for byte as latin1 strings. */
export function procEntries(pid: number, file: 'environ' | 'cmdline'): string[] {
  const text = readFileSync(`/proc/${pid}/${file}`, 'latin1');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

/** A field of /proc/PID/status: `SigIgn`, `Uid` … */
export function statusField(pid: number, name: string): string {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`no ${name} in /proc/${pid}/status`);
  return line.slice(name.length + 1).trim();
}

/** Open file descriptors and what they lead to: `{0: '/dev/null', …}`. */
export function openFds(pid: number): Record<number, string> {
  const directory = `/proc/${pid}/fd`;
  const read = (fd: string): [string, string][] => {
    try {
      return [[fd, readlinkSync(`${directory}/${fd}`)]];
    } catch {
      // The one by which the directory itself was read.
      return [];
    }
  };
  return Object.fromEntries(readdirSync(directory).flatMap(read));
}

/** Session, process group and terminal: fields 6, 5 and 7 of /proc/PID/stat. */
export function sessionOf(pid: number): {
  readonly session: number;
  readonly group: number;
  readonly terminal: number;
} {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return { group: fields[2]!, session: fields[3]!, terminal: fields[4]! };
}

/** Every process that has `mark` in an argument or in its environment, this one and its parents excepted. */
export function processesMarked(mark: string): number[] {
  const own = ancestors(process.pid);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !own.has(Number(name)))
    .map(Number)
    .filter((pid) => {
      try {
        if (!isRunning(pid)) return false;
        return (['cmdline', 'environ'] as const).some((file) =>
          procEntries(pid, file).some((each) => each.includes(mark)),
        );
      } catch {
        return false;
      }
    });
}

function ancestors(pid: number): Set<number> {
  const found = new Set<number>();
  for (let at = pid; at > 0 && !found.has(at); at = processStat(at)?.ppid ?? 0) found.add(at);
  return found;
}

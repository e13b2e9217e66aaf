/**
 * Identity of processes: a pid alone is worth nothing, as the kernel gives it to another. (pid, start time) within one boot names one
 * process. A zombie counts as dead, unless threads of it go on: then only its first thread has ended, and its files and sockets are still open.
 */
import { readFileSync } from 'node:fs';
import { isOutOfFds } from './fds.ts';

export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat, as proc(5) says. */
  readonly startTicks: number;
}

export interface ProcessStat {
  readonly state: string;
  readonly ppid: number;
  readonly threads: number;
  readonly startTicks: number;
}

/** What /proc/PID/stat says now, or null if there is no such process, or it can't be known. */
export function processStat(pid: number): ProcessStat | null {
  try {
    return readStat(pid);
  } catch {
    return null;
  }
}

/** Throws if it can't be known: no file can be opened. */
function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    // As UTF-8, of which Node makes a string at once: for another encoding it takes buffers of 8 KB, and a thousand apps leave as many holes in the heap.
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (isOutOfFds(error)) throw error;
    return null;
  }
  // The name, in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, ppid: Number(fields[1]), threads: Number(fields[17]), startTicks: Number(fields[19]) };
}

/** By /proc/PID/stat: its state and number of threads. */
export const isDead = ({ state, threads }: { readonly state: string; readonly threads: number }): boolean =>
  threads <= 1 && (state === 'Z' || state === 'X');

/** True as well where it can't be known: what may live is not started again. */
export function isAlive({ pid, startTicks }: ProcessId): boolean {
  try {
    const stat = readStat(pid);
    return stat !== null && stat.startTicks === startTicks && !isDead(stat);
  } catch {
    return true;
  }
}

/** Sends a signal to exactly this process; false if it is gone. Throws EPERM. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals | number): boolean {
  const stat = processStat(id.pid);
  if (stat === null || stat.startTicks !== id.startTicks) return false;
  try {
    process.kill(id.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Kernel's HZ as user space sees it: 100 on every architecture that Node runs on. */
export const ticksPerSecond = 100;

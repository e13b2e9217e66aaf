/**
 * What is in the daemon's own cgroup and is neither a launcher, nor the daemon or its guardian, nor what they forked: programs that have just been launched, and
 * what they started before they were moved into cgroups of their own. One look serves all who ask for it at the same time, as with a thousand launches at
 * once each of them asks.
 */
import { cgroupPids } from '../host/cgroup.ts';
import { monotonicMs } from '../host/clock.ts';
import { type ProcEntry, readProcess } from '../metrics/proc-table.ts';
import { processLine } from '../metrics/process-line.ts';
import { cookieOf } from '../metrics/tree.ts';
import type { Daemon } from './context.ts';

export interface Newcomer {
  readonly entry: ProcEntry;
  /** The run that it says it is of; null if it says nothing. */
  readonly cookie: string | null;
}

/** The pty host's code, in a folder of the home. */
const hostFile = '/pty-host.cjs ';

/** Looks take no more than this part of the time, however many are asked for. */
const restPerLook = 2;

export class Newcomers {
  readonly #daemon: Pick<Daemon, 'ownCgroup' | 'apps' | 'guardianPid' | 'launcherScript'>;
  #next: Promise<readonly Newcomer[]> | null = null;
  #restUntil = 0;

  constructor(daemon: Pick<Daemon, 'ownCgroup' | 'apps' | 'guardianPid' | 'launcherScript'>) {
    this.#daemon = daemon;
  }

  /** A look that begins after this call. */
  next(): Promise<readonly Newcomer[]> {
    this.#next ??= new Promise((resolve) => {
      const look = () => {
        this.#next = null;
        const began = monotonicMs();
        const found = this.now();
        const end = monotonicMs();
        this.#restUntil = end + restPerLook * (end - began);
        resolve(found);
      };
      const wait = Math.ceil(this.#restUntil - monotonicMs());
      if (wait <= 0) setImmediate(look);
      else setTimeout(look, wait);
    });
    return this.#next;
  }

  /** A look at this moment. */
  now(): readonly Newcomer[] {
    const { ownCgroup, apps, guardianPid } = this.#daemon;
    const here = ownCgroup === null ? null : cgroupPids(ownCgroup);
    if (here === null) return [];
    const known = new Set<number | null | undefined>([process.pid, guardianPid()]);
    for (const { all } of apps.values()) for (const { launcher } of all) known.add(launcher?.pid);
    const found: Newcomer[] = [];
    for (const pid of here) {
      const entry = known.has(pid) ? null : readProcess(pid);
      if (entry === null || entry.ppid === process.pid || this.#isOwn(pid) || this.#isOfLaunch(entry.ppid)) continue;
      found.push({ entry, cookie: cookieOf(pid) });
    }
    return found;
  }

  /** What serves all terminals belongs to no app, whichever version's it is. */
  #isOwn(pid: number): boolean {
    return this.#isOfLaunch(pid) || processLine(pid)?.includes(hostFile) !== false;
  }

  /** A launcher that has not told its pid yet, or what it forked to become the program. */
  #isOfLaunch(pid: number): boolean {
    return processLine(pid)?.includes(this.#daemon.launcherScript) ?? true;
  }
}

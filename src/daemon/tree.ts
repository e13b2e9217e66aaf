/**
 * All that a run started: found, signalled, and watched until nothing of it is alive.
 *
 * With a cgroup of its own, membership is the kernel's word. The program is moved into it as soon as it runs, and with it what it forked meanwhile
 * (joining before the exec would cost each start 10 ms and more, as the kernel waits for an RCU grace period). Without a cgroup, a tree is found by
 * its traces in /proc: parentage, session and group of the main program, and the cookie in the environment; what was found once is remembered by
 * (pid, start time). Empty is what was empty twice in a row, as a process may fork while it is looked for.
 */
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import {
  cgroupPids,
  isCgroupEmpty,
  joinCgroup,
  killCgroup,
  makeCgroup,
  moveToCgroup,
  removeCgroup,
} from '../host/cgroup.ts';
import { isOutOfFds } from '../host/fds.ts';
import { isAlive, isDead, type ProcessId, processStat, signalProcess, ticksPerSecond } from '../host/process.ts';
import { signalNumber } from '../host/signals.ts';
import { uptimeMs } from '../metrics/cpu.ts';
import { type ProcEntry, type ProcTable, readProcess, readProcTable } from '../metrics/proc-table.ts';
import { findTree } from '../metrics/tree.ts';
import type { Instance } from './instance.ts';
import type { Newcomer } from './newcomers.ts';
import { isSameProgram } from './same-program.ts';

/** Looks for an empty tree: soon at first, as most programs end at once, then ever more seldom. */
const firstLookMs = 5;
const lastLookMs = 250;
/** A tree that forks while it is killed is killed again, at most so often in one go. */
const killRounds = 20;
/** A program that forks while it is moved is followed, at most so often; what is missed then is found by its traces. */
const encloseRounds = 10;
/** A program that is in its cgroup for so long has left nothing outside. */
const settledMs = 2000;

export class Tree {
  readonly #instance: Instance;
  readonly #run: number;
  /** Members seen when the tree was last looked for: a child keeps belonging to it when its parents are gone. */
  #seen: ReadonlyMap<number, ProcessId> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #events: FSWatcher | null = null;
  #closed = false;
  /** The cgroup holds all of it: no process of the run is elsewhere. */
  #enclosed = false;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.#run = instance.model.run;
  }

  /** The directory of its cgroup; null if trees are found by their traces here. */
  static cgroupOf(instance: Instance): string | null {
    const { app, key } = instance;
    return app.daemon.cgroupBase === null ? null : join(app.daemon.cgroupBase, `app.${key.replace('/', '~')}`);
  }

  /** Its cgroup holds all of it. */
  get isEnclosed(): boolean {
    return this.#enclosed;
  }

  /** Everything of it that is alive now, zombies excepted. */
  members(): ProcessId[] {
    const cgroup = Tree.cgroupOf(this.#instance);
    const byCgroup = cgroup === null ? null : cgroupPids(cgroup);
    if (byCgroup !== null && this.#enclosed) return identify(byCgroup);
    const newcomers = this.#ours(this.#instance.app.daemon.newcomers.now());
    const pids = [...this.#trace(readProcTable()), ...this.#unexplained(newcomers)];
    const found = identify([...pids, ...(byCgroup ?? [])]);
    const seen = new Map(this.#seen);
    for (const id of found) seen.set(id.pid, id);
    const alive = [...seen.values()].filter(isAlive);
    this.#seen = new Map(alive.map((id) => [id.pid, id]));
    return alive;
  }

  /** Moves the program, which has just come to be, and what it has forked so far into the cgroup of its instance. */
  async enclose(): Promise<void> {
    const { program, app } = this.#instance;
    const own = app.daemon.ownCgroup;
    const path = Tree.cgroupOf(this.#instance);
    if (path === null || own === null || program === null || this.#closed) return;
    const cgroup = makeCgroup(path);
    if (cgroup === null) return;
    await this.#fill(cgroup, program);
    // It ended meanwhile or before, and may have been told to be empty: an empty cgroup is nobody's.
    if (this.#closed || !isAlive(program)) removeCgroup(cgroup);
  }

  async #fill(cgroup: string, program: ProcessId): Promise<void> {
    if (!cgroupPids(cgroup)?.includes(program.pid)) {
      if (!(await moveInto(cgroup, program))) return;
    } else if (uptimeMs() - (program.startTicks * 1000) / ticksPerSecond > settledMs) {
      // Moved by a daemon before this one.
      this.#enclosed = true;
      return;
    }
    for (let round = 0; round < encloseRounds && !this.#closed; round++) {
      const strays = await this.#strays(cgroup, program);
      this.#enclosed = strays.length === 0;
      if (this.#enclosed) return;
      for (const stray of strays) await moveInto(cgroup, stray);
    }
  }

  /** What belongs to the run and is not in its cgroup. A launched program leaves such only where launchers are; an adopted one anywhere. */
  async #strays(cgroup: string, program: ProcessId): Promise<ProcessId[]> {
    const { launcher, app } = this.#instance;
    if (launcher?.pid === 0) {
      const already = cgroupPids(cgroup) ?? [];
      return this.members().filter(({ pid }) => !already.includes(pid));
    }
    const newcomers = this.#ours(await app.daemon.newcomers.next());
    if (newcomers.size === 0 || this.#closed) return [];
    const inside = cgroupPids(cgroup) ?? [];
    const table = new Map(newcomers);
    for (const pid of [program.pid, ...inside]) {
      const entry = readProcess(pid);
      if (entry !== null) table.set(pid, entry);
    }
    const pids = [...this.#trace(table), ...this.#unexplained(newcomers)];
    return identify([...new Set(pids)].filter((pid) => !inside.includes(pid)));
  }

  /** The signal, then SIGCONT (a stopped program could not act on it), to every member; then watches until it is empty. */
  signal(name: string): void {
    const number = signalNumber(name) ?? 15;
    for (const id of this.members()) {
      this.#send(id, number);
      if (number !== 9 && number !== 18) this.#send(id, 'SIGCONT');
    }
    this.watch();
  }

  /** SIGKILL to every member, until there is none or after some rounds; then watches. */
  kill(): void {
    const cgroup = Tree.cgroupOf(this.#instance);
    if (cgroup !== null) killCgroup(cgroup);
    for (let round = 0; round < killRounds; round++) {
      const members = this.members();
      if (members.length === 0) break;
      for (const id of members) this.#send(id, 'SIGKILL');
    }
    // A launcher that somebody stopped could not record the end.
    const { launcher } = this.#instance;
    if (launcher) this.#send(launcher, 'SIGCONT');
    this.watch();
  }

  /** Posts `treeEmptied` when nothing is alive: now or later. */
  watch(): void {
    if (this.#closed) return;
    this.#unwatch();
    if (this.#reportIfEmpty()) return;
    this.#watchCgroup();
    this.#lookAgain(firstLookMs);
  }

  /** Posts what is so now: `treeEmptied` or `treeAlive`. */
  survey(): void {
    if (this.#reportIfEmpty()) return;
    const pids = this.members().map(({ pid }) => pid);
    this.#instance.dispatch({ type: 'treeAlive', run: this.#run, pids });
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
  }

  #reportIfEmpty(): boolean {
    const { program } = this.#instance;
    // The cheap question first: while the main program lives, nothing needs to be looked for.
    if (program !== null && isAlive(program)) return false;
    if (!this.#isEmpty()) return false;
    this.#unwatch();
    const cgroup = Tree.cgroupOf(this.#instance);
    if (cgroup !== null) removeCgroup(cgroup);
    this.#instance.dispatch({ type: 'treeEmptied', run: this.#run });
    return true;
  }

  #isEmpty(): boolean {
    const cgroup = Tree.cgroupOf(this.#instance);
    if (cgroup !== null && this.#enclosed) return isCgroupEmpty(cgroup);
    try {
      return this.members().length === 0 && this.members().length === 0;
    } catch (error) {
      // What can't be looked for may be there.
      if (isOutOfFds(error)) return false;
      throw error;
    }
  }

  #trace(table: ProcTable): number[] {
    const { program, launcher } = this.#instance;
    if (program === null) return [];
    return findTree(table, {
      main: program,
      cookie: this.#instance.cookie(this.#run),
      exclude: new Set(launcher === null ? [] : [launcher.pid]),
    });
  }

  /**
   * What shed every trace in its first milliseconds, before it was moved (a daemon that writes its title over its environment): it is still where launchers
   * are, and can only be of a run that was launched just now. Where several were, the executable tells.
   */
  #unexplained(newcomers: ProcTable): number[] {
    const { program, app } = this.#instance;
    if (newcomers.size === 0 || program === null) return [];
    const isRivalled = [...app.daemon.apps.values()].some(({ all }) =>
      all.some((other) => other !== this.#instance && other.mayHaveStrays),
    );
    return [...newcomers.values()]
      .filter(({ ppid, startTicks }) => startTicks >= program.startTicks && (ppid === 1 || newcomers.has(ppid)))
      .filter(({ pid }) => !isRivalled || isSameProgram(this.#instance, pid))
      .map(({ pid }) => pid);
  }

  /** Those that may be of this run: what says that it is another's is left out. */
  #ours(newcomers: readonly Newcomer[]): Map<number, ProcEntry> {
    const own = this.#instance.cookie(this.#run);
    return new Map(
      newcomers.filter(({ cookie }) => cookie === null || cookie === own).map(({ entry }) => [entry.pid, entry]),
    );
  }

  #send(id: ProcessId, signal: NodeJS.Signals | number): void {
    try {
      signalProcess(id, signal);
    } catch (error) {
      this.#instance.app.daemon.log(`${this.#instance.app.name}: no signal to ${id.pid}: ${(error as Error).message}`);
    }
  }

  #lookAgain(ms: number): void {
    this.#timer = setTimeout(() => {
      if (!this.#reportIfEmpty()) this.#lookAgain(Math.min(lastLookMs, ms * 2));
    }, ms);
  }

  #watchCgroup(): void {
    const cgroup = Tree.cgroupOf(this.#instance);
    if (cgroup === null) return;
    try {
      this.#events = watch(join(cgroup, 'cgroup.events'), { persistent: false }, () => this.#reportIfEmpty());
      this.#events.on('error', () => {});
    } catch {
      // No inotify to be had: it is looked for all the same.
    }
  }

  #unwatch(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#events?.close();
    this.#events = null;
  }
}

/** False if it is gone or the kernel refuses. */
async function moveInto(cgroup: string, id: ProcessId): Promise<boolean> {
  if (!isAlive(id) || !(await moveToCgroup(cgroup, id.pid))) return false;
  // Its pid was given to another meanwhile: that one goes back to where it may live.
  const now = processStat(id.pid);
  if (now !== null && now.startTicks !== id.startTicks) joinCgroup(join(cgroup, '../..'), id.pid);
  return true;
}

function identify(pids: readonly number[]): ProcessId[] {
  return pids.flatMap((pid) => {
    const stat = processStat(pid);
    return stat === null || isDead(stat) ? [] : [{ pid, startTicks: stat.startTicks }];
  });
}

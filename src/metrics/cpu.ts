/**
 * CPU of trees in percent of one core: since the last look if that was within 30 s, else over the run's life.
 *
 * A process's time goes two ways when it ends: into its parent's "time of children waited for", or nowhere if nobody of the tree waits for it.
 * So what the members used themselves and what their children used are summed apart, and what an ended member had used at
 * the last look is taken off the second, never below 0.
 */
import { readFileSync } from 'node:fs';
import { ticksPerSecond } from '../host/process.ts';
import type { ProcEntry, ProcTable } from './proc-table.ts';

/** Older than this, a look says nothing of now. */
const lookAgeMs = 30_000;
/** The kernel counts in ticks of 10 ms: a shorter time would show steps of 5 % and more. */
const shortestMs = 200;

interface Usage {
  readonly pid: number;
  readonly startTicks: number;
  readonly own: number;
  readonly children: number;
}

interface Look {
  readonly atMs: number;
  readonly startTicks: number;
  /** A list, as a map of one process, which most trees are, takes four times as much. */
  readonly usage: readonly Usage[];
  readonly percent: number;
}

export interface Sample {
  readonly table: ProcTable;
  /** The tree. */
  readonly pids: readonly number[];
  /** When the main program started, in ticks since boot. */
  readonly startTicks: number;
  /** Milliseconds since boot, suspended time included, as startTicks are. */
  readonly nowMs?: number;
}

/** Keeps the last look at each tree. */
export class CpuMeter {
  readonly #looks = new Map<string, Look>();

  /** Percent of one core that the tree of `key` used; a new start time begins anew. */
  measure(key: string, { table, pids, startTicks, nowMs = uptimeMs() }: Sample): number {
    const last = this.#looks.get(key);
    const isUsable = last?.startTicks === startTicks && nowMs >= last.atMs && nowMs - last.atMs <= lookAgeMs;
    if (isUsable && nowMs - last.atMs < shortestMs) return last.percent;
    const usage = usageOf(table, pids);
    const lifeMs = nowMs - (startTicks * 1000) / ticksPerSecond;
    const percent = isUsable
      ? percentOf(usedSince(last.usage, usage), nowMs - last.atMs)
      : percentOf(usedInAll(usage), Math.max(lifeMs, 1000 / ticksPerSecond));
    this.#looks.set(key, { atMs: nowMs, startTicks, usage, percent });
    return percent;
  }

  /** Drops what is kept of a tree. */
  forget(key: string): void {
    this.#looks.delete(key);
  }
}

/** Milliseconds since boot by the clock of process start times. */
export function uptimeMs(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}

function usageOf(table: ProcTable, pids: readonly number[]): Usage[] {
  const entries = pids.map((pid) => table.get(pid)).filter((entry) => entry !== undefined);
  return entries.map(usageOfEntry);
}

const usageOfEntry = (entry: ProcEntry): Usage => ({
  pid: entry.pid,
  startTicks: entry.startTicks,
  own: entry.utimeTicks + entry.stimeTicks,
  children: entry.cutimeTicks + entry.cstimeTicks,
});

/** Ticks used between two looks; never negative. */
function usedSince(before: readonly Usage[], now: readonly Usage[]): number {
  const byPid = (usages: readonly Usage[]) => new Map(usages.map((usage) => [usage.pid, usage]));
  const [old, current] = [byPid(before), byPid(now)];
  let own = 0;
  let children = 0;
  for (const usage of now) {
    const known = old.get(usage.pid);
    const base = known?.startTicks === usage.startTicks ? known : undefined;
    own += Math.max(0, usage.own - (base?.own ?? 0));
    children += Math.max(0, usage.children - (base?.children ?? 0));
  }
  for (const usage of before) {
    if (current.get(usage.pid)?.startTicks !== usage.startTicks) children -= usage.own + usage.children;
  }
  return own + Math.max(0, children);
}

function usedInAll(usage: readonly Usage[]): number {
  return usage.reduce((sum, { own, children }) => sum + own + children, 0);
}

/** One digit after the point. */
function percentOf(ticks: number, ms: number): number {
  return Math.round(((ticks / ticksPerSecond) * 1000 * 1000) / ms) / 10;
}

import { type ProcessId, ticksPerSecond } from '../host/process.ts';
import type { RunRecord } from '../launcher/records.ts';
import { type ProcEntry, readProcess, readProcTable } from '../metrics/proc-table.ts';
import type { Instance } from './instance.ts';
import { isSameProgram } from './same-program.ts';

/** A program that puts itself in the background does so at once. */
const soonMs = 5000;

/**
 * What a program that ended with 0 left in its place: exactly one process of the same executable in a session of its own (its
 * workers apart). Null if it just ended.
 */
export function successorOf(instance: Instance, { program, exit }: RunRecord): ProcessId | null {
  if (instance.app.spec.kind !== 'app' || program === null || exit === null) return null;
  if (exit.uptimeMs - (program.startTicks * 1000) / ticksPerSecond > soonMs) return null;
  if (instance.model.state.name === 'stopping') return null;
  const members = instance.tree.members().flatMap(({ pid }) => readProcess(pid) ?? []);
  const left = members.length > 0 ? members : escaped(instance, program, exit.uptimeMs);
  const daemons = left.filter((entry) => entry.session !== program.pid && isSameProgram(instance, entry.pid));
  // A daemon's workers are no daemons of their own.
  const roots = daemons.filter(({ ppid }) => !daemons.some((other) => other.pid === ppid));
  const [only] = roots;
  return only !== undefined && roots.length === 1 ? { pid: only.pid, startTicks: only.startTicks } : null;
}

/**
 * Without a cgroup a daemon may have shed every trace (nginx writes its title over its environment): then what was forked while the program lived, and now
 * belongs to nobody.
 */
function escaped({ app }: Instance, program: ProcessId, endedMs: number): ProcEntry[] {
  const others = new Set(
    [...app.daemon.apps.values()].flatMap(({ instances }) => instances.map((other) => other.program?.pid)),
  );
  const lastTick = (endedMs * ticksPerSecond) / 1000 + 1;
  return [...readProcTable().values()].filter(
    ({ pid, ppid, session, startTicks }) =>
      !others.has(pid) && ppid === 1 && session === pid && startTicks >= program.startTicks && startTicks <= lastTick,
  );
}

import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { decodeBytes } from '../host/bytes.ts';
import { type ProcessId, ticksPerSecond } from '../host/process.ts';
import type { RunRecord } from '../launcher/records.ts';
import { type ProcEntry, readProcess, readProcTable } from '../metrics/proc-table.ts';
import type { Instance } from './instance.ts';

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

/** Forked from the program, not executed by it: the same file, or for a script the same command line. */
function isSameProgram(instance: Instance, pid: number): boolean {
  const executable = executableOf(pid);
  if (executable !== null && [instance.executable, resolvedExecutable(instance)].includes(executable)) return true;
  const { how, words } = instance.app.spec.program;
  return how === 'script' && commandLine(pid).includes(words[0]!);
}

/** For a program that was gone before anybody looked. */
function resolvedExecutable({ app }: Instance): string | null {
  const { program, env, cwd } = app.spec;
  const word = program.interpreter?.path ?? program.words[0]!;
  const path = env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const places = word.includes('/')
    ? [resolve(cwd, word)]
    : path.split(delimiter).map((directory) => join(directory, word));
  for (const place of places) {
    try {
      return realpathSync(place);
    } catch {
      // Not there.
    }
  }
  return null;
}

/** The file that a process executes; null if it is gone or another user's. */
export function executableOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return null;
  }
}

function commandLine(pid: number): string[] {
  try {
    return decodeBytes(readFileSync(`/proc/${pid}/cmdline`)).split('\0');
  } catch {
    return [];
  }
}

/**
 * Whether files were changed by the processes of a program. The kernel doesn't tell who wrote a file, so it is taken for theirs if one of them has it open for
 * writing; or if it changed soon after the start, while they have written to a disk, and at least as much as the changed files hold.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import type { ProcessId } from '../host/process.ts';
import { processLine } from './process-line.ts';

/** What a program generates at its start, it does soon. */
const soonMs = 5000;
/** A program that keeps files open has opened few before them. */
const mostFds = 256;

/** They write logs of their own, and nothing of the project. */
const packageRunner = /^(?:\S*\/)?(?:npm|yarn|pnpm)\b|^\S+ \S*\/(?:npm|yarn|pnpm)(?:-cli)?(?:\.c?js)?(?: |$)/;

export interface Writers {
  readonly members: readonly ProcessId[];
  /** Since they were started. */
  readonly ageMs: number;
}

/** `paths` absolute. */
export function haveChanged(paths: readonly string[], { members, ageMs }: Writers): boolean {
  const writers = members.filter(({ pid }) => !packageRunner.test(processLine(pid) ?? ''));
  // As /proc names what is open.
  const real = paths.map((path) => quietly(() => realpathSync(path), path));
  const open = new Set(writers.flatMap(({ pid }) => openForWriting(pid, real)));
  const others = real.filter((path) => !open.has(path));
  return others.length === 0 || (ageMs <= soonMs && haveWritten(writers, others));
}

function openForWriting(pid: number, paths: readonly string[]): string[] {
  const read = (name: string) => readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8');
  return quietly(() => readdirSync(`/proc/${pid}/fd`), [])
    .slice(0, mostFds)
    .flatMap((fd) => {
      const path = quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '');
      if (!paths.includes(path)) return [];
      const flags = /^flags:\s*(\d+)/m.exec(quietly(() => read(fd), ''))?.[1] ?? '0';
      return (Number.parseInt(flags, 8) & 3) === 0 ? [] : [path];
    });
}

/** By proc(5), /proc/PID/io: what went through write(2), and what of it made pages of files dirty; children that ended are counted with their parents. */
function haveWritten(members: readonly ProcessId[], paths: readonly string[]): boolean {
  const totals = members.map(({ pid }) => {
    const text = quietly(() => readFileSync(`/proc/${pid}/io`, 'utf8'), '');
    const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return { written: field('wchar'), dirtied: field('write_bytes') };
  });
  const sum = (key: 'written' | 'dirtied') => totals.reduce((all, one) => all + one[key], 0);
  const size = paths.reduce((all, path) => all + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  return sum('dirtied') > 0 && sum('written') >= size;
}

/** Processes and files come and go. */
function quietly<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

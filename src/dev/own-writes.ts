/**
 * Changes that the program makes itself: its log, its database, a file that it generates. Each would restart it, and it would make the next one. The kernel doesn't tell who
 * wrote a file, so it is taken for the program's if one of its processes has it open for writing; or if it changed soon after the start, while the program's processes
 * have written to a disk, and at least as much as the changed files hold. After some such restarts in a row, one upon the other, these files are left out.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ProcessId } from '../host/process.ts';
import { processLine } from '../metrics/process-line.ts';
import type { Change } from './step.ts';

/** Restarts for its own sake, before it is left alone. */
export const mostOwnRestarts = 5;
/** What a program generates at its start, it does soon. */
const soonMs = 5000;
/** A program that keeps files open has opened few before them. */
const mostFds = 256;

/** They write logs of their own, and nothing of the project. */
const packageRunner = /^(?:\S*\/)?(?:npm|yarn|pnpm)\b|^\S+ \S*\/(?:npm|yarn|pnpm)(?:-cli)?(?:\.c?js)?(?: |$)/;

export interface Writer {
  /** All processes of the run, alive. */
  members(): readonly ProcessId[];
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  /** Since then. */
  readonly ageMs: number;
}

export interface Verdict {
  /** It is no reason for a restart. */
  readonly isLeftOut: boolean;
  /** Files that are left out from now on. */
  readonly fresh: readonly string[];
}

export class OwnWrites {
  readonly #cwd: string;
  readonly #leftOut = new Set<string>();
  #inRow = 0;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  /** `at`: when it began, in milliseconds since the epoch. `writer` null: nothing runs. */
  judge({ paths }: Change, at: number, writer: Writer | null): Verdict {
    const isKnown = paths.every((path) => this.#leftOut.has(path));
    // Of the run before this one, or of nobody: it says nothing about this one.
    if (writer === null || at < writer.beganAt) return { isLeftOut: isKnown && writer !== null, fresh: [] };
    // As /proc names what is open.
    const real = paths.map((path) => realOf(resolve(this.#cwd, path)));
    if (!isOwn(real, writer)) {
      this.#inRow = 0;
      return { isLeftOut: false, fresh: [] };
    }
    if (isKnown) return { isLeftOut: true, fresh: [] };
    this.#inRow += 1;
    if (this.#inRow <= mostOwnRestarts) return { isLeftOut: false, fresh: [] };
    const fresh = paths.filter((path) => !this.#leftOut.has(path));
    for (const path of fresh) this.#leftOut.add(path);
    return { isLeftOut: true, fresh };
  }
}

function isOwn(paths: readonly string[], writer: Writer): boolean {
  const members = writer.members().filter(({ pid }) => !packageRunner.test(processLine(pid) ?? ''));
  const open = new Set(members.flatMap(({ pid }) => openForWriting(pid, paths)));
  const others = paths.filter((path) => !open.has(path));
  return others.length === 0 || (writer.ageMs <= soonMs && haveWritten(members, others));
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

const realOf = (path: string): string => quietly(() => realpathSync(path), path);

/** Processes and files come and go. */
function quietly<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

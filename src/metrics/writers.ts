/** What speaks for it that a program has made a change. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { ProcessId } from '../host/process.ts';
import { processLine } from './process-line.ts';

/** A program that keeps files open has opened few before them. */
const mostFds = 256;

/** They write logs of their own, and nothing of the project. */
const packageRunner = /^(?:\S*\/)?(?:npm|yarn|pnpm)\b|^\S+ \S*\/(?:npm|yarn|pnpm)(?:-cli)?(?:\.c?js)?(?: |$)/;

/** What speaks for it that the program has made a change: it has the files open, or has written enough. */
export interface Evidence {
  /** All that was changed is open for writing. */
  readonly isOpen: boolean;
  /** How much of it isn't, in bytes. */
  readonly size: number;
  /** How many bytes the program's processes have written since they began, to whatever; 0 where none of it went to a file. */
  readonly written: number;
}

/** `paths` as /proc names what is open. */
export function evidenceOf(paths: readonly string[], all: readonly ProcessId[]): Evidence {
  const members = all.filter(({ pid }) => !packageRunner.test(processLine(pid) ?? ''));
  const open = new Set(members.flatMap(({ pid }) => openForWriting(pid, paths)));
  const others = paths.filter((path) => !open.has(path));
  const size = others.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  return { isOpen: others.length === 0, size, written: others.length === 0 ? 0 : writtenBy(members) };
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
function writtenBy(members: readonly ProcessId[]): number {
  let [written, dirtied] = [0, 0];
  for (const { pid } of members) {
    const text = quietly(() => readFileSync(`/proc/${pid}/io`, 'utf8'), '');
    const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
    written += field('wchar');
    dirtied += field('write_bytes');
  }
  return dirtied > 0 ? written : 0;
}

/** Processes and files come and go. */
export function quietly<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** What a process that runs already is: all that would be needed to start it again, as /proc tells it. */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';
import { type Limits, limitsOf } from '../host/limits.ts';
import { passedOn } from '../host/passed-on.ts';
import { readEntries } from '../host/proc-entries.ts';
import type { Program } from '../protocol/spec.ts';
import { findCommand } from './find.ts';
import { nameOfCommand, nameOfScript, passingName } from './names.ts';
import { variable } from './probe.ts';

export interface RunningProgram {
  readonly program: Program;
  readonly name: string;
  readonly cwd: string;
  readonly env: readonly string[];
  readonly umask: number;
  readonly limits: Limits;
  readonly nice: number;
  readonly oomScoreAdj: number;
  readonly uid: number;
  /** Where its stdout and stderr go. */
  readonly outputs: readonly string[];
  /** Its controlling terminal, as `pts/3`; null without one. */
  readonly terminal: string | null;
  /** The kernel's word for it: `T` is stopped. */
  readonly state: string;
}

/** Null if it is gone, a kernel thread, or another user's. */
export async function programOf(pid: number): Promise<RunningProgram | null> {
  const argv = readEntries(`/proc/${pid}/cmdline`);
  const env = readEntries(`/proc/${pid}/environ`);
  const status = readText(`/proc/${pid}/status`);
  const cwd = link(`/proc/${pid}/cwd`);
  if (!argv?.length || !argv[0] || env === undefined || status === null || cwd === null) return null;
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
  return {
    program: await programFrom(pid, argv, { cwd, path: variable(env, 'PATH') }),
    name: await nameFrom(argv, cwd),
    cwd,
    env: passedOn(env.filter((entry) => entry.indexOf('=') > 0)),
    umask: Number.parseInt(field('Umask') ?? '022', 8),
    limits: limitsOf(pid),
    nice: niceOf(pid),
    oomScoreAdj: Number(readText(`/proc/${pid}/oom_score_adj`) ?? 0),
    uid: Number(field('Uid') ?? -1),
    outputs: [1, 2].map((fd) => link(`/proc/${pid}/fd/${fd}`) ?? 'nowhere'),
    terminal: terminalOf(pid),
    state: field('State') ?? '?',
  };
}

/** Its command line as it stands; where its first word can't be found again, the file that it executes. */
async function programFrom(
  pid: number,
  argv: readonly string[],
  lookup: { cwd: string; path: string | undefined },
): Promise<Program> {
  const found = await findCommand(argv[0]!, lookup as Parameters<typeof findCommand>[1]);
  const executable = link(`/proc/${pid}/exe`);
  const isIt = found.how === 'found' && executable !== null && isSameFile(found.path, executable);
  if (isIt || executable === null) return { how: 'command', words: argv, interpreter: null };
  return { how: 'command', words: [executable.replace(/ \(deleted\)$/, ''), ...argv.slice(1)], interpreter: null };
}

const scripts = /^(node|nodejs|bun|deno|python[\d.]*|ruby|perl|php|sh|bash|dash)$/;

/** `node /srv/app.js` is app. */
async function nameFrom(argv: readonly string[], cwd: string): Promise<string> {
  const script = scripts.test(argv[0]!.split('/').at(-1)!)
    ? argv.slice(1).find((word) => !word.startsWith('-'))
    : undefined;
  if (script !== undefined && /\.\w+$/.test(script))
    return nameOfScript(script.startsWith('/') ? script : `${cwd}/${script}`);
  return passingName(await nameOfCommand(argv, cwd));
}

function isSameFile(a: string, b: string): boolean {
  try {
    const [one, other] = [statSync(a), statSync(b)];
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}

function niceOf(pid: number): number {
  try {
    return getPriority(pid);
  } catch {
    return 0;
  }
}

/** tty_nr of /proc/PID/stat: Unix98 ptys have major 136 to 143. */
function terminalOf(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`);
  const number = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[4] ?? 0);
  if (!number) return null;
  const major = (number >> 8) & 0xfff;
  const minor = (number & 0xff) | ((number >> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : `tty ${major}:${minor}`;
}

function link(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

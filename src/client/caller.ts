/**
 * What a program inherits from the one who starts it: cwd, environment, umask, limits, niceness. Taken by the command itself at each start,
 * byte for byte, and never from the daemon.
 *
 * Node decodes argv and environment as UTF-8 and loses other bytes, so both are read from `/proc/self`. Node also raises its soft
 * limit of open files to the hard one as it starts: that one value comes from the parent, which is the shell as a rule (where the shell has
 * replaced itself by us, its soft limit is beyond recovery).
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';
import { decodeBytes, encodeBytes } from '../host/bytes.ts';
import { type Limits, limitsOf } from '../host/limits.ts';
import { passedOn } from '../host/passed-on.ts';
import { readEntries } from '../host/proc-entries.ts';
import type { Asker, Caller } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';

/** What is not as this process was started with it. */
export interface CallerChanges {
  readonly env?: readonly string[];
  readonly command?: string;
}

/** The caller of this very process. Throws CWD_MISSING if its directory has been removed. */
export function captureCaller({ env = environment(), command = whoAsks().command }: CallerChanges = {}): Caller {
  return {
    cwd: workingDirectory(env),
    env: passedOn(env),
    umask: process.umask(),
    limits: inheritedLimits(),
    nice: getPriority(),
    oomScoreAdj: Number(readText('/proc/self/oom_score_adj') ?? 0),
    pid: process.pid,
    command,
  };
}

/** Who asked, for the record of commands. */
export function whoAsks(): Required<Asker> {
  return { pid: process.pid, command: ['stead', ...hideValues(process.argv.slice(2))].join(' ').slice(0, 500) };
}

/** All entries as they were at exec: also those that Node would merge or decode with loss. */
function environment(): readonly string[] {
  const raw = readEntries('/proc/self/environ');
  const entries = raw ?? Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  return entries.filter((entry) => entry.indexOf('=') > 0);
}

/** As a child of this process would get it now: what has not been changed since exec byte for byte. */
export function presentEnvironment(): readonly string[] {
  const untouched = new Map(environment().map((entry) => [utf8(entry), entry]));
  return Object.entries(process.env).map(([name, value]) => untouched.get(`${name}=${value}`) ?? `${name}=${value}`);
}

/** As Node decodes it. */
const utf8 = (entry: string): string => encodeBytes(entry).toString();

/** `$PWD` if it names this directory (it keeps symbolic links as the user wrote them), else the directory's own path. */
function workingDirectory(env: readonly string[]): string {
  const real = readlinkSync('/proc/self/cwd', { encoding: 'buffer' });
  const here = identity(Buffer.from('.'));
  const logical = env.find((entry) => entry.startsWith('PWD=/'))?.slice('PWD='.length);
  if (logical !== undefined && here !== undefined && identity(encodeBytes(logical)) === here) return logical;
  if (here === undefined || identity(real) !== here) {
    throw new SteadError('CWD_MISSING', 'The directory you are in has been removed', {
      hint: 'cd to another one first',
    });
  }
  return decodeBytes(real);
}

function identity(path: Buffer): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function inheritedLimits(): Limits {
  const own = limitsOf('self');
  const hard = own.nofile?.[1];
  const parentSoft = limitsOf(process.ppid).nofile?.[0];
  if (hard === undefined || parentSoft === undefined) return own;
  return { ...own, nofile: [lower(parentSoft, hard), hard] };
}

const lower = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** `-e TOKEN=x` → `-e TOKEN=…`: a record of commands is no place for secrets. */
function hideValues(args: readonly string[]): string[] {
  return args.map((arg, at) => {
    const isValue = args[at - 1] === '-e' || args[at - 1] === '--env' || /^(-e|--env=).+=/.test(arg);
    return isValue ? arg.replace(/^((?:--env=)?[^=]*=).*/s, '$1…') : arg;
  });
}

/**
 * Everything alive that belongs to one run, found by its traces where the kernel keeps no list (no cgroup).
 *
 * A process belongs to the run if it is the main program; or descends from a member by ppid; or is in a session or process group of a
 * member that the run made; or carries the run's cookie in the environment it was executed with. Descent is lost when a parent
 * dies, session and group are left by setsid, the environment may be replaced: a process has to shed all of them at once to get away,
 * which is what the cgroup is for. Traces are by number, and numbers are given out again, so nothing that started before the run's
 * main program is a member, and a session or group whose leader is a stranger is none of ours.
 *
 * One look can miss what forks during it: callers that kill look again until the tree is empty twice.
 */
import { readFileSync } from 'node:fs';
import { cgroupPids } from '../host/cgroup.ts';
import { isDead } from '../host/process.ts';
import type { ProcEntry, ProcTable } from './proc-table.ts';

export interface TreeTraces {
  /** The program itself: the pid is the run's as long as its start time is this one. */
  readonly main: { readonly pid: number; readonly startTicks: number };
  /** The session that the launcher made for it; its number is the main pid as a rule. */
  readonly session?: number | null;
  /** The value of STEAD_RUN_ID that this run alone has. */
  readonly cookie?: string | null;
  /** The directory of its cgroup: then that list is complete and no environment is read. */
  readonly cgroup?: string | null;
  /** Never members: its launcher, which carries the cookie, too. */
  readonly exclude?: ReadonlySet<number>;
  /** Count the dead that nobody has waited for yet. */
  readonly zombies?: boolean;
}

/** Pids of a run's tree, the main program first, the others in order of their start. */
export function findTree(table: ProcTable, traces: TreeTraces): number[] {
  const candidates = [...table.values()].filter((entry) => isCandidate(entry, traces));
  const members = new Set<number>();
  const fromCgroup = traces.cgroup ? cgroupPids(traces.cgroup) : null;
  for (const pid of fromCgroup ?? []) if (table.has(pid) && !traces.exclude?.has(pid)) members.add(pid);
  addTraced(members, candidates, { table, traces });
  if (fromCgroup === null && traces.cookie) {
    const before = members.size;
    for (const entry of candidates) {
      const { pid } = entry;
      if (!isDead(entry) && !members.has(pid) && hasCookie(pid, traces.cookie)) members.add(pid);
    }
    if (members.size > before) addTraced(members, candidates, { table, traces });
  }
  return inOrder(members, table, traces);
}

function isCandidate(entry: ProcEntry, { main, exclude }: TreeTraces): boolean {
  return entry.startTicks >= main.startTicks && !exclude?.has(entry.pid);
}

interface Context {
  readonly table: ProcTable;
  readonly traces: TreeTraces;
}

/** Adds by session, group and descent until nothing more comes. */
function addTraced(members: Set<number>, candidates: readonly ProcEntry[], { table, traces }: Context): void {
  const { main } = traces;
  if (table.get(main.pid)?.startTicks === main.startTicks) members.add(main.pid);
  const sessions = new Set<number>();
  const groups = new Set<number>();
  for (const number of [main.pid, traces.session]) {
    if (number && isOwnLeader(number, { table, traces })) {
      sessions.add(number);
      groups.add(number);
    }
  }
  for (let grew = true; grew; ) {
    for (const pid of members) addLed(pid, table, { sessions, groups });
    grew = false;
    for (const { pid, ppid, pgid, session } of candidates) {
      if (members.has(pid) || !(members.has(ppid) || sessions.has(session) || groups.has(pgid))) continue;
      members.add(pid);
      grew = true;
    }
  }
}

/**
 * A number is still the run's if its leader is the main program, or gone: the kernel gives no number out again that a session still
 * has. That it was free in between is ruled out as far as can be told: by members that carry the cookie of another run.
 */
function isOwnLeader(number: number, { table, traces }: Context): boolean {
  const leader = table.get(number);
  if (leader === undefined) return !isAnotherRuns(number, { table, traces });
  return number === traces.main.pid
    ? leader.startTicks === traces.main.startTicks
    : leader.startTicks >= traces.main.startTicks;
}

function isAnotherRuns(session: number, { table, traces: { cookie } }: Context): boolean {
  if (!cookie) return false;
  const members = [...table.values()].filter((entry) => entry.session === session);
  return members.some(({ pid }) => {
    const own = cookieOf(pid);
    return own !== null && own !== cookie;
  });
}

/** What a member leads is the run's: a shell's job, a daemon's session. */
function addLed(
  pid: number,
  table: ProcTable,
  { sessions, groups }: { sessions: Set<number>; groups: Set<number> },
): void {
  const entry = table.get(pid);
  if (entry?.session === pid) sessions.add(pid);
  if (entry?.pgid === pid) groups.add(pid);
}

function inOrder(members: ReadonlySet<number>, table: ProcTable, { main, zombies = false }: TreeTraces): number[] {
  return [...members]
    .map((pid) => table.get(pid)!)
    .filter((entry) => zombies || !isDead(entry))
    .sort(
      (a, b) => Number(b.pid === main.pid) - Number(a.pid === main.pid) || a.startTicks - b.startTicks || a.pid - b.pid,
    )
    .map(({ pid }) => pid);
}

const cookieName = 'STEAD_RUN_ID=';

/**
 * Whether a process was executed with exactly this STEAD_RUN_ID, or forked from one that was. The kernel lets us read the environment
 * of our own processes only, or as root of all; what can't be read doesn't count.
 */
export function hasCookie(pid: number, cookie: string): boolean {
  const environ = readEnviron(pid);
  return environ !== null && holdsEntry(environ, Buffer.from(`${cookieName}${cookie}`));
}

/** The STEAD_RUN_ID that a process was executed with; null if it has none or can't be asked. */
export function cookieOf(pid: number): string | null {
  const environ = readEnviron(pid) ?? Buffer.alloc(0);
  const from = environ.indexOf(cookieName) === 0 ? 0 : environ.indexOf(`\0${cookieName}`) + 1;
  if (from === 0 && environ.indexOf(cookieName) !== 0) return null;
  const end = environ.indexOf(0, from);
  return environ.toString('latin1', from + cookieName.length, end < 0 ? environ.length : end);
}

/** The app's name in a STEAD_RUN_ID, `HOME.APP.INDEX.RUN`; null if it is none. */
export const appOfCookie = (cookie: string): string | null => /^[^.]*\.(.+)\.\d+\.\d+$/.exec(cookie)?.[1] ?? null;

function readEnviron(pid: number): Buffer | null {
  try {
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    return null;
  }
}

/** Whether a list of NUL-terminated entries has this one: whole, not as part of another's value. */
export function holdsEntry(environ: Buffer, entry: Buffer): boolean {
  for (let at = environ.indexOf(entry); at >= 0; at = environ.indexOf(entry, at + 1)) {
    const end = at + entry.length;
    const startsOne = at === 0 || environ[at - 1] === 0;
    if (startsOne && (end === environ.length || environ[end] === 0)) return true;
  }
  return false;
}

/**
 * One cgroup (v2) per instance, where the tree is ours to write to: membership that no setsid or double fork escapes, `cgroup.kill` and
 * `cgroup.events`. Where it isn't, callers find a tree by its traces in /proc.
 *
 * Under a running systemd only a delegated subtree may be written to (its "single writer" rule): that of a unit with `Delegate=yes` in which the daemon was
 * started; without one, no cgroups.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isOutOfFds } from './fds.ts';

/** The directory under which this home's cgroups lie, made if need be; null where there is none to be had. */
export function cgroupBase(
  homeId: string,
  env: NodeJS.ProcessEnv = process.env,
  delegated: string | null = null,
): string | null {
  const base = cgroupPlace(homeId, env, delegated);
  if (base === null) return null;
  try {
    mkdirSync(base, { recursive: true });
    accessSync(join(base, 'cgroup.kill'), constants.W_OK);
    return base;
  } catch {
    return null;
  }
}

/** Where this home's cgroups lie or would lie; null where there can be none. Nothing is made. `delegated` is a unit of which the caller knows that it is. */
export function cgroupPlace(
  homeId: string,
  env: NodeJS.ProcessEnv = process.env,
  delegated: string | null = null,
): string | null {
  if (env.STEAD_NO_CGROUP) return null;
  const mount = unifiedMount();
  if (mount === null) return null;
  const parent = existsSync('/run/systemd/system')
    ? delegatedCgroup(mount, { ours: `/stead-${homeId}`, known: delegated })
    : mount;
  if (parent === null) return null;
  try {
    accessSync(parent, constants.W_OK);
    return join(parent, `stead-${homeId}`);
  } catch {
    return null;
  }
}

/** Makes (or finds) a cgroup; null if it can't be made. */
export function makeCgroup(path: string): string | null {
  try {
    mkdirSync(path, { recursive: true });
    return path;
  } catch {
    return null;
  }
}

export interface CgroupLimits {
  /** Bytes. */
  readonly maxMemory: number | null;
  readonly cpuWeight: number | null;
  /** Percent of one core. */
  readonly cpuQuota: number | null;
  readonly maxTasks: number | null;
}

const quotaPeriodUs = 100_000;

/** Sets what its controllers can hold, and takes back what is no longer wanted. Throws the system's error for a limit that is refused. */
export function limitCgroup(path: string, limits: CgroupLimits, controllers: ReadonlySet<string>): void {
  const { maxMemory, cpuWeight, cpuQuota, maxTasks } = limits;
  const set = (file: string, value: string) => writeFileSync(join(path, file), value);
  if (controllers.has('memory')) {
    set('memory.max', maxMemory === null ? 'max' : String(maxMemory));
    // The whole tree goes, not what happened to be largest in it.
    set('memory.oom.group', maxMemory === null ? '0' : '1');
    // Swapping in place of a kill would only hide it.
    if (existsSync(join(path, 'memory.swap.max'))) set('memory.swap.max', maxMemory === null ? 'max' : '0');
  }
  if (controllers.has('cpu')) {
    set('cpu.weight', String(cpuWeight ?? 100));
    set('cpu.max', cpuQuota === null ? 'max' : `${Math.round((cpuQuota / 100) * quotaPeriodUs)} ${quotaPeriodUs}`);
  }
  if (controllers.has('pids')) set('pids.max', maxTasks === null ? 'max' : String(maxTasks));
}

/** The controllers that cgroups below may use, as it is now. */
export function usableControllers(base: string): ReadonlySet<string> {
  try {
    return new Set(readFileSync(join(base, 'cgroup.subtree_control'), 'utf8').trim().split(/\s+/).filter(Boolean));
  } catch {
    return new Set();
  }
}

/** Lets the cgroups below use what controllers there are; those that can be used then. */
export function enableControllers(base: string): ReadonlySet<string> {
  const read = (path: string, file: string): string[] => {
    try {
      return readFileSync(join(path, file), 'utf8').trim().split(/\s+/).filter(Boolean);
    } catch {
      return [];
    }
  };
  for (const path of [dirname(base), base]) {
    for (const name of ['memory', 'cpu', 'pids']) {
      if (!read(path, 'cgroup.controllers').includes(name)) continue;
      try {
        writeFileSync(join(path, 'cgroup.subtree_control'), `+${name}`);
      } catch {
        // Not ours to give, or something lives in this very cgroup.
      }
    }
  }
  return usableControllers(base);
}

/** How often the kernel's OOM killer struck in a cgroup; null without the memory controller. */
export function oomKills(path: string): number | null {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync(join(path, 'memory.events'), 'utf8'))?.[1];
    return count === undefined ? null : Number(count);
  } catch {
    return null;
  }
}

/** Moves a process of ours into a cgroup. False if the kernel refuses. */
export function joinCgroup(path: string, pid: number): boolean {
  try {
    writeFileSync(join(path, 'cgroup.procs'), String(pid));
    return true;
  } catch {
    return false;
  }
}

/** The same without holding up the event loop: the kernel may wait 10 ms and more for a grace period. */
export async function moveToCgroup(path: string, pid: number): Promise<boolean> {
  try {
    await writeFile(join(path, 'cgroup.procs'), String(pid));
    return true;
  } catch {
    return false;
  }
}

/** Every process in a cgroup and below; null if it does not exist. Zombies are not listed by the kernel as alive members. */
export function cgroupPids(path: string): number[] | null {
  try {
    const own = readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
    // Two links are those of a directory without others in it: most have none, and a look at a list has hundreds of them.
    if (statSync(path).nlink === 2) return own;
    const below = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => cgroupPids(join(path, entry.name)) ?? []);
    return [...own, ...below];
  } catch {
    return null;
  }
}

/** True once nothing lives in a cgroup; also when there is no such cgroup. False where it can't be known. */
export function isCgroupEmpty(path: string): boolean {
  try {
    return /^populated 0$/m.test(readFileSync(join(path, 'cgroup.events'), 'utf8'));
  } catch (error) {
    return !isOutOfFds(error);
  }
}

/** SIGKILL to everything in it, forks in flight included (Linux 5.14). False where the kernel has no `cgroup.kill`. */
export function killCgroup(path: string): boolean {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
    return true;
  } catch {
    return false;
  }
}

/** Removes an empty cgroup and what empty ones it holds; silently leaves one that isn't empty. */
export function removeCgroup(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeCgroup(join(path, entry.name));
    rmdirSync(path);
  } catch {
    // Still populated, or gone already.
  }
}

const systemctlMs = 3000;

/** The cgroup of the unit in which this process is, if systemd has delegated it; also when it is in a cgroup below that, ours or a DelegateSubgroup=. */
function delegatedCgroup(
  mount: string,
  { ours, known }: { readonly ours: string; readonly known: string | null },
): string | null {
  try {
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'latin1'))?.[1] ?? '';
    const at = own.indexOf(ours);
    if (at >= 0) return join(mount, own.slice(0, at));
    const path = /^.*\.(?:service|scope)(?=\/|$)/.exec(own)?.[0];
    if (path === undefined) return null;
    const unit = basename(path);
    if (unit === known) return join(mount, path);
    const manager = own.includes('/user@') ? ['--user'] : [];
    const words = [...manager, 'show', '--property=Delegate', '--value', unit];
    // A daemon has nothing of its caller's environment.
    const env = { XDG_RUNTIME_DIR: `/run/user/${process.getuid?.()}`, ...process.env };
    const { stdout } = spawnSync('systemctl', words, { encoding: 'utf8', timeout: systemctlMs, env });
    return stdout?.trim() === 'yes' ? join(mount, path) : null;
  } catch {
    return null;
  }
}

/**
 * The kernel lets no cgroup that holds processes give controllers to those below: so what else runs in a delegated unit (the command that waits for a daemon in
 * the foreground) moves as well. Nothing is moved out of the root, which is the whole machine's.
 */
export function emptyUnit(unit: string, to: string): void {
  // The root alone has no such file.
  if (!existsSync(join(unit, 'cgroup.events'))) return;
  try {
    const pids = readFileSync(join(unit, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
    for (const pid of pids) joinCgroup(to, Number(pid));
  } catch {
    // Then its controllers can't be used, and doctor says so.
  }
}

/** Where the v2 hierarchy is mounted, from mountinfo (proc(5)); null if nowhere. */
function unifiedMount(): string | null {
  try {
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [left, right] = line.split(' - ');
      if (right?.startsWith('cgroup2 ')) return left!.split(' ')[4]!.replace(/\\040/g, ' ');
    }
  } catch {
    // No /proc/self/mountinfo: none.
  }
  return null;
}

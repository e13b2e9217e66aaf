/**
 * One cgroup (v2) per instance, where the tree is ours to write to: membership that no setsid or double fork escapes, `cgroup.kill` and
 * `cgroup.events`. Where it isn't, callers find a tree by its traces in /proc.
 *
 * Under a running systemd only a delegated subtree may be written to (its "single writer" rule): without one, no cgroups.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The directory under which this home's cgroups lie, made if need be; null where there is none to be had. */
export function cgroupBase(homeId: string, env: NodeJS.ProcessEnv = process.env): string | null {
  if (env.STEAD_NO_CGROUP) return null;
  const mount = unifiedMount();
  if (mount === null || existsSync('/run/systemd/system')) return null;
  const base = join(mount, `stead-${homeId}`);
  try {
    accessSync(mount, constants.W_OK);
    mkdirSync(base, { recursive: true });
    accessSync(join(base, 'cgroup.kill'), constants.W_OK);
    return base;
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
    const below = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => cgroupPids(join(path, entry.name)) ?? []);
    return [...own, ...below];
  } catch {
    return null;
  }
}

/** True once nothing lives in a cgroup; also when there is no such cgroup. */
export function isCgroupEmpty(path: string): boolean {
  try {
    return /^populated 0$/m.test(readFileSync(join(path, 'cgroup.events'), 'latin1'));
  } catch {
    return true;
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

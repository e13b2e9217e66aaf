/**
 * What `doctor` looks at: this machine and this home. Nothing is changed, and no daemon is started. Each finding says what is so, how bad that is, and the command
 * that mends it.
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { cgroupPlace, usableControllers } from '../host/cgroup.ts';
import { checkHome, homeId } from '../storage/home.ts';
import { appsDirectory } from '../storage/layout.ts';
import { examineBoot, examineLogins, examineNode } from './examine-boot.ts';
import { type Examined, type Finding, finding, ok, readText } from './finding.ts';

export type { Finding };

export function examine(machine: Examined): Finding[] {
  return [
    ...examineHome(machine.home),
    ...examineDaemon(machine),
    ...examineFiles(machine.home),
    ...examineDisk(machine.home),
    ...examineInotify(),
    ...examineCgroups(machine),
    ...examineLogins(machine),
    ...examineBoot(machine),
    ...examineNode(machine),
    ...examineTracing(),
  ];
}

/** Descriptors out of other processes: needed when two of what hold them die at once. */
function examineTracing(): Finding[] {
  const scope = Number(readSmall('/proc/sys/kernel/yama/ptrace_scope') ?? 0);
  if (scope === 0 || (userInfo().uid === 0 && scope < 3)) return [];
  return [
    finding(
      'note',
      'yama',
      'one process may not take descriptors out of another here: when the daemon and the pty host are killed at once the terminals of what runs are lost, when daemon and holder are the sockets of programs that are no Node (the programs run on)',
      'sysctl kernel.yama.ptrace_scope=0',
    ),
  ];
}

function readSmall(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function examineHome(home: string): Finding[] {
  try {
    if (!checkHome(home)) return [finding('note', 'home', `${home} is not there yet: nothing was ever started`, null)];
  } catch (error) {
    return [finding('problem', 'home', (error as Error).message, `ls -ld ${home}`)];
  }
  try {
    accessSync(home, constants.W_OK);
  } catch {
    return [finding('problem', 'home', `${home} can't be written to`, `ls -ld ${home}; mount | grep ' ro'`)];
  }
  const open = openToOthers(home);
  if (open.length > 0)
    return [finding('warning', 'home', `others may read ${open.slice(0, 3).join(', ')}`, `chmod -R go= ${home}`)];
  return [ok('home', `${home} is private to ${userInfo().username}`)];
}

function openToOthers(home: string): string[] {
  const paths = [home, ...readdirSync(home).map((name) => join(home, name))];
  return paths.filter((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat !== undefined && (stat.mode & 0o077) !== 0;
  });
}

function examineDaemon({ home, daemon, version }: Examined): Finding[] {
  if (!existsSync(join(home, 'apps'))) return [];
  if (daemon === null)
    return [
      finding('warning', 'daemon', 'does not run: programs run on, and none is started again', 'stead daemon restart'),
    ];
  const found = [ok('daemon', `runs, pid ${daemon.pid}, since ${daemon.since}`)];
  if (daemon.guardian === null && !daemon.unit)
    found.push(
      finding('note', 'guardian', 'the daemon runs without one (stead daemon run, or a service manager)', null),
    );
  if (daemon.version !== version)
    found.push(
      finding(
        'warning',
        'version',
        `the daemon is ${daemon.version}, this command ${version}`,
        'stead daemon restart (no app notices)',
      ),
    );
  return found;
}

function examineFiles(home: string): Finding[] {
  const directory = appsDirectory(home);
  if (!existsSync(directory)) return [];
  const aside = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('.corrupt-'),
  );
  return aside.map((name) =>
    finding(
      'problem',
      'files',
      `${join(directory, name)} did not parse and was moved aside`,
      `look at it, then: rm ${join(directory, name)}`,
    ),
  );
}

const leastFree = 100 * 1024 * 1024;
/** statfs(2) f_type. */
const fileSystems: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  26985: 'nfs',
  2035054128: 'overlayfs',
};

function examineDisk(home: string): Finding[] {
  const path = existsSync(home) ? home : '/';
  const { bavail, bsize, ffree, files, type } = statfsSync(path);
  const name = fileSystems[type] ?? `type 0x${type.toString(16)}`;
  const free = bavail * bsize;
  const found: Finding[] = [];
  if (free < leastFree)
    found.push(
      finding(
        'problem',
        'disk',
        `${Math.round(free / 1024 / 1024)} MB are free under ${path}`,
        `df -h ${path}; stead flush`,
      ),
    );
  if (files > 0 && ffree < 1000)
    found.push(finding('problem', 'disk', `${ffree} inodes are free under ${path}`, `df -i ${path}`));
  if (name === 'nfs')
    found.push(
      finding(
        'warning',
        'disk',
        'the home is on NFS: locks and records depend on its server',
        'STEAD_HOME on a local disk',
      ),
    );
  if (name === 'tmpfs')
    found.push(
      finding('warning', 'disk', 'the home is in memory (tmpfs): it is gone after a reboot', 'STEAD_HOME on a disk'),
    );
  return found.length > 0 ? found : [ok('disk', `${name}, ${(free / 1024 ** 3).toFixed(1)} GB free`)];
}

function examineInotify(): Finding[] {
  const read = (path: string) => Number(readText(`/proc/sys/${path}`) ?? Number.POSITIVE_INFINITY);
  // In a user namespace the second may be the lower one.
  const least = (name: string) => Math.min(read(`fs/inotify/max_user_${name}`), read(`user/max_inotify_${name}`));
  const [instances, watches] = [least('instances'), least('watches')];
  if (!(instances < 128 || watches < 8192)) return [ok('inotify', `${watches} watches, ${instances} instances`)];
  return [
    finding(
      'warning',
      'inotify',
      `${watches} watches and ${instances} instances are few`,
      'sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288',
    ),
  ];
}

function examineCgroups({ home, env, daemon }: Examined): Finding[] {
  const controllers = daemon?.controllers === undefined ? controllersHere(home, env) : daemon.controllers;
  if (controllers === null)
    return [
      finding(
        'note',
        'cgroups',
        'no cgroup v2 of one’s own: trees are found by their traces, memory is measured, and CPU and task limits are refused',
        existsSync('/run/systemd/system') ? 'stead startup: its unit has them (Delegate=yes)' : null,
      ),
    ];
  if (controllers.length === 0)
    return [
      finding('note', 'cgroups', 'there, without controllers: memory is measured, and CPU and task limits are refused'),
    ];
  return [ok('cgroups', `there, with ${controllers.join(', ')}`)];
}

/** Without a daemon to ask: what one that is started from here would have. */
function controllersHere(home: string, env: NodeJS.ProcessEnv): readonly string[] | null {
  const place = existsSync(home) ? cgroupPlace(homeId(home), env) : null;
  return place === null ? null : [...usableControllers(place)];
}

/**
 * A daemon that has come under systemd while its programs ran: they are in the cgroups in which they were launched, a login's session for one, and would end
 * with those. They, their launchers, pumps, holders and the pty host are taken into the unit; then each program goes to its own cgroup.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { joinCgroup } from '../host/cgroup.ts';
import { readRun } from '../launcher/records.ts';
import { readProcTable } from '../metrics/proc-table.ts';
import { processLine } from '../metrics/process-line.ts';
import { attachToUnit } from '../systemd/attach.ts';
import type { Daemon } from './context.ts';
import type { Instance } from './instance.ts';
import { limitAgain } from './launch-run.ts';

/** Resolves when all is where it can be; what can't be moved is said in the log. */
export async function gather(daemon: Daemon): Promise<void> {
  const { manager, ownCgroup, cgroupBase } = daemon;
  if (manager.unit === null || ownCgroup === null || cgroupBase === null) return;
  const unit = `/${manager.unit.name}/`;
  const isOutside = (pid: number) => {
    const path = cgroupOf(pid);
    return path !== null && !path.includes(unit);
  };
  const strangers = [...daemon.apps.values()].flatMap(({ all }) => all.filter((one) => pidsOfRun(one).some(isOutside)));
  const pids = [...new Set([...strangers.flatMap(pidsOf), ...helpers(daemon.home)])].filter(isOutside);
  const refused = pids.filter((pid) => !joinCgroup(ownCgroup, pid) && isOutside(pid));
  if (refused.length > 0) {
    try {
      await attachToUnit(manager.unit, ownCgroup.slice(dirname(cgroupBase).length), refused);
    } catch (error) {
      daemon.log(
        `${refused.length} processes stay outside ${manager.unit.name}: ${(error as Error).message}; restarting their apps takes them in`,
      );
    }
  }
  if (pids.length > 0) daemon.log(`${pids.length} processes taken into ${manager.unit.name}`);
  await Promise.all(strangers.map((instance) => instance.tree.enclose()));
  const running = [...daemon.apps.values()].flatMap(({ all }) => all.filter((one) => pidsOfRun(one).length > 0));
  for (const instance of manager.isReleased ? running : strangers) limitAgain(instance);
}

/** Program and launcher, by the records. */
function pidsOfRun(instance: Instance): number[] {
  if (!('run' in instance.model.state)) return [];
  const { program, successor, launcher, exit } = readRun(instance.runDirectory());
  return exit === null
    ? [program, successor, launcher].flatMap((id) => (id !== null && id.pid > 0 ? [id.pid] : []))
    : [];
}

const pidsOf = (instance: Instance): number[] => [
  ...pidsOfRun(instance),
  ...instance.tree.members().map(({ pid }) => pid),
];

/** What runs out of the home's library (launchers, pumps, holders, the pty host) and what these have started. */
function helpers(home: string): number[] {
  const library = join(home, 'lib/');
  const table = readProcTable();
  const isOurs = (line: string) => line.includes(library) && /\/(?:launcher\.sh|holder\.sh|pty-host\.cjs) /.test(line);
  const found = new Set([...table.keys()].filter((pid) => isOurs(processLine(pid) ?? '')));
  // Parents have lower numbers than their children as a rule, and not always: until nothing is added.
  for (let size = 0; size < found.size; ) {
    size = found.size;
    for (const [pid, { ppid }] of table) if (found.has(ppid)) found.add(pid);
  }
  found.delete(process.pid);
  return [...found];
}

/** Its path in the v2 hierarchy, with a slash at its end; null for a process that is gone. */
function cgroupOf(pid: number): string | null {
  try {
    return `${/^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1] ?? ''}/`;
  } catch {
    return null;
  }
}

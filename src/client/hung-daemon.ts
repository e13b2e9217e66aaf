/** A daemon that lives but doesn't answer: ended by force, once it is sure that the pid is still its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SteadError } from '../protocol/errors.ts';
import { daemonPid } from './http.ts';

/** Kills the daemon that a home's `daemon.json` names, and returns its pid. Throws DAEMON_UNREACHABLE if that pid is some other process by now. */
export function endHungDaemon(home: string): number {
  const pid = daemonPid(home);
  if (pid === undefined || !isDaemonOf(home, pid)) {
    throw new SteadError(
      'DAEMON_UNREACHABLE',
      `The daemon does not answer, and ${join(home, 'daemon.json')} does not name it`,
      {
        hint: `find it with: fuser ${join(home, 'stead.sock')}`,
      },
    );
  }
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** By its command line and its home: a reused pid has others. */
function isDaemonOf(home: string, pid: number): boolean {
  try {
    const isDaemon = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      .split('\0')
      .some((word) => word.endsWith('daemon.cjs'));
    const environment = readFileSync(`/proc/${pid}/environ`).toString().split('\0');
    return isDaemon && environment.includes(`STEAD_HOME=${home}`);
  } catch {
    return false;
  }
}

/** Whether what is started from here outlives the logout of its user, and what helps. */
import { readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type AtLogout, atLogout, killsProcesses } from '../systemd/logout.ts';
import { isBooted, lingers } from '../systemd/manager.ts';

/** Of a process, this one for instance. Without systemd, or as far as it can't be known, nothing ends it. */
export function whatLogoutDoes(pid: number | 'self' = 'self'): AtLogout {
  if (!isBooted()) return 'stays';
  const { uid, username } = userInfo();
  return atLogout({
    cgroup: systemdCgroup(pid),
    uid,
    lingers: lingers(username),
    kills: killsProcesses(configs(), username),
  });
}

/** One sentence with the command that prevents it; null where nothing ends. */
export function logoutSentence(what: AtLogout): string | null {
  const { username } = userInfo();
  const prevent = `loginctl enable-linger ${username}, then stead daemon restart, prevents it`;
  switch (what) {
    case 'ends with its session':
      return `logind ends all of this when you log out (KillUserProcesses=yes): ${prevent}.`;
    case 'ends with the last session':
      return `Your own systemd ends all of this at your last logout, as it does not linger: ${prevent}.`;
    default:
      return null;
  }
}

/** Its path in the hierarchy that systemd keeps. */
function systemdCgroup(pid: number | 'self'): string {
  try {
    const text = readFileSync(`/proc/${pid}/cgroup`, 'latin1');
    return /^0::(.*)$/m.exec(text)?.[1] ?? /^\d+:name=systemd:(.*)$/m.exec(text)?.[1] ?? '';
  } catch {
    return '';
  }
}

/** logind.conf(5), "CONFIGURATION DIRECTORIES AND PRECEDENCE": the main file, then drop-ins by name. */
function configs(): string[] {
  const directories = ['/usr/lib', '/usr/local/lib', '/run', '/etc'].map((root) => `${root}/systemd/logind.conf.d`);
  const main = readText('/etc/systemd/logind.conf') ?? readText('/usr/lib/systemd/logind.conf');
  const dropIns = new Map(
    directories.flatMap((directory) => confFiles(directory).map((name) => [name, `${directory}/${name}`])),
  );
  const paths = [...dropIns].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, path]) => path);
  return [main, ...paths.map(readText)].filter((text) => text !== null);
}

function confFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.conf'));
  } catch {
    return [];
  }
}

/** Null where it isn't, or isn't ours to read. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

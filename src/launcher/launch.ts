/**
 * Spawns a launcher (docs/launcher-contract.md). Node's own spawn gives it default signal dispositions, an empty mask and a session of its own;
 * everything else that the program inherits is a setting of the launcher.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBytes, hasRawBytes } from '../host/bytes.ts';
import { launcherEnvironment } from './environment.ts';
import { shellKind } from './shell-kind.ts';

export interface LaunchOrder {
  readonly shell: string;
  /** launcher.sh. */
  readonly script: string;
  readonly runDirectory: string;
  readonly argv: readonly string[];
  /** `NAME=value` entries: all that the program gets. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Fds of the logs; of no meaning where it has a terminal. */
  readonly out: number;
  readonly err: number;
  readonly umask: number;
  /** The soft limit of open files: this process's own was raised by Node. Null leaves it. */
  readonly nofile: number | null;
  readonly oomScoreAdj: number | null;
  /** Its stdin is the FIFO `stdin` in the run directory, and never ends; else /dev/null. */
  readonly hasStdin?: boolean;
  /** This fd of the program appends to the file `ready` in the run directory. */
  readonly readyFd?: number | null;
  /** An fd that the launcher holds open, as its fd 8, for as long as it lives, and the program does not get. */
  readonly held?: number | null;
  /** What the program and its launcher inherit besides, blocking mode and all. */
  readonly sockets?: readonly InheritedSocket[];
  /** Names of variables that hold the program's own pid, such as `LISTEN_PID`. They come before entries of `env` with these names. */
  readonly pidNames?: readonly string[];
  /** Joined before the program is executed. */
  readonly cgroup?: string | null;
  /** Commands to go through, words without spaces: `/usr/bin/setpriv --reuid=1000 …`. */
  readonly via: readonly string[];
  /** Its stdin, stdout, stderr and controlling terminal; `out` and `err` are nothing then, and it has no pumps. */
  readonly terminal?: LaunchTerminal | null;
  /** It writes to FIFOs, from which pumps copy to `out` and `err` (to `out` alone if both are one fd): so it can open /dev/stdout anew. */
  readonly pipe?: OutputPipe | null;
}

export interface InheritedSocket {
  /** The program's fd: 3 to 7. */
  readonly at: number;
  /** It is this one of this process. */
  readonly fd: number;
}

/** The ends that a launcher gets of a terminal: this process's fds. */
export interface LaunchTerminal {
  readonly slave: number;
  /** Held by the launcher, as its fd 8. */
  readonly master: number;
  /** The FIFO between the terminal and its log, open for reading and writing. Held by the launcher, as its fd 9. */
  readonly output: number;
}

export interface OutputPipe {
  /** `uid:gid` of the program's user; null if it is ours. */
  readonly owner: string | null;
  /** A command that gets on its stdin what goes to a log: each log has one. An absolute path, or found in the system's usual folders. */
  readonly forward: readonly string[] | null;
}

/** The launcher's fd for what it holds and the program does not get. */
const heldAt = 8;
/** Its fd for the FIFO behind a terminal. */
const outputAt = 9;

/**
 * The child is the launcher, not the program. Throws or emits `error` when no process can be made; throws when the program can't have what is ordered: two
 * things at one fd, or a pid by a name that shells keep for themselves.
 */
export function spawnLauncher(order: LaunchOrder): ChildProcess {
  const { cwd, pidNames = [] } = order;
  const { entries, odd, unset } = launcherEnvironment(order.env, { shell: shellKind(order.shell), cwd, pidNames });
  const stdio = stdioOf(order);
  const settings: Record<string, string> = {
    _stead_umask: order.umask.toString(8).padStart(3, '0'),
    ...(unset.length > 0 && { _stead_unset: unset.join(' ') }),
    ...(order.nofile !== null && { _stead_nofile: String(order.nofile) }),
    ...(order.oomScoreAdj !== null && { _stead_oom: String(order.oomScoreAdj) }),
    ...(order.hasStdin && { _stead_fifo: 'yes' }),
    ...(order.readyFd != null && { _stead_ready: String(order.readyFd) }),
    ...(pidNames.length > 0 && { _stead_pids: pidNames.join(' ') }),
    ...(order.cgroup != null && { _stead_cgroup: order.cgroup }),
    ...(order.terminal && { _stead_tty: 'yes' }),
    ...(order.pipe && !order.terminal && pipeSettings(order, order.pipe)),
    ...(order.via.length > 0 && { _stead_via: order.via.join(' ') }),
    ...(entries.length === 0 && { _stead_clean: 'yes' }),
    ...(odd.length > 0 && { _stead_odd: String(odd.length) }),
  };
  odd.forEach((entry, at) => {
    settings[`_stead_odd_${at + 1}`] = entry;
  });
  const env = new Map([...entries.map(splitEntry), ...Object.entries(settings)]);
  const argv = throughRaw(order, env) ? [] : order.argv;
  return spawn(order.shell, [order.script, order.runDirectory, ...argv], {
    cwd,
    detached: true,
    env: Object.fromEntries(env),
    stdio,
  });
}

/** A place above 2 that is `ignore` stays closed. Only 0, 1 and 2 are made blocking on the way (libuv's `uv__process_child_init`). */
function stdioOf({ out, err, held, terminal, sockets = [], readyFd }: LaunchOrder): ('ignore' | number)[] {
  const places = new Map<number, number>([[1, terminal?.slave ?? out]]);
  // What else is to be held is more needed than the FIFO, which the pty host has open, too.
  if (terminal) places.set(outputAt, held ?? terminal.output);
  else places.set(2, err);
  for (const { at, fd } of sockets) {
    if (![3, 4, 5, 6, 7].includes(at) || at === readyFd || places.has(at))
      throw new Error(`a socket can't be fd ${at} of a program`);
    places.set(at, fd);
  }
  const kept = terminal?.master ?? held;
  if (kept != null) places.set(heldAt, kept);
  return Array.from({ length: Math.max(...places.keys()) + 1 }, (_, at) => places.get(at) ?? 'ignore');
}

function pipeSettings({ shell, out, err }: LaunchOrder, { owner, forward }: OutputPipe): Record<string, string> {
  // The file for such strings is read by the program-to-be alone.
  if (forward?.some(hasRawBytes)) throw new Error('the command for the output is no UTF-8');
  return {
    _stead_pipe: out === err ? 'one' : 'two',
    _stead_shell: shell,
    ...(owner !== null && { _stead_pipe_owner: owner }),
    ...(forward && { _stead_forward: forward.map(quote).join(' ') }),
  };
}

/**
 * Strings that are no UTF-8 can't be given to spawn: they go by a file that the program-to-be reads. True if argv did.
 */
function throughRaw({ argv, runDirectory }: LaunchOrder, env: Map<string, string>): boolean {
  const raw = [...env].filter(([, value]) => hasRawBytes(value));
  if (raw.length === 0 && !argv.some(hasRawBytes)) return false;
  const lines = raw.map(([name, value]) => `${name.startsWith('_stead_') ? '' : 'export '}${name}=${quote(value)}\n`);
  for (const [name] of raw) env.delete(name);
  const content = encodeBytes(`${lines.join('')}set -- ${argv.map(quote).join(' ')}\n`);
  writeFileSync(join(runDirectory, 'raw'), content, { mode: 0o600 });
  env.set('_stead_raw', 'yes');
  return true;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function splitEntry(entry: string): [string, string] {
  const at = entry.indexOf('=', 1);
  return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

/**
 * Turns a spec into one running launcher: run directory, logs, environment, limits, cgroup, user.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename } from 'node:path';
import { capabilities, hasCapability } from '../host/capabilities.ts';
import { limitCgroup, makeCgroup } from '../host/cgroup.ts';
import { limitsOf } from '../host/limits.ts';
import { type OutputPipe, spawnLauncher } from '../launcher/launch.ts';
import { recordLogStart } from '../launcher/records.ts';
import type { RunWatch } from '../launcher/run-watch.ts';
import { baseOf } from '../logs/excerpt.ts';
import { logFiles } from '../logs/layout.ts';
import { openLog } from '../logs/open.ts';
import { mergeEnvironment } from '../programs/environment.ts';
import { parseShebang, shebangProgram } from '../programs/executable.ts';
import type { AppSpec, Program } from '../protocol/spec.ts';
import { runNumbers } from '../storage/apps.ts';
import { runDirectory } from '../storage/layout.ts';
import { refuseLost } from '../view/lost-app.ts';
import type { Instance } from './instance.ts';
import { logPlacesOf } from './log-places.ts';
import { Notify, usesNotify } from './notify.ts';
import { channelModule, makeReachDirectory, makeReachFile } from './reach.ts';
import { Tree } from './tree.ts';

export interface LaunchHooks {
  /** Called when the run directory is there and before the launcher is: to watch it. */
  watch(): RunWatch;
  /** No process could be made. */
  failed(error: unknown): void;
}

/** Throws, or calls `failed`, when it can't be launched. */
export function launchRun(instance: Instance, run: number, hooks: LaunchHooks): void {
  const { app, index } = instance;
  const { daemon, spec } = app;
  refuseLost(spec);
  const directory = runDirectory(daemon.home, spec.name, index, run);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const logs = openLogs(instance);
  try {
    const places = logPlacesOf(instance);
    instance.logStart = {
      out: baseOf(places.out) + fstatSync(logs.out).size,
      err: baseOf(places.err) + fstatSync(logs.err).size,
    };
    recordLogStart(directory, instance.logStart);
    const cgroup = prepareCgroup(instance);
    const watch = hooks.watch();
    watch.watchDirectory();
    const child = spawnLauncher({
      shell: daemon.shell,
      script: daemon.launcherScript,
      runDirectory: directory,
      argv: argvOf(spec.program),
      env: environmentOf(instance, run),
      cwd: spec.cwd,
      out: logs.out,
      err: logs.err,
      umask: spec.umask,
      nofile: softNofile(spec),
      oomScoreAdj: spec.oomScoreAdj,
      hasStdin: spec.stopStdin !== null,
      readyFd: spec.ready?.kind === 'fd' ? spec.ready.fd : null,
      cgroup,
      held: usesNotify(spec) ? instance.openNotify(run) : null,
      via: [...prlimitWords(spec), ...niceWords(spec), ...ioNiceWords(spec), ...setprivWords(spec)],
      pipe: pipeOf(spec),
    });
    child.on('error', hooks.failed);
    if (child.pid !== undefined) watch.own(child);
  } finally {
    closeSync(logs.out);
    if (logs.err !== logs.out) closeSync(logs.err);
  }
  setImmediate(() => removeOldRuns(instance, run));
}

/** The program's stdout and stderr are the files themselves. */
function openLogs({ app, index }: Instance): { readonly out: number; readonly err: number } {
  const { log, user } = app.spec;
  const paths = logFiles(app.daemon.home, app.name, index, log);
  const owner = user ?? undefined;
  const out = openLog(paths.out, owner, { isOutside: log.out !== null });
  try {
    const isOne = paths.err === paths.out;
    return { out, err: isOne ? out : openLog(paths.err, owner, { isOutside: log.err !== null }) };
  } catch (error) {
    closeSync(out);
    throw error;
  }
}

const shells = /^(?:sh|bash|dash|ash|ksh|mksh|zsh)$/;

/** A shell script says `echo … > /dev/stderr`, which would empty a file: between it and its logs stand pipes, unless it says otherwise. */
function pipeOf({ name, program, log, user }: AppSpec): OutputPipe | null {
  const isShell = () => program.how === 'shell' || shells.test(basename(interpreterOf(program)));
  if (log.via === 'file' && log.forward === null) return null;
  if ((log.via ?? (isShell() ? 'pipe' : 'file')) === 'file' && log.forward === null) return null;
  const owner = user === null ? null : `${user.uid}:${user.gid}`;
  return { owner, forward: log.forward === null ? null : forwarders[log.forward](name) };
}

function interpreterOf({ how, interpreter, words }: Program): string {
  const word = words[0] ?? '';
  if (interpreter !== null || how !== 'script') return interpreter?.name ?? word;
  try {
    const shebang = parseShebang(headOf(word));
    return shebang === null ? '' : shebangProgram(shebang).word;
  } catch {
    // It can't be read, but perhaps executed.
    return '';
  }
}

function headOf(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(256);
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}

const forwarders = {
  syslog: (name: string) => ['logger', '-t', name],
  journald: (name: string) => ['systemd-cat', '-t', name],
} as const;

const argvOf = ({ interpreter, words }: Program): readonly string[] =>
  interpreter === null ? words : [interpreter.path, ...interpreter.args, ...words];

/** The spec's, its secrets as they are now, and what the program needs to speak to stead. Throws when a secret can't be read. */
function environmentOf(instance: Instance, run: number): readonly string[] {
  const { spec } = instance.app;
  const own = [
    ...secretEntries(spec),
    ...channelEntries(instance, run),
    ...notifyEntries(instance, run),
    `STEAD_RUN_ID=${instance.cookie(run)}`,
  ];
  return mergeEnvironment(spec.env, own);
}

function notifyEntries(instance: Instance, run: number): string[] {
  const { spec } = instance.app;
  if (!usesNotify(spec)) return [];
  return [
    `NOTIFY_SOCKET=${new Notify(instance, run).path}`,
    ...(spec.alive?.kind === 'watchdog' ? [`WATCHDOG_USEC=${spec.aliveIntervalMs * 1000}`] : []),
  ];
}

function secretEntries({ secrets }: AppSpec): string[] {
  return Object.entries(secrets).map(([name, path]) => {
    try {
      return `${name}=${readFileSync(path, 'utf8').replace(/\r?\n$/, '')}`;
    } catch (error) {
      throw new Error(`the secret ${name} can't be read: ${(error as Error).message}`);
    }
  });
}

/** For what goes by messages: two files, and a module that Node loads first. */
function channelEntries(instance: Instance, run: number): string[] {
  const { spec } = instance.app;
  if (spec.ready?.kind !== 'ipc' && !spec.stopMessage) return [];
  const directory = makeReachDirectory(instance, run);
  for (const name of ['said', 'heard']) makeReachFile(instance, directory, name);
  const before = spec.env.find((entry) => entry.startsWith('NODE_OPTIONS='))?.slice('NODE_OPTIONS='.length);
  const load = `--require="${channelModule(instance)}"`;
  return [`STEAD_CHANNEL=${directory}`, `NODE_OPTIONS=${before ? `${before} ` : ''}${load}`];
}

/** With limits it is in its cgroup before it is executed; else it is moved there afterwards, which costs its start nothing. */
function prepareCgroup(instance: Instance): string | null {
  const { app } = instance;
  const { maxMemory, cpuWeight, cpuQuota, maxTasks } = app.spec;
  const path = Tree.cgroupOf(instance);
  if (path === null || [maxMemory, cpuWeight, cpuQuota, maxTasks].every((limit) => limit === null)) return null;
  const cgroup = makeCgroup(path);
  if (cgroup === null) throw new Error(`its cgroup can't be made: ${path}`);
  limitCgroup(cgroup, { maxMemory, cpuWeight, cpuQuota, maxTasks }, app.daemon.enforcement.controllers);
  return cgroup;
}

/** The records of ended runs are in exits.jsonl; the last run's directory stays, for who looks. */
function removeOldRuns({ app, index }: Instance, run: number): void {
  for (const number of runNumbers(app.daemon.home, app.name, index)) {
    if (number < run - 1)
      rmSync(runDirectory(app.daemon.home, app.name, index, number), { recursive: true, force: true });
  }
}

function softNofile(spec: AppSpec): number | null {
  const wanted = spec.limits.nofile?.[0];
  const hard = limitsOf('self').nofile?.[1] ?? null;
  if (wanted === undefined || wanted === null) return hard;
  return hard !== null && hard < wanted ? hard : wanted;
}

/** What differs from what a launcher inherits anyway. Who may not raise a hard limit has the lower one. */
function prlimitWords(spec: AppSpec): string[] {
  const own = limitsOf('self');
  const mayRaise = hasCapability(capabilities.sysResource);
  const words: string[] = [];
  for (const [name, wanted] of Object.entries(spec.limits)) {
    const has = own[name];
    if (!has) continue;
    const hard = mayRaise ? wanted[1] : lower(wanted[1], has[1]);
    const soft = lower(wanted[0], hard);
    if (name === 'nofile' ? hard === has[1] : soft === has[0] && hard === has[1]) continue;
    words.push(`--${name}=${soft ?? 'unlimited'}:${hard ?? 'unlimited'}`);
  }
  return words.length === 0 ? [] : ['/usr/bin/prlimit', ...words, '--'];
}

const lower = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));

function niceWords(spec: AppSpec): string[] {
  const difference = spec.nice - getPriority();
  return difference === 0 ? [] : ['/usr/bin/nice', '-n', String(difference), '--'];
}

const ioNiceWords = ({ ioNice }: AppSpec): string[] =>
  ioNice === null
    ? []
    : ['/usr/bin/ionice', '-c', String(ioNice.class), ...(ioNice.class === 3 ? [] : ['-n', String(ioNice.level)])];

function setprivWords({ user, groups, noNewPrivs }: AppSpec): string[] {
  const supplementary =
    groups === null ? '--init-groups' : groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`;
  const words = [
    ...(user === null ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--inh-caps=-all']),
    ...(user === null && groups === null ? [] : [supplementary]),
    ...(noNewPrivs ? ['--no-new-privs'] : []),
  ];
  return words.length === 0 ? [] : ['/usr/bin/setpriv', ...words, '--'];
}

/**
 * Turns a spec into one running launcher: run directory, logs, environment, limits, cgroup, user.
 */
import { closeSync, fstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename } from 'node:path';
import { capabilities, hasCapability } from '../host/capabilities.ts';
import { limitCgroup, makeCgroup } from '../host/cgroup.ts';
import { limitsOf } from '../host/limits.ts';
import { type LaunchTerminal, type OutputPipe, spawnLauncher } from '../launcher/launch.ts';
import { recordLogStart } from '../launcher/records.ts';
import type { RunWatch } from '../launcher/run-watch.ts';
import { baseOf } from '../logs/excerpt.ts';
import { logFiles } from '../logs/layout.ts';
import { openLog } from '../logs/open.ts';
import { mergeEnvironment } from '../programs/environment.ts';
import type { AppSpec, Program } from '../protocol/spec.ts';
import { runNumbers } from '../storage/apps.ts';
import { runDirectory } from '../storage/layout.ts';
import { refuseLost } from '../view/lost-app.ts';
import type { Instance } from './instance.ts';
import { logPlacesOf } from './log-places.ts';
import { Notify, usesNotify } from './notify.ts';
import { makeReachDirectory, makeReachFile, preloadModule, removeReach } from './reach.ts';
import type { LaunchPart } from './sharing/launch-part.ts';
import { executedBy } from './sharing/uses-node.ts';
import { sessionName } from './terminals/terminals.ts';
import { Tree } from './tree.ts';
import { importsFile, importsOf } from './watching/imports.ts';

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
  removeReach(instance, run);
  const directory = runDirectory(daemon.home, spec.name, index, run);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const logs = openLogs(instance);
  let terminal: LaunchTerminal | null = null;
  try {
    const places = logPlacesOf(instance);
    instance.logStart = {
      out: baseOf(places.out) + fstatSync(logs.out).size,
      err: baseOf(places.err) + fstatSync(logs.err).size,
    };
    recordLogStart(directory, instance.logStart);
    if (spec.tty !== null) terminal = daemon.terminals.open(instance, run, instance.logStart.out);
    const cgroup = prepareCgroup(instance);
    const shared = app.sharing?.prepare(instance, run) ?? null;
    const watch = hooks.watch();
    watch.watchDirectory();
    const child = spawnLauncher({
      shell: daemon.shell,
      script: daemon.launcherScript,
      runDirectory: directory,
      argv: argvOf(spec.program),
      env: environmentOf(instance, run, shared),
      cwd: spec.cwd,
      out: logs.out,
      err: logs.err,
      umask: spec.umask,
      nofile: softNofile(spec),
      oomScoreAdj: spec.oomScoreAdj,
      terminal,
      hasStdin: spec.stdin || spec.stopStdin !== null,
      readyFd: spec.ready?.kind === 'fd' ? spec.ready.fd : null,
      cgroup,
      held: usesNotify(spec) ? instance.openNotify(run) : null,
      via: [...prlimitWords(spec), ...niceWords(spec), ...ioNiceWords(spec), ...setprivWords(spec)],
      pipe: pipeOf(spec),
      ...(shared !== null && { sockets: shared.sockets, pidNames: shared.pidNames }),
    });
    child.on('error', hooks.failed);
    if (child.pid !== undefined) watch.own(child);
  } finally {
    for (const fd of new Set([logs.out, logs.err])) closeSync(fd);
    if (terminal !== null) for (const fd of [terminal.slave, terminal.output]) closeSync(fd);
  }
  setImmediate(() => removeOldRuns(instance, run));
}

/** The program's stdout and stderr are the files themselves. */
function openLogs({ app, index }: Instance): { readonly out: number; readonly err: number } {
  const { log, user } = app.spec;
  const all = logFiles(app.daemon.home, app.name, index, log);
  // What a terminal shows is one.
  const paths = app.spec.tty === null ? all : { ...all, err: all.out };
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
function pipeOf(spec: AppSpec): OutputPipe | null {
  const { name, program, log, user } = spec;
  const isShell = () =>
    program.how === 'shell' ||
    (program.how === 'script' && shells.test(basename(executedBy(spec)))) ||
    shells.test(basename(program.words[0] ?? ''));
  if (log.via === 'file' && log.forward === null) return null;
  if ((log.via ?? (isShell() ? 'pipe' : 'file')) === 'file' && log.forward === null) return null;
  const owner = user === null ? null : `${user.uid}:${user.gid}`;
  return { owner, forward: log.forward === null ? null : forwarders[log.forward](name) };
}

const forwarders = {
  syslog: (name: string) => ['logger', '-t', name],
  journald: (name: string) => ['systemd-cat', '-t', name],
} as const;

const argvOf = ({ interpreter, words }: Program): readonly string[] =>
  interpreter === null ? words : [interpreter.path, ...interpreter.args, ...words];

/** The spec's, its secrets as they are now, and what the program needs to speak to stead. Throws when a secret can't be read. */
function environmentOf(instance: Instance, run: number, shared: LaunchPart | null): readonly string[] {
  const { spec } = instance.app;
  const channel = channelPart(instance, run);
  const graph = graphPart(instance, run);
  const own = [
    ...secretEntries(spec),
    ...channel.env,
    ...(shared?.env ?? []),
    ...graph.env,
    ...preloadEntries(instance, [channel.preload, shared?.preload ?? null, graph.preload]),
    ...notifyEntries(instance, run),
    ...terminalEntries(instance),
    `STEAD_RUN_ID=${instance.cookie(run)}`,
  ];
  return mergeEnvironment(spec.tty === null ? spec.env : spec.env.filter(isOfAnyTerminal), own);
}

/** What the screen of a session understands, and which one it is. */
const terminalEntries = (instance: Instance): string[] =>
  instance.app.spec.tty === null
    ? []
    : ['TERM=xterm-256color', 'COLORTERM=truecolor', `STEAD_SESSION=${sessionName(instance)}`];

/** Not what another terminal said of itself. */
const isOfAnyTerminal = (entry: string): boolean =>
  !/^(?:COLUMNS|LINES|TMUX|TMUX_PANE|STY|WINDOW|WINDOWID|TERMCAP|TERM_PROGRAM|TERM_PROGRAM_VERSION)=/.test(entry);

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

/** What a module that Node loads first needs. */
interface PreloadPart {
  readonly env: readonly string[];
  readonly preload: string | null;
}

/** For what is watched by what is imported: the file in which that is written down. */
function graphPart(instance: Instance, run: number): PreloadPart {
  if (!instance.app.spec.watch?.graph) return { env: [], preload: null };
  makeReachFile(instance, makeReachDirectory(instance, run), importsFile);
  return { env: [`STEAD_GRAPH=${importsOf(instance, run)}`], preload: preloadModule(instance, 'graph.cjs') };
}

/** For what goes by messages: two files, and a module that Node loads first. */
function channelPart(instance: Instance, run: number): PreloadPart {
  const { spec } = instance.app;
  if (spec.ready?.kind !== 'ipc' && !spec.stopMessage) return { env: [], preload: null };
  const directory = makeReachDirectory(instance, run);
  for (const name of ['said', 'heard']) makeReachFile(instance, directory, name);
  return { env: [`STEAD_CHANNEL=${directory}`], preload: preloadModule(instance, 'channel.cjs') };
}

/** Before what it was told itself; both modules take themselves out again. */
function preloadEntries({ app }: Instance, preloads: readonly (string | null)[]): string[] {
  const words = preloads.flatMap((path) => (path === null ? [] : [`--require="${path.replaceAll(/["\\]/g, '\\$&')}"`]));
  if (words.length === 0) return [];
  const before = app.spec.env.find((entry) => entry.startsWith('NODE_OPTIONS='))?.slice('NODE_OPTIONS='.length);
  return [`NODE_OPTIONS=${before ? `${before} ` : ''}${words.join(' ')}`];
}

const hasLimits = ({ app }: Instance): boolean => {
  const { maxMemory, cpuWeight, cpuQuota, maxTasks } = app.spec;
  return [maxMemory, cpuWeight, cpuQuota, maxTasks].some((limit) => limit !== null);
};

/** Sets the limits of a run that is under way: its cgroup may be a new one, or without controllers for a while. */
export function limitAgain(instance: Instance): void {
  try {
    if (hasLimits(instance)) prepareCgroup(instance);
  } catch (error) {
    instance.app.daemon.log(`${instance.app.name}: its limits are not set: ${(error as Error).message}`);
  }
}

/** With limits it is in its cgroup before it is executed; else it is moved there afterwards, which costs its start nothing. */
function prepareCgroup(instance: Instance): string | null {
  const { app } = instance;
  const { maxMemory, cpuWeight, cpuQuota, maxTasks } = app.spec;
  const path = Tree.cgroupOf(instance);
  if (path === null || !hasLimits(instance)) return null;
  const cgroup = makeCgroup(path);
  if (cgroup === null) throw new Error(`its cgroup can't be made: ${path}`);
  limitCgroup(cgroup, { maxMemory, cpuWeight, cpuQuota, maxTasks }, app.daemon.enforcement.controllers);
  return cgroup;
}

/** The records of ended runs are in exits.jsonl; the last run's directory stays, for who looks. */
function removeOldRuns({ app, index }: Instance, run: number): void {
  const inUse = app.all.filter((one) => one.index === index).map(({ model }) => model.run);
  for (const number of runNumbers(app.daemon.home, app.name, index)) {
    if (number < run - 1 && !inUse.includes(number))
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

/** Puts a daemon together and runs it: the apps as they are on disk, then the control API. */
import { readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HomeConfig } from '../config/file/home-config.ts';
import { cgroupBase, emptyUnit, enableControllers, joinCgroup, makeCgroup, removeCgroup } from '../host/cgroup.ts';
import { bootId, isoTime, wallMs } from '../host/clock.ts';
import { readIfThere, replaceFile } from '../host/files.ts';
import { processStat } from '../host/process.ts';
import { CpuMeter } from '../metrics/cpu.ts';
import { OomCount } from '../metrics/oom-count.ts';
import { protocolVersion } from '../protocol/version.ts';
import { homeId, prepareHome } from '../storage/home.ts';
import { ManagerLink } from '../systemd/manager-link.ts';
import type { Daemon } from './context.ts';
import { CrashBucket } from './crash-bucket.ts';
import { Events } from './events.ts';
import { gather } from './gather.ts';
import { Guardian } from './guardian.ts';
import { handlers } from './handlers/index.ts';
import { sweepJobs } from './jobs.ts';
import { LogKeeping } from './log-keeping.ts';
import { watchHome } from './lost-home.ts';
import { Newcomers } from './newcomers.ts';
import { loadAll, resumeAll, takeSocketsBack } from './recover.ts';
import { Rollouts } from './rollout.ts';
import { Scheduler } from './schedule.ts';
import { listen } from './server.ts';
import { Terminals } from './terminals/terminals.ts';
import { Turns } from './turns.ts';
import { endAll, endsAll, statusLine } from './unit.ts';
import { Watching } from './watching/watching.ts';

/** The home was removed and made again: the guardian respawns the daemon in it. */
const homeLostCode = 72;

export interface DaemonOptions {
  readonly home: string;
  /** The process that respawns this one; null for none. */
  readonly guardian: number | null;
  readonly version: string;
  /** Where launcher.sh and guardian.sh lie. */
  readonly library: string;
  readonly env: NodeJS.ProcessEnv;
  exit(code: number): void;
}

/** One line into daemon.log, which is stderr. A full disk takes no line, and that ends nothing: process.stderr would throw. */
export function logLine(line: string): void {
  try {
    writeSync(2, `${isoTime(wallMs())} ${line}\n`);
  } catch {
    // Nowhere to say it.
  }
}

/** Resolves when the daemon answers. The caller holds the home's lock. */
export async function runDaemon(options: DaemonOptions): Promise<Daemon> {
  const { home, version, env } = options;
  const log = logLine;
  process.umask(0o077);
  prepareHome(home);
  const guardian = new Guardian({ home, pid: options.guardian, log });
  const id = homeId(home);
  const manager = new ManagerLink(env, log);
  const base = cgroupBase(id, env, manager.unit?.name ?? null);
  const ownCgroup = base === null ? null : leaveCallersCgroup(base, options.guardian);
  const events = new Events(home, log);
  const daemon: Daemon = {
    home,
    homeId: id,
    bootId: bootId(),
    version,
    since: isoTime(wallMs()),
    shell: env.STEAD_SHELL || '/bin/sh',
    launcherScript: join(options.library, 'launcher.sh'),
    cgroupBase: base,
    ownCgroup,
    apps: new Map(),
    cpu: new CpuMeter(),
    enforcement: { controllers: base === null ? new Set() : enableControllers(base) },
    turns: new Turns(),
    get newcomers() {
      return newcomers;
    },
    get logs() {
      return logs;
    },
    get terminals() {
      return terminals;
    },
    scheduler: new Scheduler(),
    rollouts: new Rollouts(),
    watching: new Watching(),
    crashes: new CrashBucket(),
    oom: new OomCount(),
    manager,
    get isEnding() {
      return isEnding;
    },
    tell: (instance, happening) => {
      events.add(instance, happening);
      manager.statusChanged(status);
    },
    log,
    guardianPid: () => guardian.pid,
    stop: () => {
      try {
        guardian.dismiss();
        terminals.end();
        if (base !== null) dissolve(base, guardian.pid);
        for (const name of ['stead.sock', 'daemon.json']) rmSync(join(home, name), { force: true });
        log('stopped on request; the apps run on');
      } catch (error) {
        log(`stopped on request, but: ${(error as Error).message}`);
      }
      options.exit(0);
    },
  };
  let isEnding = false;
  const status = () => statusLine(daemon.apps.values());
  const newcomers = new Newcomers(daemon);
  const terminals = new Terminals(daemon, options.library);
  const logs = new LogKeeping(daemon, (await homeConfig(home, log)).logsMaxTotal);
  for (const { name, file, problem, isMovedAside } of await loadAll(daemon))
    log(`${name}: ${file}: ${problem}; ${isMovedAside ? 'moved aside' : 'left as it is'}`);
  sweepJobs(daemon);
  await takeSocketsBack(daemon);
  resumeAll(daemon);
  terminals.recover().catch((error: Error) => log(`terminals can't be taken back: ${error.message}`));
  await listen(home, handlers(daemon, events), log);
  writeDaemonFile(daemon);
  watchHome(daemon, () => options.exit(homeLostCode));
  const end = async () => {
    if (isEnding) return;
    isEnding = endsAll(daemon);
    if (isEnding) await endAll(daemon).catch((error: Error) => log(`not all has ended: ${error.message}`));
    else manager.stopping('the programs run on');
    daemon.stop();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end());
  process.on('SIGHUP', () => void reload(daemon));
  log(`version ${version}, pid ${process.pid}: ${daemon.apps.size} apps`);
  await gather(daemon);
  manager.ready(status());
  return daemon;
}

/** `systemctl reload`: what concerns the whole home is read again. */
async function reload({ home, manager, logs, log }: Daemon): Promise<void> {
  manager.reloading();
  logs.setCap((await homeConfig(home, log)).logsMaxTotal);
  manager.reloaded();
}

/** What concerns the whole home; the defaults where there is no such file, or none that can be read, which is said. */
async function homeConfig(home: string, log: Daemon['log']): Promise<HomeConfig> {
  const file = join(home, 'config.yaml');
  try {
    const text = readIfThere(file);
    if (text === null) return {};
    const { readHomeConfig } = await import('../config/file/home-config.ts');
    return readHomeConfig(text, file);
  } catch (error) {
    log((error as Error).message);
    return {};
  }
}

/** So that a daemon first started from within an app does not die with it. */
function leaveCallersCgroup(base: string, guardian: number | null): string | null {
  const own = makeCgroup(join(base, 'daemon'));
  if (own === null || !joinCgroup(own, process.pid)) return null;
  if (guardian !== null) joinCgroup(own, guardian);
  emptyUnit(dirname(base), own);
  return own;
}

/** On a clean end: leaves the daemon's cgroup, so that it can be removed, unless launchers live in it. */
function dissolve(base: string, guardian: number | null): void {
  for (const pid of [process.pid, guardian]) if (pid !== null) joinCgroup(dirname(base), pid);
  removeCgroup(base);
}

function writeDaemonFile(daemon: Daemon): void {
  const facts = {
    pid: process.pid,
    startTicks: processStat(process.pid)?.startTicks,
    guardian: daemon.guardianPid(),
    version: daemon.version,
    protocol: protocolVersion,
    since: daemon.since,
    bootId: daemon.bootId,
    node: process.execPath,
  };
  try {
    replaceFile(join(daemon.home, 'daemon.json'), `${JSON.stringify(facts)}\n`);
  } catch (error) {
    daemon.log(`daemon.json not written: ${(error as Error).message}`);
  }
}

/** The version and id of the build that lies beside a file. */
export function buildBeside(file: string): { readonly version: string; readonly id: string } {
  return JSON.parse(readFileSync(join(dirname(file), 'build.json'), 'utf8'));
}

/**
 * Moves what pm2 runs here, one app after the other. Ours is started with the sockets on which theirs listens, so that both serve; when ours listens, theirs is ended.
 * No connection finds nobody. Where the sockets can't be shared (a program that isn't Node, or no permission) theirs is stopped first, which is a gap, and started again
 * if ours does not come up.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { valueSource } from '../../config/file/document.ts';
import { readSource } from '../../config/file/read-config.ts';
import type { ForeignApp } from '../../foreign/model.ts';
import { processStat } from '../../host/process.ts';
import { socketsOf } from '../../metrics/sockets.ts';
import type { AppDetail, Caller, ConfigApp, StartRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { act } from '../act.ts';
import { whoAsks } from '../caller.ts';
import type { Pm2Command, Pm2Process } from './pm2-command.ts';

/** Ours has so long to listen where theirs does. */
const listenPatienceMs = 30_000;
const goneMs = 20_000;
/** What listens nowhere is looked at again after so long. */
const settleMs = 1000;
const lookMs = 50;

export interface Move {
  readonly app: ForeignApp;
  readonly processes: readonly Pm2Process[];
}

export interface TakeOverOptions {
  readonly home: string;
  readonly pm2: Pm2Command;
  readonly caller: Caller;
  /** Each step, in words. */
  tell(text: string): void;
}

/** False: it could not be taken over, and theirs runs as before. */
export async function takeOver(move: Move, options: TakeOverOptions): Promise<boolean> {
  const { tell } = options;
  const name = String(move.app.stanza.name);
  const [config] = readSource(valueSource({ apps: [move.app.stanza] }), 'pm2');
  try {
    if (config!.kind === 'job') return await moveJob(move, config!, options);
    await moveApp(move, config!, options);
    return true;
  } catch (error) {
    if (!(error instanceof SteadError)) throw error;
    tell(`${name}: ${error.message}; pm2 goes on with it`);
    return false;
  }
}

async function moveApp(move: Move, config: ConfigApp, options: TakeOverOptions): Promise<void> {
  const { pm2, tell } = options;
  const name = config.options.name!;
  const running = move.processes.filter(({ pid, pm2_env: { status } }) => pid > 0 && status === 'online');
  if (running.length === 0) return moveStopped(name, move, config, options);
  const isCluster = running.some(({ pm2_env: { exec_mode: mode } }) => String(mode).startsWith('cluster'));
  // The workers of a cluster have no sockets: pm2's daemon has them.
  const holders = isCluster ? [pm2.pid] : running.flatMap(({ pid }) => [pid, ...childrenOf(pid)]);
  const ports = isCluster
    ? []
    : socketsOf(holders)
        .filter(({ protocol }) => protocol !== 'unix')
        .map(({ address }) => address);
  const listens = isCluster ? socketsOf(holders).some(({ protocol }) => protocol !== 'unix') : ports.length > 0;
  const isNode = /^(node|bun)/.test(config.options.interpreter ?? '');
  if (!listens) {
    await startOurs(config, options);
    await orRemove(name, options, async () => {
      // It may crash when it has done something.
      await pause(settleMs);
      await untilUp(name, { ports: [], isShared: false }, options.home);
    });
    return endTheirs(name, move, options);
  }
  if (isNode) {
    const shared = { ...config, options: { ...config.options, instances: config.options.instances ?? '1' } };
    const isShared = await trySharing(name, shared, { holders, ports, options });
    if (isShared) return endTheirs(name, move, options);
  }
  tell(`${name}: its port can't be shared: pm2's is stopped first, and connections are refused meanwhile`);
  const ids = move.processes.map(({ pm_id }) => pm_id);
  await pm2.tell('stop', ids);
  try {
    await startOurs(config, options);
    await orRemove(name, options, () => untilUp(name, { ports, isShared: false }, options.home));
  } catch (error) {
    await pm2.tell('restart', ids);
    throw error;
  }
  await endTheirs(name, move, options);
}

/** What goes wrong takes ours away again. */
async function orRemove(name: string, { home }: TakeOverOptions, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await remove(name, home);
    throw error;
  }
}

interface Sharing {
  readonly holders: readonly number[];
  /** Where theirs listens, as far as that is known. */
  readonly ports: readonly string[];
  readonly options: TakeOverOptions;
}

/** False: the sockets can't be had, and nothing was started. */
async function trySharing(name: string, config: ConfigApp, { holders, ports, options }: Sharing): Promise<boolean> {
  try {
    await startOurs(config, options, holders);
  } catch (error) {
    if (error instanceof SteadError && ['NOT_PERMITTED', 'UNSUPPORTED'].includes(error.code)) return false;
    throw error;
  }
  await orRemove(name, options, () => untilUp(name, { ports, isShared: true }, options.home));
  const where = ports.length === 0 ? 'its port' : ports.map((address) => address.replace(/^.*:/, '')).join(', ');
  options.tell(`${name}: started, and serves ${where} beside pm2's`);
  return true;
}

interface Wanted {
  /** Where it shall listen, as far as that is known. */
  readonly ports: readonly string[];
  /** Every instance accepts from what is held; else it is enough that somebody of the app listens. */
  readonly isShared: boolean;
}

const portOf = (address: string): string => address.replace(/^.*:/, '');

/** It runs, and listens where it shall. Throws EXITED_EARLY when it crashes, or takes too long. */
async function untilUp(name: string, { ports, isShared }: Wanted, home: string): Promise<void> {
  const wanted = ports.map(portOf);
  const deadline = performance.now() + listenPatienceMs;
  for (;;) {
    const detail: AppDetail = await act(home, 'show', { params: { sel: name } });
    const { instances, held = [] } = detail;
    const served = isShared
      ? held.filter(({ accepting }) => accepting.length >= instances.length).map(({ key }) => portOf(key))
      : detail.ports.map(portOf);
    const isUp = instances.every(({ state, ready }) => state === 'running' && ready);
    const isServing = (served.length > 0 || !isShared) && wanted.every((port) => served.includes(port));
    if (isUp && isServing) return;
    const crashed = instances.find(({ state, restarts }) => state === 'failed' || state === 'backoff' || restarts > 1);
    if (crashed !== undefined)
      throw new SteadError('EXITED_EARLY', `ours ended: ${crashed.reason ?? 'again and again'}`);
    if (performance.now() > deadline)
      throw new SteadError(
        'EXITED_EARLY',
        `ours does not listen where pm2's does: ${detail.ports.join(', ') || 'nowhere'}`,
      );
    await pause(lookMs);
  }
}

async function startOurs(
  config: ConfigApp,
  { home, caller, tell }: TakeOverOptions,
  takeFrom: readonly number[] = [],
): Promise<void> {
  const { script, command, args, options } = config;
  const body: StartRequest = {
    targets: script === null ? [] : [script],
    rest: script === null ? [...command, ...args] : args,
    ...{ options, caller, wait: true, takeFrom },
  };
  const { apps } = await act(home, 'start', { body });
  const [started] = apps;
  if (started?.early) {
    await remove(options.name!, home);
    throw new SteadError('EXITED_EARLY', `ours ended: ${started.early.exit.reason}`);
  }
  if (takeFrom.length === 0) tell(`${options.name}: started`);
}

/** What pm2 has stopped is known here, and not started. */
async function moveStopped(
  name: string,
  move: Move,
  { script, command, args, options }: ConfigApp,
  { home, caller, tell, pm2 }: TakeOverOptions,
): Promise<void> {
  const body: StartRequest = {
    targets: script === null ? [] : [script],
    rest: script === null ? [...command, ...args] : args,
    ...{ options: { ...options, autostart: false }, caller, wait: true, isHeld: true },
  };
  await act(home, 'start', { body });
  await pm2.tell(
    'delete',
    move.processes.map(({ pm_id }) => pm_id),
  );
  tell(`${name}: it is stopped, and known here now`);
}

/** It runs at its times: nothing has to be ready. */
async function moveJob(move: Move, config: ConfigApp, { home, caller, tell, pm2 }: TakeOverOptions): Promise<boolean> {
  const file = `${move.app.stanza.cwd}/pm2 (${config.options.name})`;
  const body = {
    file,
    project: 'pm2',
    apps: [config],
    isPruned: false,
    isDryRun: false,
    isPartial: true,
    caller,
    wait: true,
  };
  const { apps } = await act(home, 'apply', { body });
  const failed = apps.find(({ error }) => error !== null)?.error;
  if (failed) throw SteadError.fromBody(failed);
  await pm2.tell(
    'delete',
    move.processes.map(({ pm_id }) => pm_id),
  );
  tell(`${config.options.name}: a job with its schedule; pm2's is deleted`);
  return true;
}

async function endTheirs(name: string, { processes }: Move, { pm2, tell }: TakeOverOptions): Promise<void> {
  await pm2.tell(
    'delete',
    processes.map(({ pm_id }) => pm_id),
  );
  const pids = processes.map(({ pid }) => pid).filter((pid) => pid > 1);
  const deadline = performance.now() + goneMs;
  while (pids.some((pid) => processStat(pid) !== null) && performance.now() < deadline) await pause(lookMs);
  tell(`${name}: pm2's is ended`);
}

async function remove(name: string, home: string): Promise<void> {
  const body = { select: [name], caller: whoAsks(), wait: true, purge: true };
  await act(home, 'delete', { body }).catch(() => {});
}

/** All that a process has started, and those in turn. */
function childrenOf(pid: number): readonly number[] {
  const parents = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const ppid = processStat(Number(entry))?.ppid;
    if (ppid !== undefined) parents.set(ppid, [...(parents.get(ppid) ?? []), Number(entry)]);
  }
  const found: number[] = [];
  const open = [pid];
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const child of parents.get(next) ?? []) {
      found.push(child);
      open.push(child);
    }
  return found;
}

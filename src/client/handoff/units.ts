/** What systemd is asked to do with the units of an app that it keeps, or is to keep. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../host/clock.ts';
import type { Keeper } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { flag, properties, type Scope, systemctl, systemctlOrThrow } from '../../systemd/manager.ts';
import type { Plan } from './plan.ts';

/** One that has just come up is so for good if it still is after this time, the same process. */
const steadyMs = 1000;
const lookMs = 100;
/** Beside what it may take to be ready. */
const spareMs = 20_000;

/** All that is started where the whole of it is; each brings what it needs. */
export const startedUnits = ({ sockets, main, triggers }: Keeper): readonly string[] => [
  ...new Set([...sockets, main, ...triggers]),
];

/** All that may run, what starts others first. */
export const allUnits = ({ sockets, main, triggers, services }: Keeper): readonly string[] => [
  ...new Set([...triggers, main, ...services, ...sockets]),
];

export const reload = (scope: Scope): string =>
  systemctlOrThrow(scope, ['daemon-reload'], 'systemd does not read its units anew');

/** What systemd has to say against them; empty if nothing. A machine's other units may be mentioned: they are none of ours. */
export function verify({ files, directory, keeper }: Plan): string {
  if (!existsSync('/usr/bin/systemd-analyze')) return '';
  const names = files.map(({ name }) => name).filter((name) => /\.(?:service|socket|timer|target|path)$/.test(name));
  const words = ['verify', '--man=no', ...(keeper.scope === 'user' ? ['--user'] : [])];
  const { stdout, stderr } = spawnSync(
    '/usr/bin/systemd-analyze',
    [...words, ...names.map((name) => join(directory, name))],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  const lines = `${stdout ?? ''}${stderr ?? ''}`.split('\n');
  return lines.filter((line) => names.some((name) => line.includes(name.replace('@.', '@')))).join('\n');
}

const watched = ['Id', 'ActiveState', 'SubState', 'MainPID', 'NRestarts', 'Result', 'ExecMainStatus'] as const;
export type UnitState = Readonly<Record<(typeof watched)[number], string>>;

/** Properties of several units by one call, in their order: each costs as much as ten of them. */
export function allProperties<Name extends string>(
  scope: Scope,
  units: readonly string[],
  names: readonly Name[],
): readonly Readonly<Record<Name, string>>[] {
  if (units.length === 0) return [];
  const words = ['show', `--property=${names.join(',')}`, ...units];
  const blocks = systemctlOrThrow(scope, words, `${units[0]} can't be looked at`).trimEnd().split('\n\n');
  return blocks.map((block) => {
    const found = new Map(block.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]));
    return Object.fromEntries(names.map((name) => [name, found.get(name) ?? ''])) as Record<Name, string>;
  });
}

/** Resolves when all run and go on running. Throws HANDOFF_FAILED with what is wrong. */
export async function untilUp(keeper: Keeper, readyMs: number): Promise<void> {
  const { scope, main, services } = keeper;
  const isService = main.endsWith('.service') || main.endsWith('.target');
  const units = isService ? services : [main];
  const deadline = monotonicMs() + readyMs + spareMs;
  const steady = { since: 0, pids: '' };
  for (;;) {
    const states: readonly UnitState[] = allProperties(scope, units, watched);
    const bad = states.find(isBad);
    if (bad !== undefined) throw failed(bad, scope);
    const pids = states.map(({ MainPID }) => MainPID).join();
    const isUp = states.every(({ ActiveState }) => ActiveState === 'active');
    const now = monotonicMs();
    if (!isUp) steady.pids = '';
    else if (steady.pids !== pids) Object.assign(steady, { since: now, pids });
    else if (now - steady.since >= steadyMs) return;
    if (now > deadline) throw failed(states.find(({ ActiveState }) => ActiveState !== 'active') ?? states[0]!, scope);
    await pause(lookMs);
  }
}

/** One that ended is started again, which is no reason to go on. */
const isBad = ({ ActiveState, SubState, NRestarts }: UnitState): boolean =>
  ActiveState === 'failed' || SubState === 'auto-restart' || Number(NRestarts) > 0;

function failed({ Id, SubState, Result, ExecMainStatus }: UnitState, scope: Scope): SteadError {
  const status = Number(ExecMainStatus) > 0 ? `, status ${ExecMainStatus}` : '';
  return new SteadError('HANDOFF_FAILED', `${Id} does not come up: ${SubState} (${Result}${status}).`, {
    hint: `journalctl ${flag(scope)}-u ${Id}`,
  });
}

/** Starts what is to run; `isAwaited`: until systemd takes it as started. */
export function startUnits({ scope, ...keeper }: Keeper, { isAwaited }: { readonly isAwaited: boolean }): void {
  const units = startedUnits({ scope, ...keeper });
  systemctl(scope, ['reset-failed', ...keeper.services]);
  systemctlOrThrow(scope, ['start', ...(isAwaited ? [] : ['--no-block']), ...units], `${keeper.main} does not start`);
}

/** Stops all of it; whatever does not run is no failure. */
export function stopUnits(keeper: Keeper): void {
  systemctl(keeper.scope, ['stop', ...allUnits(keeper)]);
}

/**
 * systemd's part of sockets that live on elsewhere: a service that ends would be started again by them. What needs them goes on as yet. It must not happen together with
 * the stop of the services: a socket unit that hears of a connection while it is to stop closes and opens its socket, systemd's socket.c.
 */
export function closeSockets({ scope, sockets }: Keeper): void {
  if (sockets.length > 0) systemctl(scope, ['stop', '--job-mode=ignore-requirements', ...sockets]);
}

/** The processes that have its sockets: of its services, and the manager itself, in whose place it can be that nobody else has any. */
export function socketOwners({ scope, services }: Keeper): readonly number[] {
  const pids = allProperties(scope, services, ['MainPID']).map(({ MainPID }) => Number(MainPID));
  const manager =
    scope === 'system' ? 1 : Number(properties('system', `user@${process.getuid!()}.service`, ['MainPID']).MainPID);
  return [...pids, manager].filter((pid) => pid > 0);
}

/**
 * `startup`: the daemon of a home comes under systemd, and no program notices. The unit's start takes the lock from the daemon that runs (`guardian.sh take`),
 * and the new one takes up its programs.
 *
 * As root for another user, nothing is written in that user's home but by a process of that user.
 */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { readIfThere } from '../host/files.ts';
import { loadKoffi } from '../host/native.ts';
import { SteadError } from '../protocol/errors.ts';
import { type DaemonUnit, daemonUnit } from '../systemd/daemon-unit.ts';
import {
  enableLinger,
  flag,
  lingers,
  managerVersion,
  properties,
  type Scope,
  systemctl,
  systemctlOrThrow,
} from '../systemd/manager.ts';
import {
  ownUnitText,
  refuseElsewhere,
  removeUnit,
  type UnitPlace,
  unitPlace,
  writeUnit,
} from '../systemd/unit-file.ts';
import { type Account, runAs } from './accounts.ts';
import { ensureDaemon, prepareLibrary } from './ensure-daemon.ts';
import { forget, leave } from './leave-unit.ts';
import { recordedUnit } from './start-unit.ts';

export interface Wanted {
  readonly scope: Scope;
  /** Whose programs. */
  readonly account: Account;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Plan {
  readonly place: UnitPlace;
  readonly text: string;
  /** What is done beside writing the unit, as one would type it. */
  readonly commands: readonly string[];
  readonly needsLinger: boolean;
}

/** `stead.service`; as root for another user, or for a home of another place, one of its own. */
export function unitName({ scope, account, home }: Wanted): string {
  const isDefault = home === join(account.home, '.stead');
  const parts = [
    ...(scope === 'system' && account.uid !== 0 ? [account.name] : []),
    ...(isDefault ? [] : [home.replace(/^\//, '')]),
  ].map((text) => text.replaceAll(/[^A-Za-z0-9_.-]/g, '_'));
  return `${['stead', ...parts].join('-').slice(0, 200)}.service`;
}

/** What `startup` will do. Throws UNSUPPORTED where systemd can't be reached. */
export function planStartup(wanted: Wanted): Plan {
  const { scope, account, home, env } = wanted;
  const place = unitPlace(unitName(wanted), scope, env);
  const unit: DaemonUnit = {
    ...place,
    home,
    user: account.name,
    version: managerVersion(scope),
    canNotify: hasNative(),
  };
  const needsLinger = scope === 'user' && !lingers(account.name);
  const start = `systemctl ${flag(scope)}`;
  return {
    place,
    text: daemonUnit(unit),
    needsLinger,
    commands: [
      ...(needsLinger ? [`loginctl enable-linger ${account.name}`] : []),
      `${start}daemon-reload`,
      `${start}enable ${place.name}`,
      `${start}start ${place.name}`,
    ],
  };
}

function hasNative(): boolean {
  try {
    loadKoffi(process.argv[1] ?? process.execPath);
    return true;
  } catch {
    return false;
  }
}

export interface Started {
  /** False: it was all so already. */
  readonly changed: boolean;
  readonly pid: number;
}

/** Does it. What fails leaves all as it was, but for linger. */
export async function startup(wanted: Wanted, plan: Plan): Promise<Started> {
  const { scope, account, home } = wanted;
  const { place, text } = plan;
  const before = ownUnitText(place, home);
  refuseElsewhere(place);
  refuseSecond(home, place);
  if (plan.needsLinger) linger(account.name);
  prepare(wanted);
  const { ActiveState, UnitFileState } = properties(scope, place.name, ['ActiveState', 'UnitFileState']);
  const isDone = before === text && ActiveState === 'active' && UnitFileState === 'enabled';
  if (!isDone) {
    writeUnit(place, text);
    try {
      systemctlOrThrow(scope, ['daemon-reload'], 'systemd does not read the unit');
      systemctlOrThrow(scope, ['enable', place.name], `${place.name} can't be enabled`);
      // A restart keeps all programs; what stands in the unit holds from then on.
      systemctlOrThrow(scope, [before === null ? 'start' : 'restart', place.name], `${place.name} does not start`);
    } catch (error) {
      const told = withLog(error, wanted, place);
      await rollBack(wanted, plan, before);
      throw told;
    }
  }
  const { MainPID } = properties(scope, place.name, ['MainPID']);
  return { changed: !isDone, pid: Number(MainPID) };
}

/** One home has one unit. */
function refuseSecond(home: string, { name, scope }: UnitPlace): void {
  const other = recordedUnit(home);
  if (other === null || (other.name === name && other.scope === scope)) return;
  const isGone = safely(() => properties(other.scope, other.name, ['LoadState']).LoadState === 'not-found');
  if (isGone) return;
  throw new SteadError('NAME_TAKEN', `This home is started by ${flag(other.scope)}${other.name} already.`, {
    hint:
      other.scope === 'system' && process.getuid?.() !== 0 ? 'sudo -E stead unstartup first' : 'stead unstartup first',
  });
}

function linger(user: string): void {
  const problem = enableLinger(user);
  if (problem === null) return;
  throw new SteadError(
    'NOT_PERMITTED',
    `Without linger systemd starts nothing of ${user}'s at boot, and ends all of it at logout; asking for it failed: ${problem}. Nothing was changed.`,
    { hint: `sudo loginctl enable-linger ${user}, then stead startup again; --no-linger goes on without` },
  );
}

/** The library that the unit runs, in the home. */
function prepare({ account, home }: Wanted): void {
  if (account.uid === process.getuid?.()) {
    prepareLibrary(home);
    return;
  }
  const { code, said } = runAs(account, home, [process.execPath, process.argv[1]!, 'daemon', 'prepare']);
  if (code === 0) return;
  throw new SteadError('NOT_PERMITTED', `${account.name} can't run this stead: ${said || `exit ${code}`}`, {
    hint: `Node (${process.execPath}) and stead (${process.argv[1]}) must be readable by all: install both for the whole machine, not below /root`,
  });
}

async function rollBack({ scope, account, home }: Wanted, { place }: Plan, before: string | null): Promise<void> {
  try {
    if (before === null) {
      leave({ account, home });
      systemctl(scope, ['disable', '--now', place.name]);
      removeUnit(place);
      forget({ account, home });
    } else writeUnit(place, before);
    systemctl(scope, ['daemon-reload']);
    if (before !== null) systemctl(scope, ['restart', place.name]);
    else systemctl(scope, ['reset-failed', place.name]);
    // The daemon that made room for it.
    if (account.uid === process.getuid?.()) await ensureDaemon(home);
  } catch {
    // The first failure is the one to be told of.
  }
}

function withLog(error: unknown, { home, scope }: Wanted, { name }: UnitPlace): unknown {
  if (!(error instanceof SteadError)) return error;
  const { Result = '' } = safely(() => properties(scope, name, ['Result'])) ?? {};
  const last = safely(() => readIfThere(join(home, 'daemon.log'))?.trimEnd().split('\n').at(-1));
  const more = [
    ...(Result && Result !== 'success' ? [`systemd calls it "${Result}"`] : []),
    ...(last ? [`it said last: ${last}`] : []),
  ];
  return new SteadError(error.code, [error.message, ...more, 'the unit was taken away again'].join('; '), {
    hint: `journalctl ${flag(scope)}-u ${name}; stead daemon logs`,
  });
}

function safely<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Whose programs these are, where nobody is named. */
export const ownAccount = (): Account => {
  const { username, uid, gid, homedir } = userInfo();
  return { name: username, uid, gid, home: homedir };
};

/** `takeback`: what systemd keeps becomes stead's. Its sockets are taken first, the very same, so that who connects meanwhile waits in them; then its processes end, then ours begin. */
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listenFile } from '../../foreign/systemd/writing/listen.ts';
import { readIfThere } from '../../host/files.ts';
import type { ActionResult, Keeper } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { flag, properties, systemctl } from '../../systemd/manager.ts';
import { act } from '../act.ts';
import { whoAsks } from '../caller.ts';
import { comeBack } from './handoff.ts';
import { allProperties, closeSockets, reload, socketOwners, startedUnits, startUnits, stopUnits } from './units.ts';

export interface TakenBack {
  readonly result: ActionResult;
  readonly notes: readonly string[];
}

/** Throws what kept it from that, the units running as before. */
export async function takeBack(
  home: string,
  { name, keeper }: { readonly name: string; readonly keeper: Keeper },
): Promise<TakenBack> {
  const { scope, keys } = keeper;
  const { ActiveState } = properties(scope, keeper.main, ['ActiveState']);
  const isWanted = ActiveState !== 'inactive';
  const { keys: taken } = await comeBack(home, { app: name, step: 'take', pids: socketOwners(keeper), keys });
  const missing = keys.filter((key) => !taken.includes(key));
  closeSockets(keeper);
  stopUnits(keeper);
  refuseAlive(keeper);
  let result: ActionResult;
  try {
    ({ result } = await comeBack(home, { app: name, step: 'start', isWanted }));
    if (result.error !== null) throw SteadError.fromBody(result.error);
    if (result.early)
      throw new SteadError('EXITED_EARLY', `"${name}" ended at once: ${result.early.exit.reason}.`, {
        hint: result.early.next,
      });
  } catch (error) {
    await giveAgain(home, name, { ...keeper, isWanted });
    throw error;
  }
  systemctl(scope, ['disable', ...startedUnits(keeper)]);
  removeFiles(keeper);
  const gap = missing.map((key) => `${key} could not be taken while it was open: for a moment nobody listened there.`);
  return { result, notes: gap };
}

/** Throws STUCK: a second copy is worse than none. */
function refuseAlive(keeper: Keeper): void {
  const { scope } = keeper;
  const states = allProperties(scope, keeper.services, ['Id', 'MainPID']);
  const alive = states.flatMap(({ Id, MainPID }) => (Number(MainPID) > 0 ? [Id] : []));
  if (alive.length === 0) return;
  throw new SteadError('STUCK', `${alive.join(', ')} can't be ended by systemd; it stays as it is.`, {
    hint: `systemctl ${flag(scope)}status ${alive[0]}`,
  });
}

async function giveAgain(home: string, name: string, keeper: Keeper): Promise<void> {
  await act(home, 'handoff', { body: { app: name, step: 'give', caller: whoAsks(), keeper } });
  if (keeper.isWanted) startUnits(keeper, { isAwaited: true });
}

/** What Node programs load first, if no unit names it any more. */
function removeUnused(directory: string): void {
  const names = readdirSync(directory).filter((name) => name.endsWith('.service'));
  const isUsed = names.some((name) => readIfThere(join(directory, name))?.includes(listenFile));
  if (!isUsed) rmSync(join(directory, listenFile), { force: true });
}

/** Those that stead has written. */
function removeFiles(keeper: Keeper): void {
  const { scope, files } = keeper;
  if (files.length === 0) return;
  for (const path of files) rmSync(path, { force: true });
  removeUnused(dirname(files[0]!));
  reload(scope);
}

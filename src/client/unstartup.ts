/** `unstartup`: the daemon leaves systemd, and no program notices. */
import { SteadError } from '../protocol/errors.ts';
import { properties, systemctl, systemctlOrThrow } from '../systemd/manager.ts';
import { ownUnitText, removeUnit, type UnitPlace, unitPlace } from '../systemd/unit-file.ts';
import { runAs } from './accounts.ts';
import { ensureDaemon } from './ensure-daemon.ts';
import { forget, leave } from './leave-unit.ts';
import { recordedUnit } from './start-unit.ts';
import { unitName, type Wanted } from './startup.ts';

export interface Removed {
  readonly place: UnitPlace;
  /** Whether there was such a unit. */
  readonly changed: boolean;
  /** A daemon without systemd has taken over. */
  readonly goesOn: boolean;
}

/** Takes the unit away; a guardian keeps the daemon from then on, and no program notices. */
export async function unstartup(wanted: Wanted): Promise<Removed> {
  const { account, home, env } = wanted;
  // What stands in another user's home is no word for root to act on.
  const recorded = account.uid === process.getuid?.() ? recordedUnit(home) : null;
  const scope = recorded?.scope ?? wanted.scope;
  const place = unitPlace(recorded?.name ?? unitName(wanted), scope, env);
  if (ownUnitText(place, home) === null) {
    forget(wanted);
    return { place, changed: false, goesOn: false };
  }
  if (scope === 'system' && process.getuid?.() !== 0)
    throw new SteadError('NOT_PERMITTED', `${place.path} is root's to remove.`, {
      hint: `sudo ${process.execPath} ${process.argv[1]} unstartup --user ${account.name}`,
    });
  const { ActiveState } = properties(scope, place.name, ['ActiveState']);
  leave(wanted);
  systemctl(scope, ['disable', '--now', place.name]);
  removeUnit(place);
  systemctlOrThrow(scope, ['daemon-reload'], 'systemd does not forget the unit');
  systemctl(scope, ['reset-failed', place.name]);
  forget(wanted);
  const goesOn = ActiveState === 'active';
  if (goesOn) await goOn(wanted);
  return { place, changed: true, goesOn };
}

async function goOn({ account, home }: Wanted): Promise<void> {
  if (account.uid === process.getuid?.()) await ensureDaemon(home);
  else runAs(account, home, [process.execPath, process.argv[1]!, 'daemon', 'restart']);
}

/** A home whose daemon systemd keeps: `<home>/unit` has `SCOPE NAME`, written by `unit.sh` at each start of the unit. */
import { join } from 'node:path';
import { readIfThere } from '../host/files.ts';
import { isBooted, properties, systemctl } from '../systemd/manager.ts';
import type { UnitFacts } from '../systemd/manager-link.ts';

/** The unit that started the daemon last; null for none, or where `stead unstartup` has taken it away. */
export function recordedUnit(home: string): UnitFacts | null {
  const [, scope, name] = /^(system|user) (stead[\w.-]*\.service)$/m.exec(readIfThere(join(home, 'unit')) ?? '') ?? [];
  return name === undefined ? null : { name, scope: scope as UnitFacts['scope'] };
}

/**
 * Has systemd start the daemon, and waits until it is ready. `coming`: this user may not ask for that, but systemd is about to start it. `no`: there is no unit,
 * or it is stopped and not ours to start; then a guardian may start the daemon, and the unit takes over at its next start.
 */
export function startUnit(home: string): 'started' | 'coming' | 'no' {
  const unit = recordedUnit(home);
  if (unit === null || !isBooted()) return 'no';
  try {
    if (systemctl(unit.scope, ['start', unit.name]).code === 0) return 'started';
    const { ActiveState } = properties(unit.scope, unit.name, ['ActiveState']);
    return ['active', 'activating', 'reloading', 'deactivating'].includes(ActiveState) ? 'coming' : 'no';
  } catch {
    // It can't be asked by this user.
    return unit.scope === 'system' ? 'coming' : 'no';
  }
}

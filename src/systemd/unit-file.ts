/** The file of a home's unit: where it lies, whether it is stead's to write, and writing it. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, readIfThere } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';
import { whoseUnit } from './daemon-unit.ts';
import { properties, type Scope } from './manager.ts';

export interface UnitPlace {
  readonly name: string;
  readonly scope: Scope;
  /** Of its file. */
  readonly path: string;
}

/** Where an administrator's units lie, or a user's own. */
export function unitPlace(name: string, scope: Scope, env: NodeJS.ProcessEnv): UnitPlace {
  const config = env.XDG_CONFIG_HOME || join(env.HOME ?? '/', '.config');
  const directory = scope === 'system' ? '/etc/systemd/system' : join(config, 'systemd/user');
  return { name, scope, path: join(directory, name) };
}

/** What stands there; null for nothing. Throws NAME_TAKEN if it is not of this home. */
export function ownUnitText({ path, name }: UnitPlace, home: string): string | null {
  const text = readIfThere(path);
  const whose = text === null ? 'ours' : whoseUnit(text, home);
  if (whose === 'ours') return text;
  throw taken(path, name, whose === 'not ours' ? 'is not written by stead startup' : 'is of another home');
}

/** A unit of this name that lies elsewhere, a package's for one, would be hidden by ours. Throws NAME_TAKEN. */
export function refuseElsewhere({ path, name, scope }: UnitPlace): void {
  const { FragmentPath } = properties(scope, name, ['FragmentPath']);
  if (FragmentPath !== '' && FragmentPath !== path) throw taken(FragmentPath, name, 'is another unit of this name');
}

const taken = (path: string, name: string, why: string): SteadError =>
  new SteadError('NAME_TAKEN', `${path} ${why}; it was left as it is.`, {
    hint: `look at it: systemctl cat ${name}; then move it away, or let it go on in stead's place`,
  });

/** Whole or not at all. Throws NOT_PERMITTED, UNSUPPORTED (read-only) or DISK. */
export function writeUnit({ path, scope }: UnitPlace, text: string): void {
  const beside = join(dirname(path), `.${process.pid}.stead`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(beside, text, { mode: 0o644 });
    renameSync(beside, path);
  } catch (error) {
    throw unwritable(path, scope, error);
  }
}

/** The same errors. */
export function removeUnit({ path, scope }: UnitPlace): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw unwritable(path, scope, error);
  }
}

export function unwritable(path: string, scope: Scope, error: unknown): SteadError {
  const code = errnoOf(error);
  const directory = dirname(path);
  if (code === 'EROFS')
    return new SteadError('UNSUPPORTED', `${directory} is on a read-only file system: no unit can be written there.`, {
      hint:
        scope === 'system'
          ? 'stead startup --dry-run prints the unit, for the image that this machine is made of; or as an ordinary user, without root: stead startup'
          : 'stead startup --dry-run prints the unit',
    });
  if (code === 'EACCES' || code === 'EPERM')
    return new SteadError('NOT_PERMITTED', `${path} can't be written: ${(error as Error).message}.`, {
      hint: scope === 'system' ? 'say it as root' : `ls -ld ${directory}`,
    });
  return new SteadError('DISK', `${path} can't be written: ${(error as Error).message}.`, {
    hint: `df -h ${directory}`,
  });
}

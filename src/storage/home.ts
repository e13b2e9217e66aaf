/**
 * The home directory itself: made private, and refused if it could be anybody else's.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, isReadOnly } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';

/** Makes sure that a home is there, ours and private. Throws HOME_UNSAFE or HOME_UNUSABLE; nothing is made through a link. */
export function prepareHome(home: string): void {
  if (!checkHome(home)) {
    try {
      mkdirSync(dirname(home), { recursive: true });
      mkdirSync(home, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw unusable(home, error);
    }
    checkHome(home);
  }
  if ((lstatSync(home).mode & 0o777) !== 0o700) chmodSync(home, 0o700);
  for (const name of ownNames) refuseLink(home, name);
}

/** What is opened or made in a home by name: none may lead elsewhere. */
const ownNames = ['apps', 'daemon.json', 'daemon.log', 'lib', 'lock', 'logs', 'stopped'];

function refuseLink(home: string, name: string): void {
  const stat = lstatSync(join(home, name), { throwIfNoEntry: false });
  if (stat?.isSymbolicLink())
    throw unsafe(join(home, name), 'is a symbolic link', `look where it leads, then: rm '${join(home, name)}'`);
}

/** A directory in a home that nobody else can look into, made if it is not there. Throws HOME_UNSAFE or HOME_UNUSABLE. */
export function prepareFolder(home: string, name: string): void {
  const path = join(home, name);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw unusable(home, error);
  }
  refuseLink(home, name);
  const stat = lstatSync(path);
  const uid = process.geteuid?.() ?? 0;
  const remove = `look what is in it, then: rm -r '${path}'`;
  if (!stat.isDirectory()) throw unsafe(path, 'is no directory', remove);
  if (stat.uid !== uid) throw unsafe(path, `belongs to uid ${stat.uid}, and you are uid ${uid}`, remove);
  if (stat.mode & 0o077) chmodSync(path, 0o700);
}

/** Whether a home is there. Throws HOME_UNSAFE if it is a link, another user's, or writable by others. */
export function checkHome(home: string): boolean {
  let stat: Stats;
  try {
    stat = lstatSync(home);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw unusable(home, error);
  }
  const uid = process.geteuid?.() ?? 0;
  if (stat.isSymbolicLink()) throw unsafe(home, 'is a symbolic link', `STEAD_HOME=$(readlink -f '${home}') stead …`);
  if (!stat.isDirectory()) throw unsafe(home, 'is no directory', 'move it away, or set STEAD_HOME to a directory');
  if (stat.uid !== uid) throw unsafe(home, `belongs to uid ${stat.uid}, and you are uid ${uid}`, ownerHint(stat.uid));
  if (stat.mode & 0o022)
    throw unsafe(home, 'can be written by others', `look what is in it, then: chmod 700 '${home}'`);
  return true;
}

/** A short name of a home that is the same for every path to it: names its cgroups and marks its programs' environments. */
export function homeId(home: string): string {
  const { dev, ino } = lstatSync(home);
  return `${dev.toString(36)}-${ino.toString(36)}`;
}

const ownerHint = (uid: number): string =>
  process.geteuid?.() === 0 && existsSync('/usr/bin/setpriv')
    ? `act as its owner: setpriv --reuid=${uid} --init-groups --reset-env stead …`
    : 'set STEAD_HOME to a directory of your own';

function unsafe(path: string, why: string, hint: string): SteadError {
  return new SteadError('HOME_UNSAFE', `The home can't be trusted: "${path}" ${why}. Nothing is written there.`, {
    hint,
  });
}

/** HOME_UNUSABLE, for what the system says of a home. */
export function unusable(home: string, error: unknown): SteadError {
  if (isReadOnly(home))
    return new SteadError('HOME_UNUSABLE', `The home "${home}" can't be used: its file system is read-only.`, {
      hint: `mount it writable (findmnt -T '${home}' shows it), or set STEAD_HOME to a directory that you can write to`,
    });
  return new SteadError('HOME_UNUSABLE', `The home "${home}" can't be used: ${(error as Error).message}.`, {
    hint: 'set STEAD_HOME to a directory that you can write to',
  });
}

/**
 * Files that the program itself must reach: where it speaks to stead. For a program of one's own they lie in its run directory. Another user can't enter
 * the home, so for such a program they lie in /run/stead-<id>/, in a directory of that user's.
 */
import { chmodSync, chownSync, closeSync, copyFileSync, lstatSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SteadError } from '../protocol/errors.ts';
import { directoryName } from '../storage/layout.ts';
import type { Instance } from './instance.ts';

/** Where the files of a run lie that its program reaches. */
export function reachDirectory(instance: Instance, run = instance.model.run): string {
  const { app, index } = instance;
  if (app.spec.user === null) return instance.runDirectory(run);
  return join(sharedDirectory(app.daemon.homeId), `${directoryName(app.name)}.${index}.${run}`);
}

/** Makes it, the program's own. Throws HOME_UNSAFE if somebody else made its place. */
export function makeReachDirectory(instance: Instance, run: number): string {
  const directory = reachDirectory(instance, run);
  const { user } = instance.app.spec;
  if (user === null) return directory;
  makeShared(instance);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
  chownSync(directory, user.uid, user.gid);
  return directory;
}

/** An empty file there, the program's own. */
export function makeReachFile(instance: Instance, directory: string, name: string): void {
  const path = join(directory, name);
  closeSync(openSync(path, 'wx', 0o600));
  const { user } = instance.app.spec;
  if (user !== null) chownSync(path, user.uid, user.gid);
}

/** What Node programs load, where this one can read it. */
export function channelModule(instance: Instance): string {
  const own = join(dirname(instance.app.daemon.launcherScript), 'channel.cjs');
  if (instance.app.spec.user === null) return own;
  const copy = join(makeShared(instance), 'channel.cjs');
  copyFileSync(own, copy);
  chmodSync(copy, 0o644);
  return copy;
}

/** What an ended run leaves there. */
export function removeReach(instance: Instance, run: number): void {
  if (instance.app.spec.user !== null) rmSync(reachDirectory(instance, run), { recursive: true, force: true });
}

const sharedDirectory = (homeId: string): string => join('/run', `stead-${homeId}`);

function makeShared({ app }: Instance): string {
  const path = sharedDirectory(app.daemon.homeId);
  mkdirSync(path, { recursive: true, mode: 0o711 });
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.geteuid!())
    throw new SteadError('HOME_UNSAFE', `${path} is not this user's directory.`);
  chmodSync(path, 0o711);
  return path;
}

/**
 * Files that the program itself must reach: where it speaks to stead. For a program of one's own they lie in its run directory. Another user can't enter
 * the home, so for such a program they lie in /run/stead-<id>/, in a directory of that user's.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { readIfThere, replaceFile } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';
import { appDirectory, directoryName, sharedDirectory } from '../storage/layout.ts';
import type { App } from './app.ts';
import type { Instance } from './instance.ts';

/** Where the files of a run lie that its program reaches. */
export function reachDirectory(instance: Instance, run = instance.model.run): string {
  const { app, index } = instance;
  if (app.spec.user === null) return instance.runDirectory(run);
  return join(sharedDirectory(app.daemon.homeId), `${directoryName(app.name)}.${index}.${run}`);
}

/** Makes it if it isn't there, the program's own. Throws HOME_UNSAFE if somebody else made its place. */
export function makeReachDirectory(instance: Instance, run: number): string {
  const directory = reachDirectory(instance, run);
  const { user } = instance.app.spec;
  if (user === null) return directory;
  makeShared(instance.app);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
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

/** What Node programs load, where this one can read it: `channel.cjs`, `share.cjs`. */
export function preloadModule(instance: Instance, file: string): string {
  const own = join(dirname(instance.app.daemon.launcherScript), file);
  if (instance.app.spec.user === null) return own;
  const shared = makeShared(instance.app);
  // With the parts that it loads later.
  const stem = file.replace('.cjs', '');
  for (const part of readdirSync(dirname(own))) {
    if (part !== file && !(part.startsWith(`${stem}-`) && part.endsWith('.cjs'))) continue;
    const text = readFileSync(join(dirname(own), part), 'utf8');
    if (readIfThere(join(shared, part)) === text) continue;
    replaceFile(join(shared, part), text);
    chmodSync(join(shared, part), 0o644);
  }
  return join(shared, file);
}

export interface SharePlace {
  readonly path: string;
  /** Whose it is to be; null: ours. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** Where programs of an app give and ask for sockets. */
export function sharePlace(app: App): SharePlace {
  const { user } = app.spec;
  if (user === null) return { path: join(appDirectory(app.daemon.home, app.name), 'share.sock'), owner: null };
  const directory = join(makeShared(app), `${directoryName(app.name)}.share`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chownSync(directory, user.uid, user.gid);
  return { path: join(directory, 'share.sock'), owner: user };
}

/** What a run leaves there; also that of an earlier app of that name. */
export function removeReach(instance: Instance, run: number): void {
  if (instance.app.spec.user !== null) rmSync(reachDirectory(instance, run), { recursive: true, force: true });
}

function makeShared(app: App): string {
  const path = sharedDirectory(app.daemon.homeId);
  mkdirSync(path, { recursive: true, mode: 0o711 });
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.geteuid!())
    throw new SteadError('HOME_UNSAFE', `${path} is not this user's directory.`);
  chmodSync(path, 0o711);
  return path;
}

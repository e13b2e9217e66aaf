/**
 * Somebody removed the home while its daemon runs. Nothing that runs is lost by that: the daemon still knows it all, makes the home again with the records of
 * what lives, and is respawned in it, with the lock and the socket where everybody looks for them. Old logs are gone; programs go on writing to theirs until
 * they are restarted.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createApp } from '../storage/apps.ts';
import { prepareHome } from '../storage/home.ts';
import type { Daemon } from './context.ts';

/**
 * `rm -r` removes the directory last, and nothing tells of that: what is held open keeps its inode. So after something was removed the home is looked at again,
 * until it is whole or gone.
 */
const lookAgainMs = 200;
/** A file that is not copied. */
const longBytes = 1024 * 1024;

export function watchHome(daemon: Daemon, exit: () => void): void {
  const { ino } = statSync(daemon.home);
  const library = keepOpen(dirname(daemon.launcherScript));
  let timer: NodeJS.Timeout | null = null;
  const look = async () => {
    timer = null;
    if (statSync(daemon.home, { throwIfNoEntry: false })?.ino === ino) {
      if (!existsSync(join(daemon.home, 'lock'))) timer = setTimeout(look, lookAgainMs);
      return;
    }
    daemon.log('the home was removed; making it again');
    try {
      rebuild(daemon);
      library.restore();
      // Holders have their records in what was removed.
      await Promise.all([...daemon.apps.values()].map((app) => app.sharing?.held.renew()));
    } catch (error) {
      daemon.log(`the home can't be made again: ${(error as Error).message}; supervising goes on without it`);
      return;
    }
    exit();
  };
  try {
    watch(daemon.home, { persistent: false }, (event) => {
      if (event === 'rename' && timer === null) timer = setTimeout(look, lookAgainMs);
    }).on('error', () => {});
  } catch {
    // No inotify to be had: a command that finds no home will say so.
  }
}

interface Kept {
  readonly name: string;
  readonly fd: number;
  /** Where it is within the fd, in bytes. */
  readonly at: number;
  readonly length: number;
}

/** A removed file can be read for as long as it is open: so the daemon's own code outlives its directory. */
function keepOpen(directory: string): { restore(): void } {
  const files = keepFiles(directory);
  return {
    restore() {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      for (const { name, fd, at, length } of files) {
        const bytes = Buffer.alloc(length);
        readSync(fd, bytes, 0, length, at);
        writeFileSync(join(directory, name), bytes, { mode: 0o600 });
      }
    },
  };
}

/** What is short goes together into one file without a name: two dozen descriptors would be many where there are few. */
function keepFiles(directory: string): readonly Kept[] {
  const files = readdirSync(directory).map((name) => ({ name, length: statSync(join(directory, name)).size }));
  const own = (name: string, length: number): Kept => ({
    name,
    length,
    at: 0,
    fd: openSync(join(directory, name), 'r'),
  });
  const [short, long] = [true, false].map((isShort) => files.filter(({ length }) => length < longBytes === isShort));
  try {
    return [...long!.map(({ name, length }) => own(name, length)), ...together(directory, short!)];
  } catch {
    // A full disk: each by itself.
    return files.map(({ name, length }) => own(name, length));
  }
}

function together(directory: string, files: readonly { readonly name: string; readonly length: number }[]): Kept[] {
  const path = join(directory, `.kept.${process.pid}`);
  const fd = openSync(path, 'wx+', 0o600);
  try {
    rmSync(path);
    let end = 0;
    return files.map(({ name, length }) => {
      const at = end;
      writeSync(fd, readFileSync(join(directory, name)), 0, length, at);
      end += length;
      return { name, length, at, fd };
    });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function rebuild(daemon: Daemon): void {
  prepareHome(daemon.home);
  for (const app of daemon.apps.values()) {
    createApp(daemon.home, { spec: app.spec, state: app.stored() });
    for (const instance of app.all) {
      const { program, launcher } = instance;
      if (program === null || launcher === null || !('run' in instance.model.state)) continue;
      const directory = instance.runDirectory();
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const record = `run.${program.pid}.${program.startTicks}.${launcher.pid}.${launcher.startTicks}`;
      for (const name of ['claim', record]) closeSync(openSync(join(directory, name), 'a', 0o600));
    }
  }
}

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
  statSync,
  watch,
  writeFileSync,
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

export function watchHome(daemon: Daemon, exit: () => void): void {
  const { ino } = statSync(daemon.home);
  const library = keepOpen(dirname(daemon.launcherScript));
  let timer: NodeJS.Timeout | null = null;
  const look = () => {
    timer = null;
    if (statSync(daemon.home, { throwIfNoEntry: false })?.ino === ino) {
      if (!existsSync(join(daemon.home, 'lock'))) timer = setTimeout(look, lookAgainMs);
      return;
    }
    daemon.log('the home was removed; making it again');
    try {
      rebuild(daemon);
      library.restore();
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

/** A removed file can be read for as long as it is open: so the daemon's own code outlives its directory. */
function keepOpen(directory: string): { restore(): void } {
  const files = readdirSync(directory).map((name) => ({ name, fd: openSync(join(directory, name), 'r') }));
  return {
    restore() {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      for (const { name, fd } of files) writeFileSync(join(directory, name), readFileSync(fd), { mode: 0o600 });
    },
  };
}

function rebuild(daemon: Daemon): void {
  prepareHome(daemon.home);
  for (const app of daemon.apps.values()) {
    createApp(daemon.home, { spec: app.spec, state: app.stored() });
    for (const instance of app.instances) {
      const { program, launcher } = instance;
      if (program === null || launcher === null || !('run' in instance.model.state)) continue;
      const directory = instance.runDirectory();
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const record = `run.${program.pid}.${program.startTicks}.${launcher.pid}.${launcher.startTicks}`;
      for (const name of ['claim', record]) closeSync(openSync(join(directory, name), 'a', 0o600));
    }
  }
}

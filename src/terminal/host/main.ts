/**
 * The pty host: one process for all terminals of a home. It holds their masters, moves their output into their logs, knows their screens, and serves who is attached. It outlives the
 * daemon, which starts it and orders what it does over `control.sock`; clients come over `host.sock`. Killed at any instant, it loses nothing: the next one goes on from what is in the
 * kernel and on the disk.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onArrivals } from '../../host/arrivals.ts';
import { clientSocketName } from '../places.ts';
import { ClientConnection } from './client-connection.ts';
import { ControlConnection } from './control-connection.ts';
import { listenIn, lockDirectory, prepareDirectory } from './listening.ts';
import type { MakeScreen } from './screen-type.ts';
import { Sessions } from './sessions.ts';

/** Without sessions and without a daemon. */
const idleMs = 60_000;

export interface HostOptions {
  readonly home: string;
  readonly makeScreen: MakeScreen;
  /** A fault that was borne. */
  log(line: string): void;
  /** It has nothing to do any more. */
  over(): void;
}

export interface RunningHost {
  /** As before an end that is asked for: what a next host would have to read again is saved. */
  close(): void;
}

/** Null if another host is there for this home. Throws the system's errors, and NativeMissing. */
export function startHost({ home, makeScreen, log, over }: HostOptions): RunningHost | null {
  const directory = prepareDirectory(home);
  if (lockDirectory(directory) === null) return null;
  const link: { daemon: ControlConnection | null } = { daemon: null };
  const sessions: Sessions = new Sessions({
    makeScreen,
    changed: (view) => link.daemon?.tell(view),
    failed: (error) => log(`fault: ${error instanceof Error ? error.stack : String(error)}`),
  });
  // Nobody comes any more where the home was removed.
  const isUnreachable = () =>
    !existsSync(join(directory, clientSocketName)) && sessions.views.every(({ clients }) => clients === 0);
  const isUseless = () => link.daemon === null && (sessions.count === 0 || isUnreachable());
  const idle = setTimeout(() => (isUseless() ? over() : idle.refresh()), idleMs);
  const listening = listenIn(directory, {
    client: (socket) => new ClientConnection(socket, (key) => sessions.find(key)),
    control(fd) {
      link.daemon?.close();
      const daemon = new ControlConnection(fd, sessions, {
        closed() {
          if (link.daemon === daemon) link.daemon = null;
          idle.refresh();
        },
        quit: over,
      });
      link.daemon = daemon;
    },
  });
  onArrivals(() => sessions.flush());
  return {
    close() {
      clearTimeout(idle);
      listening.close();
      sessions.save();
    },
  };
}

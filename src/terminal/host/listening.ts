/** The host's two sockets in `<home>/terminals/`, and that it is the only one there. */
import { closeSync, constants, lstatSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { watchReadable } from '../../host/arrivals.ts';
import { isOutOfFds } from '../../host/fds.ts';
import { errnoOf } from '../../host/files.ts';
import { lockFile } from '../../host/native.ts';
import { accept, listen, peerOf, socket } from '../../host/socket-calls.ts';
import { bindAtPath, removeSocket } from '../../host/unix-socket.ts';
import { clientSocketName, controlSocketName, terminalsDirectory } from '../places.ts';

const backlog = 128;

/** A directory of our own that nobody else can enter. Throws the system's errors, EPERM where it is another's. */
export function prepareDirectory(home: string): string {
  const directory = terminalsDirectory(home);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== process.geteuid?.() || (stat.mode & 0o077) !== 0)
    throw Object.assign(new Error(`"${directory}" is no private directory of ours`), { code: 'EPERM' });
  return directory;
}

/** The lock, held as long as this process lives; null if another host has it. So what lies in the sockets' places is of a host that is gone. */
export function lockDirectory(directory: string): number | null {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(join(directory, 'lock'), flags, 0o600);
  if (lockFile(fd)) return fd;
  closeSync(fd);
  return null;
}

export interface Connections {
  client(socket: Socket): void;
  /** A descriptor that does not block; the callee's. */
  control(fd: number): void;
}

export interface Listening {
  close(): void;
}

export function listenIn(directory: string, { client, control }: Connections): Listening {
  const paths = [clientSocketName, controlSocketName].map((name) => join(directory, name)) as [string, string];
  const [clients, daemons] = paths.map(listenAt) as [number, number];
  const server = serveClients(clients, client);
  const watch = watchReadable(daemons, () => acceptAll(daemons, control));
  return {
    close() {
      server.close();
      watch.close();
      closeSync(daemons);
      for (const path of paths) rmSync(path, { force: true });
    },
  };
}

function listenAt(path: string): number {
  const fd = socket('unix', 'stream', { nonblock: true });
  removeSocket(path);
  bindAtPath(fd, path, { mode: 0o600 });
  listen(fd, backlog);
  return fd;
}

function serveClients(fd: number, client: (socket: Socket) => void): Server {
  const server = createServer({ allowHalfOpen: true }, client);
  server.on('error', () => {});
  return server.listen({ fd });
}

/** Only of this user, or root. */
function acceptAll(fd: number, control: (fd: number) => void): void {
  for (let connection = acceptOne(fd); connection !== null; connection = acceptOne(fd)) {
    const { uid } = peerOf(connection);
    if (uid === 0 || uid === process.geteuid?.()) control(connection);
    else closeSync(connection);
  }
}

/** Null as well where no descriptor is left: it waits until the next signal. */
function acceptOne(fd: number): number | null {
  try {
    return accept(fd);
  } catch (error) {
    if (isOutOfFds(error)) return null;
    throw error;
  }
}

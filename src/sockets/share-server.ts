/**
 * The Unix socket over which programs give the daemon their listening sockets, and ask it for those of others (`share.cjs` is the other end). JSON lines, each
 * answered by one:
 *
 *   {"v":1,"do":"give","key":K,"address":A,"pid":P} and one fd   →  {"ok":true} or {"ok":false}
 *   {"v":1,"do":"ask","key":K,"backlog":N,"pid":P}               →  {"ok":true} and one fd, or {"ok":false,"reason":R}, with "isFinal":true where it is no use
 *                                                                   to ask again
 *
 * Whoever can connect is a program of somebody who may run programs here, no more: what it says is bounded, looked at, and believed in nothing but that a
 * descriptor is what the kernel says it is. A line takes the first descriptor that came and is not taken; those that no line took are closed.
 *
 * Not by Node's net: it can't receive a descriptor outside of its IPC. SIGIO tells of connections and of what comes over them.
 */
import { closeSync, rmSync } from 'node:fs';
import { watchReadable } from '../host/arrivals.ts';
import { accept, listen, socket } from '../host/socket-calls.ts';
import { bindAtPath, removeSocket } from '../host/unix-socket.ts';
import { ShareConnection } from './share-connection.ts';

/** More wait in the kernel's queue. */
const mostConnections = 64;
const backlog = 128;
const acceptAgainMs = 1000;

/** Who connected, by the kernel's word; pid 0 if this process can't see it. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
}

/** Why there is no socket to be had; `isFinal`: nor will there be in a moment. */
export interface Refusal {
  readonly reason: string;
  readonly isFinal: boolean;
}

export interface ShareHandlers {
  /** A socket that is what its key names, and listens. True: it is the handler's from now on; false: it is closed. */
  give(key: string, fd: number, from: Peer): boolean;
  /** A descriptor, which stays the handler's; or why there is none. */
  ask(
    key: string,
    options: { readonly backlog: number | null; readonly from: Peer },
  ): number | Refusal | Promise<number | Refusal>;
  /** A `give` was answered. */
  gave?(key: string): void;
  /** A handler threw. */
  failed?(error: unknown): void;
}

export interface ShareServer {
  readonly path: string;
  /** Ends all connections, and removes the path. */
  close(): void;
}

export interface ShareServerOptions {
  /** Of the socket's file, whose mode is 0600: the user of the programs, if that is not ours. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Listens at an absolute path of any length, in a directory where nobody else can write; a socket that lies there is replaced. Throws the system's errors, and
 * NativeMissing.
 */
export function openShareServer(
  path: string,
  handlers: ShareHandlers,
  { owner }: ShareServerOptions = {},
): ShareServer {
  const fd = socket('unix', 'stream', { nonblock: true });
  try {
    removeSocket(path);
    bindAtPath(fd, path, { mode: 0o600, owner });
    listen(fd, backlog);
    return serve(fd, path, handlers);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function serve(fd: number, path: string, handlers: ShareHandlers): ShareServer {
  const connections = new Set<ShareConnection>();
  let isOpen = true;
  const acceptAll = () => {
    while (isOpen && connections.size < mostConnections) {
      const accepted = acceptOne(fd, acceptAll);
      if (accepted === null) return;
      const connection = new ShareConnection(accepted, handlers, () => {
        connections.delete(connection);
        // One of those that wait may come in.
        if (connections.size === mostConnections - 1) setImmediate(acceptAll);
      });
      connections.add(connection);
      connection.start();
    }
  };
  const watch = watchReadable(fd, acceptAll);
  return {
    path,
    close() {
      if (!isOpen) return;
      isOpen = false;
      watch.close();
      for (const connection of connections) connection.close();
      closeSync(fd);
      rmSync(path, { force: true });
    },
  };
}

/** `again` is called after a while where there is no descriptor left. */
function acceptOne(fd: number, again: () => void): number | null {
  try {
    return accept(fd);
  } catch {
    setTimeout(again, acceptAgainMs).unref();
    return null;
  }
}

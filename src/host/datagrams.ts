/**
 * Datagram sockets at a path, as sd_notify(3) writes to. SIGIO tells of arrivals (`arrivals.ts`), and every open one is drained: the queues are read until they
 * are empty.
 *
 * A socket outlives this process if another one holds a duplicate (a launcher does): senders find it, messages queue (10 by default, net.unix.max_dgram_qlen;
 * then a sender blocks), and the next daemon takes the same socket back out of that process.
 */
import { closeSync, fstatSync } from 'node:fs';
import { onArrivals } from './arrivals.ts';
import { type Accompanying, controlBytes, messageFlags, readControl, recvmsg } from './fd-passing.ts';
import { errnoOf } from './files.ts';
import { pidfdGetfd, pidfdOpen } from './native.ts';
import { passCredentials, setNonblock, signalArrivals, socket } from './socket-calls.ts';
import { bindAtPath, removeSocket } from './unix-socket.ts';

/** A longer message is dropped; systemd takes 4 KiB. */
export const longestDatagram = 65_536;
/** Messages read from one socket before others, and all else, get their turn: one that floods must not hold up the event loop. */
const turnMessages = 64;

/** `fds` are what the sender passed, close-on-exec. The receiver closes them. */
export interface Datagram extends Accompanying {
  readonly text: Buffer;
}

export interface DatagramSocket {
  readonly fd: number;
  /** Closes this process's descriptor; no message is delivered from then on. The file stays, as another process may hold the socket. */
  close(): void;
}

export type OnDatagram = (message: Datagram) => void;

export interface DatagramSocketOptions {
  /** Who may write to it. 0600 if not said. */
  readonly mode?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Binds a datagram socket at a path of any length, in a directory where nobody else can write. A socket that lies there from before is replaced. Throws the
 * system's errors, and NativeMissing.
 */
export function openDatagramSocket(
  path: string,
  { mode = 0o600, owner }: DatagramSocketOptions,
  onMessage: OnDatagram,
): DatagramSocket {
  return receiving(socket('unix', 'datagram', { nonblock: true }), onMessage, (fd) => {
    passCredentials(fd);
    removeSocket(path);
    bindAtPath(fd, path, { mode, owner });
  });
}

/**
 * Takes a socket that `openDatagramSocket` made out of a process that holds a duplicate as its `fd`; what is queued in it is delivered. Who the pid belongs to
 * is for the caller to know. Throws the system's errors (EPERM without the right to trace it, ESRCH, EBADF), and NativeMissing.
 */
export function takeDatagramSocket(pid: number, fd: number, onMessage: OnDatagram): DatagramSocket {
  const pidfd = pidfdOpen(pid);
  try {
    return receiving(pidfdGetfd(pidfd, fd), onMessage, (taken) => {
      if (!fstatSync(taken).isSocket()) throw new Error(`fd ${fd} of process ${pid} is no socket`);
    });
  } finally {
    closeSync(pidfd);
  }
}

function receiving(fd: number, onMessage: OnDatagram, prepare: (fd: number) => void): DatagramSocket {
  try {
    prepare(fd);
    shared.receiver ??= new Receiver();
    return shared.receiver.add(fd, onMessage);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** All open sockets of this process, and their one signal. */
class Receiver {
  readonly #sockets = new Map<number, OnDatagram>();
  readonly #data = Buffer.alloc(longestDatagram);
  readonly #control = Buffer.alloc(controlBytes);
  #isDue = false;

  constructor() {
    onArrivals(() => this.#drainAll());
  }

  add(fd: number, onMessage: OnDatagram): DatagramSocket {
    setNonblock(fd, true);
    signalArrivals(fd, true);
    this.#sockets.set(fd, onMessage);
    // What came before there was a signal; once the caller has the socket in hand.
    this.#drainSoon();
    return {
      fd,
      close: () => {
        // Once: the number may be another file's by then.
        if (this.#sockets.get(fd) !== onMessage) return;
        this.#sockets.delete(fd);
        closeSync(fd);
      },
    };
  }

  #drainSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#drainAll();
    });
  }

  #drainAll(): void {
    for (const [fd, onMessage] of [...this.#sockets]) this.#drain(fd, onMessage);
  }

  #drain(fd: number, onMessage: OnDatagram): void {
    for (let count = 0; count < turnMessages; count++) {
      // Its receiver may have closed it.
      if (this.#sockets.get(fd) !== onMessage) return;
      const message = this.#receive(fd);
      if (message === 'none') return;
      if (message !== 'dropped') deliver(message, onMessage);
    }
    this.#drainSoon();
  }

  #receive(fd: number): Datagram | 'none' | 'dropped' {
    try {
      const received = recvmsg(fd, this.#data, this.#control);
      if (received === null) return 'none';
      const sender = readControl(this.#control.subarray(0, received.controlBytes));
      if ((received.flags & messageFlags.truncated) === 0)
        return { text: Buffer.from(this.#data.subarray(0, received.bytes)), ...sender };
      for (const passed of sender.fds) closeSync(passed);
      return 'dropped';
    } catch (error) {
      if (errnoOf(error) === '') throw error;
      // Out of memory, or interrupted: the next message, or the next turn, tries again.
      return 'none';
    }
  }
}

/** Made with the first socket. */
const shared: { receiver?: Receiver } = {};

/** One receiver's fault must not keep the others from their messages: it is thrown afterwards. */
function deliver(message: Datagram, onMessage: OnDatagram): void {
  try {
    onMessage(message);
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}

/**
 * Datagram sockets at a path, as sd_notify(3) writes to. The kernel tells of arrivals by SIGIO, which names no socket: so every open one is drained. A signal
 * comes after its message is queued, and the queues are read until they are empty, so none is missed; nothing polls, and no thread waits.
 *
 * A socket outlives this process if another one holds a duplicate (a launcher does): senders find it, messages queue (10 by default, net.unix.max_dgram_qlen;
 * then a sender blocks), and the next daemon takes the same socket back out of that process.
 *
 * The handler of SIGIO stays once it is there: a signal under way when the last socket closes would kill this process, and a closed socket that
 * another process holds goes on signalling.
 */
import { chmodSync, closeSync, fchmodSync, fstatSync, lchownSync, lstatSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errnoOf } from './files.ts';
import { socketAddress } from './home.ts';
import {
  bind,
  messageFlags,
  passCredentials,
  pidfdGetfd,
  pidfdOpen,
  recvmsg,
  signalArrivals,
  socket,
  solSocket,
} from './native.ts';

/** A longer message is dropped; systemd takes 4 KiB. */
export const longestDatagram = 65_536;
/** Messages read from one socket before others, and all else, get their turn: one that floods must not hold up the event loop. */
const turnMessages = 64;
/** Room for what the kernel may send with a message: credentials (32 bytes), and the 253 fds that SCM_RIGHTS takes at most (1032 bytes). */
const controlBytes = 2048;

const controlTypes = { rights: 1, credentials: 2 } as const;

export interface Datagram {
  readonly text: Buffer;
  /** The sender's, by the kernel: 0 if it is in no pid namespace that this process can see. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** What the sender passed, close-on-exec. The receiver closes them. */
  readonly fds: readonly number[];
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
  return receiving(socket(), onMessage, (fd) => {
    passCredentials(fd);
    // bind gives its file the mode of the descriptor, less the umask: at no time it is wider than asked for.
    fchmodSync(fd, mode);
    removeSocket(path);
    const address = socketAddress(dirname(path), basename(path));
    try {
      bind(fd, address.path);
    } finally {
      address.close();
    }
    if (owner) lchownSync(path, owner.uid, owner.gid);
    if ((lstatSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
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

function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path, { force: true });
}

/** All open sockets of this process, and their one signal. */
class Receiver {
  readonly #sockets = new Map<number, OnDatagram>();
  readonly #data = Buffer.alloc(longestDatagram);
  readonly #control = Buffer.alloc(controlBytes);
  #isDue = false;

  constructor() {
    process.on('SIGIO', () => this.#drainAll());
  }

  add(fd: number, onMessage: OnDatagram): DatagramSocket {
    signalArrivals(fd);
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

/** Control messages, cmsg(3): a header of 16 bytes (length, level, type), the data, and a gap up to a multiple of 8. */
function readControl(control: Buffer): Omit<Datagram, 'text'> {
  const sender = { pid: 0, uid: 65_534, gid: 65_534, fds: [] as number[] };
  for (let at = 0; at + 16 <= control.length; ) {
    const length = control.readUInt32LE(at);
    if (length < 16) break;
    const data = control.subarray(at + 16, at + length);
    if (control.readInt32LE(at + 8) === solSocket) readSocketControl(sender, control.readInt32LE(at + 12), data);
    at += (length + 7) & ~7;
  }
  return sender;
}

function readSocketControl(
  sender: { pid: number; uid: number; gid: number; fds: number[] },
  type: number,
  data: Buffer,
): void {
  if (type === controlTypes.credentials && data.length >= 12) {
    sender.pid = data.readInt32LE(0);
    sender.uid = data.readUInt32LE(4);
    sender.gid = data.readUInt32LE(8);
  }
  if (type !== controlTypes.rights) return;
  for (let at = 0; at + 4 <= data.length; at += 4) sender.fds.push(data.readInt32LE(at));
}

/**
 * What Node does not let do with a socket by its descriptor: system calls, one typed function each, as in `native.ts`. None blocks. All throw the system's
 * errors, shaped like Node's, and NativeMissing.
 */
import { constants } from 'node:os';
import { checked, native, systemError } from './native.ts';
import {
  addressBytes,
  decodeAddress,
  encodeAddress,
  type Family,
  families,
  type SocketAddress,
} from './socket-address.ts';

export type SocketType = 'stream' | 'datagram';

const types = { stream: 1, datagram: 2 } as const;
const socketFlags = { cloexec: 0o2000000, nonblock: 0o4000, async: 0o20000 } as const;
const levels = { socket: 1, ip6: 41 } as const;
const options = {
  reuseAddress: 2,
  reusePort: 15,
  steering: 51,
  type: 3,
  passCredentials: 16,
  peerCredentials: 17,
  accepts: 30,
  only6: 26,
} as const;
const fcntls = { getFlags: 3, setFlags: 4, setOwner: 8, duplicate: 1030 } as const;
const polls = { input: 0x1, ended: 0x2000 } as const;
const pollBytes = 8;
/** BPF_RET | BPF_K. */
const bpfReturn = 0x06;
const shutReading = 0;

/** A new socket; close-on-exec. */
export function socket(family: Family, type: SocketType, { nonblock }: { readonly nonblock: boolean }): number {
  const flags = types[type] | socketFlags.cloexec | (nonblock ? socketFlags.nonblock : 0);
  return checked('socket', native().libc.socket(families[family], flags, 0));
}

/** A path has at most 107 bytes (see `socketAddress` in home.ts). */
export function bind(fd: number, address: SocketAddress): void {
  const bytes = encodeAddress(address);
  checked('bind', native().libc.bind(fd, bytes, bytes.length), pathOf(address));
}

export function listen(fd: number, backlog: number): void {
  checked('listen', native().libc.listen(fd, backlog));
}

/** Of a non-blocking socket. */
export function connect(fd: number, address: SocketAddress): void {
  const bytes = encodeAddress(address);
  checked('connect', native().libc.connect(fd, bytes, bytes.length), pathOf(address));
}

/** The next connection, close-on-exec and non-blocking; null if none waits in a listening socket that is non-blocking, or that was shut down. */
export function accept(fd: number): number | null {
  const { libc, koffi } = native();
  const connection = Number(libc.accept4(fd, null, null, socketFlags.cloexec | socketFlags.nonblock));
  if (connection >= 0) return connection;
  const errno = koffi.errno();
  const { EAGAIN, EINVAL, ECONNABORTED, EINTR } = constants.errno;
  if ([EAGAIN, EINVAL, ECONNABORTED, EINTR].includes(errno)) return null;
  throw systemError('accept', errno);
}

/** No more is received: a listening socket listens no more, in whatever process it is open. */
export function shutdown(fd: number): void {
  checked('shutdown', native().libc.shutdown(fd, shutReading));
}

/** What it is bound to; null if that is neither IP nor Unix. */
export function getsockname(fd: number): SocketAddress | null {
  const bytes = Buffer.alloc(addressBytes);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(addressBytes);
  checked('getsockname', native().libc.getsockname(fd, bytes, length));
  return decodeAddress(bytes.subarray(0, length.readUInt32LE()));
}

/** Null for a type other than these. */
export function typeOf(fd: number): SocketType | null {
  const type = getOption(fd, options.type).readInt32LE();
  return type === types.stream ? 'stream' : type === types.datagram ? 'datagram' : null;
}

/** Whether connections are taken: it listens. A Unix socket still has the option when it was shut down, and tells of that by poll(2). */
export const isListening = (fd: number): boolean => getOption(fd, options.accepts).readInt32LE() !== 0 && !isEnded(fd);

/** Whether an IPv6 socket takes no IPv4. */
export const isOnly6 = (fd: number): boolean => getOption(fd, options.only6, levels.ip6).readInt32LE() !== 0;

/** Who connected to a Unix socket, by the kernel's word; pid 0 if it is in no pid namespace that this process can see. */
export function peerOf(fd: number): { readonly pid: number; readonly uid: number; readonly gid: number } {
  const bytes = getOption(fd, options.peerCredentials);
  return { pid: bytes.readInt32LE(0), uid: bytes.readUInt32LE(4), gid: bytes.readUInt32LE(8) };
}

/** An address whose last connections are still on their way out can be bound again. */
export const reuseAddress = (fd: number): void => setOption(fd, options.reuseAddress, 1);

/** Another socket of this user that has the option as well can be bound to the same address; what comes is divided among them. Linux takes it of one that listens, too. */
export const reusePort = (fd: number): void => setOption(fd, options.reusePort, 1);

/**
 * Has all connections from now on go to one of the sockets that share an address, by its place in the order in which they began to listen: a classic BPF program of one
 * instruction (socket(7), SO_ATTACH_REUSEPORT_CBPF), `return place`. When there is no such place, they are divided again.
 */
export function steerTo(fd: number, place: number): void {
  const { koffi, libc } = native();
  // struct sock_filter {u16 code; u8 jt, jf; u32 k}, and struct sock_fprog {u16 len; struct sock_filter *} after it.
  const bytes = Buffer.alloc(24);
  bytes.writeUInt16LE(bpfReturn, 0);
  bytes.writeUInt32LE(place, 4);
  bytes.writeUInt16LE(1, 8);
  bytes.writeBigUInt64LE(koffi.address(bytes), 16);
  checked('setsockopt', libc.setsockopt(fd, levels.socket, options.steering, bytes.subarray(8), 16));
}

/** Whether a socket at `::` leaves IPv4 to others. */
export const setOnly6 = (fd: number, only6: boolean): void => setOption(fd, options.only6, only6 ? 1 : 0, levels.ip6);

/** Has every message from now on bring the sender's pid, uid and gid, filled in by the kernel. */
export const passCredentials = (fd: number): void => setOption(fd, options.passCredentials, 1);

/** Another descriptor of the same open file; close-on-exec. */
export function duplicate(fd: number): number {
  return checked('fcntl', native().libc.fcntl(fd, fcntls.duplicate, 3));
}

/** Of the open file, so for all processes that have it. */
export function setNonblock(fd: number, nonblock: boolean): void {
  changeFlags(fd, socketFlags.nonblock, nonblock);
}

/**
 * Has the kernel send SIGIO to this process whenever something arrives (or no more). There must be a handler: by default SIGIO kills. Of the open file, so it
 * goes on when this process closes its descriptor and another has one.
 */
export function signalArrivals(fd: number, on: boolean): void {
  if (on) checked('fcntl', native().libc.fcntl(fd, fcntls.setOwner, process.pid));
  changeFlags(fd, socketFlags.async, on);
}

/** Which of some descriptors have something to read, or an end or an error to tell, now. */
export function readable(fds: readonly number[]): number[] {
  const bytes = polled(fds, polls.input);
  return bytes === null ? [] : fds.filter((_, at) => bytes.readInt16LE(at * pollBytes + 6) !== 0);
}

/** Whether a stream will bring nothing more: it was shut down, here or by the other side. */
const isEnded = (fd: number): boolean => polled([fd], polls.ended) !== null;

/** struct pollfd of each; null if there is nothing to tell of any. */
function polled(fds: readonly number[], events: number): Buffer | null {
  const bytes = Buffer.alloc(pollBytes * fds.length);
  for (const [at, fd] of fds.entries()) {
    bytes.writeInt32LE(fd, at * pollBytes);
    bytes.writeInt16LE(events, at * pollBytes + 4);
  }
  const { libc, koffi } = native();
  for (;;) {
    const ready = libc.poll(bytes, fds.length, 0);
    // A signal that comes meanwhile ends even a call that would not wait, if it has nothing to tell.
    if (Number(ready) < 0 && koffi.errno() === constants.errno.EINTR) continue;
    return checked('poll', ready) === 0 ? null : bytes;
  }
}

function changeFlags(fd: number, flag: number, on: boolean): void {
  const { libc } = native();
  const flags = checked('fcntl', libc.fcntl(fd, fcntls.getFlags, 0));
  checked('fcntl', libc.fcntl(fd, fcntls.setFlags, on ? flags | flag : flags & ~flag));
}

function setOption(fd: number, option: number, value: number, level: number = levels.socket): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  checked('setsockopt', native().libc.setsockopt(fd, level, option, bytes, bytes.length));
}

function getOption(fd: number, option: number, level: number = levels.socket): Buffer {
  const bytes = Buffer.alloc(12);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  checked('getsockopt', native().libc.getsockopt(fd, level, option, bytes, length));
  return bytes;
}

const pathOf = (address: SocketAddress): string | undefined => (address.family === 'unix' ? address.path : undefined);

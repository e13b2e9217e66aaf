/** Messages with descriptors: sendmsg(2) and recvmsg(2), their control messages as cmsg(3) and unix(7) have them. Nothing blocks. */
import { constants } from 'node:os';
import { checked, native, systemError } from './native.ts';

/** Room for what the kernel may send with a message: credentials (32 bytes), and the 253 fds that SCM_RIGHTS takes at most (1032 bytes). */
export const controlBytes = 2048;
/** The message was longer than the buffer; the control data was. */
export const messageFlags = { truncated: 0x20, controlTruncated: 0x8 } as const;

const solSocket = 1;
const controlTypes = { rights: 1, credentials: 2 } as const;
const callFlags = { dontWait: 0x40, noSignal: 0x4000, cloexecFds: 0x40000000 } as const;
/** struct msghdr, and after it the one struct iovec. */
const headerBytes = 56 + 16;

export interface Received {
  readonly bytes: number;
  readonly controlBytes: number;
  /** `messageFlags`. */
  readonly flags: number;
}

/** What came with a message. */
export interface Accompanying {
  /** The sender's, by the kernel: 0 if it is in no pid namespace that this process can see. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Close-on-exec. The receiver closes them. */
  readonly fds: readonly number[];
}

/** One message, or what there is of a stream, into `data`, its control messages into `control`; received fds are close-on-exec. Null when there is none. */
export function recvmsg(fd: number, data: Buffer, control: Buffer): Received | null {
  const { libc, koffi } = native();
  const header = Buffer.alloc(headerBytes);
  writeHeader(header, koffi.address(header), {
    data: [koffi.address(data), data.length],
    control: [koffi.address(control), control.length],
  });
  const bytes = Number(libc.recvmsg(fd, header, callFlags.dontWait | callFlags.cloexecFds));
  if (bytes >= 0) return { bytes, controlBytes: header.readUInt32LE(40), flags: header.readUInt32LE(48) };
  const errno = koffi.errno();
  if (errno === constants.errno.EAGAIN) return null;
  throw systemError('recvmsg', errno);
}

/** Bytes and descriptors over a Unix socket; how many bytes were taken. Throws EAGAIN, EPIPE … */
export function sendmsg(fd: number, data: Buffer, fds: readonly number[] = []): number {
  const { libc, koffi } = native();
  const control = encodeRights(fds);
  // In one piece, so that nothing the kernel is pointed at can be collected meanwhile.
  const whole = Buffer.concat([Buffer.alloc(headerBytes), control, data]);
  const at = koffi.address(whole);
  const controlAt = at + BigInt(headerBytes);
  writeHeader(whole, at, {
    data: [controlAt + BigInt(control.length), data.length],
    control: control.length === 0 ? [0n, 0] : [controlAt, control.length],
  });
  return checked('sendmsg', libc.sendmsg(fd, whole, callFlags.dontWait | callFlags.noSignal));
}

type Part = readonly [address: bigint, length: number];

function writeHeader(header: Buffer, at: bigint, { data, control }: { data: Part; control: Part }): void {
  header.writeBigUInt64LE(at + 56n, 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(control[0], 32);
  header.writeBigUInt64LE(BigInt(control[1]), 40);
  header.writeBigUInt64LE(data[0], 56);
  header.writeBigUInt64LE(BigInt(data[1]), 64);
}

function encodeRights(fds: readonly number[]): Buffer {
  if (fds.length === 0) return Buffer.alloc(0);
  const length = 16 + 4 * fds.length;
  const control = Buffer.alloc((length + 7) & ~7);
  control.writeUInt32LE(length, 0);
  control.writeInt32LE(solSocket, 8);
  control.writeInt32LE(controlTypes.rights, 12);
  for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, 16 + 4 * index);
  return control;
}

/** Control messages: a header of 16 bytes (length, level, type), the data, and a gap up to a multiple of 8. */
export function readControl(control: Buffer): Accompanying {
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

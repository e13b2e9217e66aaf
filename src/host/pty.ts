/** Pseudoterminals, and the move of bytes between descriptors inside the kernel. No call blocks. All throw the system's errors, and NativeMissing. */
import { closeSync, fchmodSync, fchownSync, constants as files, openSync } from 'node:fs';
import { constants } from 'node:os';
import { errnoOf } from './files.ts';
import { checked, native, systemError } from './native.ts';

/** Columns and rows of characters. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export interface PtyOptions extends TerminalSize {
  /** Of the slave's file: the user of the program, if that is not ours. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** The machine gives no more pseudoterminals. The message is a clause for people. */
export class NoPtyLeft extends Error {
  constructor(cause: unknown) {
    super('no pseudoterminal is left on this machine (as root: sysctl kernel.pty.max=16384)', { cause });
    this.name = 'NoPtyLeft';
  }
}

/** _IOW('T', 0x31, int), _IO('T', 0x41), and those of winsize: the same on x64 and arm64. */
const requests = { setLock: 0x40045431, getPeer: 0x5441, getSize: 0x5413, setSize: 0x5414 } as const;
/** SPLICE_F_MOVE | SPLICE_F_NONBLOCK */
const spliceFlags = 0x3;
/** struct winsize { unsigned short rows, cols, xpixel, ypixel; } */
const sizeBytes = 8;
const closeOnExec = 0o2000000;
/** Owner reads and writes, the group (`tty`, as devpts is mounted) may write messages. */
const slaveMode = 0o620;

/** Both ends of a new pseudoterminal, close-on-exec; neither becomes this process's terminal. Throws NoPtyLeft. */
export function openPty({ cols, rows, owner }: PtyOptions): { readonly master: number; readonly slave: number } {
  const master = openMaster();
  try {
    checked('ioctl', native().libc.ioctl(master, requests.setLock, Buffer.alloc(4)), '/dev/ptmx');
    const slave = openSlave(master);
    try {
      setSize(slave, { cols, rows });
      // Its group stays what devpts gives.
      if (owner) fchownSync(slave, owner.uid, -1);
      fchmodSync(slave, slaveMode);
      return { master, slave };
    } catch (error) {
      closeSync(slave);
      throw error;
    }
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Of the terminal that either end belongs to. SIGWINCH goes to its foreground processes if that is a change. */
export function setSize(fd: number, { cols, rows }: TerminalSize): void {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUInt16LE(rows, 0);
  bytes.writeUInt16LE(cols, 2);
  checked('ioctl', native().libc.ioctl(fd, requests.setSize, bytes));
}

export function getSize(fd: number): TerminalSize {
  const bytes = Buffer.alloc(sizeBytes);
  checked('ioctl', native().libc.ioctl(fd, requests.getSize, bytes));
  return { rows: bytes.readUInt16LE(0), cols: bytes.readUInt16LE(2) };
}

/**
 * Moves up to `length` bytes from one descriptor to another, of which one is a pipe. Gives how many; 0 at an end; null if there is nothing now, or no room. A
 * terminal that is read from must be non-blocking by itself. A file that is written to must not be opened for appending (EINVAL).
 */
export function splice(from: number, to: number, length: number): number | null {
  const { libc, koffi } = native();
  const moved = Number(libc.splice(from, null, to, null, length, spliceFlags));
  if (moved >= 0) return moved;
  const errno = koffi.errno();
  if (errno === constants.errno.EAGAIN || errno === constants.errno.EINTR) return null;
  throw systemError('splice', errno);
}

function openMaster(): number {
  try {
    return openSync('/dev/ptmx', files.O_RDWR | files.O_NOCTTY);
  } catch (error) {
    if (['ENOSPC', 'EAGAIN'].includes(errnoOf(error))) throw new NoPtyLeft(error);
    throw error;
  }
}

/** By the master, not by the path of /dev/pts: that may be another's in a container. */
function openSlave(master: number): number {
  const flags = files.O_RDWR | files.O_NOCTTY | closeOnExec;
  return checked('ioctl', native().libc.ioctl(master, requests.getPeer, flags));
}

/**
 * The system calls that Node lacks, one typed function each, through koffi. It is loaded at the first call: 4 ms and 4 MB that a process which needs none
 * of this does not pay. No call here may block: each runs on the event loop's thread.
 *
 * koffi is one shared object. Beside the daemon's copy in a home it lies as `koffi.node` (`src/client/install-native.ts` puts it there); else it is found as
 * the package that npm installed. Numbers and layouts are Linux's for 64 bit little endian, the same for x64 and arm64, glibc and musl.
 */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { encodeBytes } from './bytes.ts';

/** The file's name beside the daemon. */
export const nativeFile = 'koffi.node';
/** The package it is taken from. */
export const nativePackage = `@koromix/koffi-linux-${process.arch}`;

/** FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */
const punchHoleMode = 0x03;
/** FALLOC_FL_COLLAPSE_RANGE */
const collapseMode = 0x08;
const seekSet = 0;
const seekHere = 1;
const seekAtEnd = 2;
const seekData = 3;
const lockExclusive = 2;
const lockNow = 4;
/** The same on every architecture that koffi is installed for. */
const syscallNumbers = { pidfdOpen: 434, pidfdGetfd: 438 } as const;

/** koffi is not there, or does not load: what needs it can't be had on this machine. `reason` is a clause for people. */
export class NativeMissing extends Error {
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(`the system calls that Node lacks can't be reached: ${reason}`, { cause });
    this.name = 'NativeMissing';
    this.reason = reason;
  }
}

/** A descriptor for a process; close-on-exec. */
export function pidfdOpen(pid: number): number {
  return checked('pidfd_open', native().libc.syscall(syscallNumbers.pidfdOpen, pid, 0, 0));
}

/** A duplicate of another process's fd; close-on-exec. Needs the right to trace it, else EPERM. */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return checked('pidfd_getfd', native().libc.syscall(syscallNumbers.pidfdGetfd, pidfd, fd, 0));
}

export function mkfifo(path: string, mode: number): void {
  checked('mkfifo', native().libc.mkfifo(Buffer.concat([encodeBytes(path), Buffer.alloc(1)]), mode), path);
}

/** Frees the first `length` bytes of a file and leaves a hole in their place. The file stays as long as it is. Throws EOPNOTSUPP where there are no holes. */
export const punchHole = (fd: number, length: number): Promise<void> => fallocate(fd, punchHoleMode, length);

/** Takes the first `length` bytes, whole blocks and not all, out of a file: what follows moves to its head. Throws EOPNOTSUPP where that can't be. */
export const cutRange = (fd: number, length: number): Promise<void> => fallocate(fd, collapseMode, length);

/**
 * Copies bytes between two files within the kernel, where file systems share them without a copy if they can. Gives how many were copied; null where this
 * can't be done for these files.
 */
export function copyFileRange(
  from: { readonly fd: number; readonly offset: number },
  to: { readonly fd: number; readonly offset: number },
  length: number,
): Promise<number | null> {
  const { libc } = native();
  const [source, target] = [from.offset, to.offset].map((offset) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(offset));
    return bytes;
  }) as [Buffer, Buffer];
  return new Promise((resolve, reject) => {
    libc.copy_file_range.async(
      from.fd,
      source,
      to.fd,
      target,
      length,
      0,
      (error: Error | null, result: number | bigint) => {
        if (error) reject(error);
        else resolve(Number(result) < 0 ? null : Number(result));
      },
    );
  });
}

/** Off the event loop: the kernel may have to write what is dirty first. */
function fallocate(fd: number, mode: number, length: number): Promise<void> {
  const { libc } = native();
  return new Promise((resolve, reject) => {
    // errno is the thread's own; what can go wrong here is told by asking again on this one.
    libc.fallocate.async(fd, mode, 0, length, (error: Error | null, result: number | bigint) => {
      if (error) reject(error);
      else if (Number(result) === 0) resolve();
      else {
        try {
          checked('fallocate', libc.fallocate(fd, mode, 0, length));
          resolve();
        } catch (failure) {
          reject(failure as Error);
        }
      }
    });
  });
}

/** Where a file's first byte lies that is no hole; Infinity if it is one hole. */
export const firstData = (fd: number): number => nextData(fd, 0);

/** The same from an offset on. The open file's own offset is what it was. */
export function nextData(fd: number, from: number): number {
  const { libc } = native();
  const before = checked('lseek', libc.lseek(fd, 0, seekHere));
  try {
    return checked('lseek', libc.lseek(fd, from, seekData));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return Number.POSITIVE_INFINITY;
    throw error;
  } finally {
    libc.lseek(fd, before, seekSet);
  }
}

/** Puts an open file's offset to the file's end, and gives it. */
export function seekToEnd(fd: number): number {
  return checked('lseek', native().libc.lseek(fd, 0, seekAtEnd));
}

/** Takes a file's lock, which goes with the open file; false if another has it. */
export function lockFile(fd: number): boolean {
  if (Number(native().libc.flock(fd, lockExclusive | lockNow)) === 0) return true;
  const errno = native().koffi.errno();
  if (errno === constants.errno.EAGAIN) return false;
  throw systemError('flock', errno);
}

/** What a call gave; its error is thrown where that is negative. At once after the call, before errno is another's. */
export function checked(call: string, result: number | bigint, path?: string): number {
  const value = Number(result);
  if (value < 0) throw systemError(call, native().koffi.errno(), path);
  return value;
}

/** Shaped like those of Node's own calls. */
export function systemError(syscall: string, errno: number, path?: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  const error = new Error(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`);
  return Object.assign(error, { code, errno: -errno, syscall, ...(path === undefined ? {} : { path }) });
}

interface Call {
  (...args: readonly (number | Buffer | null)[]): number | bigint;
  /** In one of libuv's threads; the last argument is called with an error or the result. */
  async(...args: readonly (number | Buffer | ((error: Error | null, result: number | bigint) => void))[]): void;
}

/** What is used of koffi, whose platform packages have no types of their own. */
interface Koffi {
  readonly version: string;
  load(path: null): { func(name: string, result: string, args: readonly string[]): Call };
  address(buffer: Buffer): bigint;
  errno(): number;
}

export interface Native {
  readonly koffi: Koffi;
  readonly libc: Readonly<Record<keyof typeof signatures, Call>>;
}

const signatures = {
  socket: ['int', ['int', 'int', 'int']],
  bind: ['int', ['int', 'void *', 'uint']],
  listen: ['int', ['int', 'int']],
  connect: ['int', ['int', 'void *', 'uint']],
  accept4: ['int', ['int', 'void *', 'void *', 'int']],
  shutdown: ['int', ['int', 'int']],
  getsockname: ['int', ['int', 'void *', 'void *']],
  setsockopt: ['int', ['int', 'int', 'int', 'void *', 'uint']],
  getsockopt: ['int', ['int', 'int', 'int', 'void *', 'void *']],
  fcntl: ['int', ['int', 'int', 'long']],
  poll: ['int', ['void *', 'ulong', 'int']],
  tcgetattr: ['int', ['int', 'void *']],
  tcsetattr: ['int', ['int', 'int', 'void *']],
  cfmakeraw: ['void', ['void *']],
  recvmsg: ['long', ['int', 'void *', 'int']],
  sendmsg: ['long', ['int', 'void *', 'int']],
  mkfifo: ['int', ['void *', 'uint']],
  fallocate: ['int', ['int', 'int', 'int64', 'int64']],
  copy_file_range: ['int64', ['int', 'void *', 'int', 'void *', 'uint64', 'uint']],
  lseek: ['int64', ['int', 'int64', 'int']],
  flock: ['int', ['int', 'int']],
  waitid: ['int', ['int', 'int', 'void *', 'int']],
  waitpid: ['int', ['int', 'void *', 'int']],
  ioctl: ['int', ['int', 'ulong', 'void *']],
  splice: ['long', ['int', 'void *', 'int', 'void *', 'ulong', 'uint']],
  syscall: ['long', ['long', 'long', 'long', 'long']],
} as const;

const loaded: { native?: Native } = {};

/** For the calls of `socket-calls.ts`, too. */
export function native(): Native {
  loaded.native ??= link(loadKoffi(process.argv[1] ?? process.execPath));
  return loaded.native;
}

/** By the C library that this process has loaded already, whichever it is. */
function link(koffi: Koffi): Native {
  const self = koffi.load(null);
  const entries = Object.entries(signatures).map(([name, [result, args]]) => [name, self.func(name, result, args)]);
  return { koffi, libc: Object.fromEntries(entries) };
}

/** For the program at `entry`. One that has a `build.json` beside it runs from a home: no node_modules above that is any of its business. */
export function loadKoffi(entry: string): Koffi {
  // A command is often started by a link to it.
  const file = realpathSync(entry);
  const folder = dirname(file);
  const requireThere = createRequire(file);
  const beside = join(folder, nativeFile);
  const isInHome = existsSync(join(folder, 'build.json'));
  try {
    return requireThere(isInHome ? beside : nativePackage);
  } catch (error) {
    throw new NativeMissing(whyNot(isInHome ? beside : `the package ${nativePackage}`, error as Error), error);
  }
}

function whyNot(what: string, error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' ? `${what} is not installed` : `${what} does not load: ${error.message}`;
}

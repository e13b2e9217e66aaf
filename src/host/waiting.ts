/**
 * For which descriptors a thread of another process waits, by the system call in which it sleeps: proc(5) shows its number and arguments, and the memory that they point to.
 * Both are for who may trace the process: root, or the same user where no Yama restricts it.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

type Kind = 'poll' | 'select' | 'one';

/** poll, ppoll; select, pselect6; accept, accept4, recvfrom, recvmsg, recvmmsg: by their numbers, which each architecture has of its own. */
const calls: Readonly<Record<string, Readonly<Record<number, Kind>>>> = {
  x64: { 7: 'poll', 271: 'poll', 23: 'select', 270: 'select', 43: 'one', 288: 'one', 45: 'one', 47: 'one', 299: 'one' },
  arm64: { 73: 'poll', 72: 'select', 202: 'one', 242: 'one', 207: 'one', 212: 'one', 243: 'one' },
};

const pollfdBytes = 8;
const mostFds = 4096;

/** Null: it can't be known, or the thread is in a call that is none of these. Else what it waits to read from. */
export function waitsFor(pid: number, thread: number | string): readonly number[] | null {
  try {
    const [number, ...words] = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'latin1').trim().split(' ');
    const kind = calls[process.arch]?.[Number(number)];
    if (kind === undefined) return null;
    const [first, second] = words.map(BigInt) as [bigint, bigint];
    if (kind === 'one') return [Number(first & 0xffff_ffffn)];
    return kind === 'poll' ? polled(pid, first, Number(second)) : selected(pid, second, Number(first));
  } catch {
    return null;
  }
}

/** `struct pollfd { int fd; short events, revents; }` */
function polled(pid: number, address: bigint, count: number): number[] {
  const size = Math.min(count, mostFds);
  const bytes = memoryOf(pid, address, size * pollfdBytes);
  return Array.from({ length: size }, (_, at) => bytes.readInt32LE(at * pollfdBytes));
}

/** A bit for each descriptor below `count`; no set where none is to be read. */
function selected(pid: number, address: bigint, count: number): number[] {
  if (address === 0n) return [];
  const size = Math.min(count, mostFds);
  const bytes = memoryOf(pid, address, Math.ceil(size / 8));
  return Array.from({ length: size }, (_, fd) => fd).filter((fd) => (bytes[fd >> 3]! >> (fd & 7)) % 2 === 1);
}

function memoryOf(pid: number, address: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  if (size === 0) return bytes;
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  try {
    if (readSync(fd, bytes, 0, size, address) < size) throw new Error('not all of it can be read');
    return bytes;
  } finally {
    closeSync(fd);
  }
}

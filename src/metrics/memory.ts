/** Memory of a tree. RSS counts what processes share once each, and is one number of a file that is read anyway; PSS shares it out. */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import type { ProcTable } from './proc-table.ts';

/** The sum of the resident set sizes in bytes; what has ended meanwhile counts nothing. */
export function rssOf(table: ProcTable, pids: readonly number[], pageBytes: number = pageSize()): number {
  return pids.reduce((sum, pid) => sum + Math.max(0, table.get(pid)?.rssPages ?? 0) * pageBytes, 0);
}

/** The sum of the proportional set sizes in bytes; null if none could be read. Costs up to milliseconds for a large process. */
export function pssOf(pids: readonly number[]): number | null {
  const sizes = pids.map(readPss).filter((size) => size !== null);
  return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0);
}

function readPss(pid: number): number | null {
  try {
    const kilobytes = /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}

const auxPageSize = 6n;

/** The kernel's page size in bytes, from the auxiliary vector (getauxval(3), AT_PAGESZ): 4096 on x86, up to 65536 on ARM. */
export function pageSize(): number {
  try {
    const vector = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      if (readWord(vector, at) === auxPageSize) return Number(readWord(vector, at + 8));
    }
  } catch {
    // A hardened /proc: the common size.
  }
  return 4096;
}

const readWord = (bytes: Buffer, at: number) =>
  endianness() === 'LE' ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);

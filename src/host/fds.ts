import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { errnoOf } from './files.ts';
import { limitsOf } from './limits.ts';

const closeOnExec = 0o2000000;

/**
 * Closes what this process inherited beyond stdin, stdout and stderr, so that nothing it starts holds a caller's pipe or terminal open. Node opens its
 * own descriptors close-on-exec and marks inherited ones below 16 so; the others it leaves as they are, and passes them on.
 */
export function closeInheritedFds(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= 2 || !isInheritable(fd)) continue;
    try {
      closeSync(fd);
    } catch {
      // The directory's own descriptor is closed already.
    }
  }
}

/** Whether something failed as this process, or the machine, may have no more files open. */
export const isOutOfFds = (error: unknown): boolean => ['EMFILE', 'ENFILE'].includes(errnoOf(error));

/** Whether fewer than so many file descriptors are left at the upper end: the kernel gives the lowest first. */
export function isScarce(reserve: number): boolean {
  try {
    const lowest = openSync('/dev/null', 'r');
    closeSync(lowest);
    const limit = limitsOf('self').nofile?.[0];
    return limit === undefined || (limit !== null && lowest >= limit - reserve);
  } catch {
    return true;
  }
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false;
  }
}

/** Sockets out of a process that has them: for when nobody else has any more. */
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../../host/files.ts';
import { pidfdGetfd, pidfdOpen } from '../../host/native.ts';
import { isAlive, type ProcessId } from '../../host/process.ts';
import { getsockname, isListening, isOnly6, typeOf } from '../../host/socket-calls.ts';
import { isSocketOf } from '../../sockets/bind.ts';

/** Duplicates by key, as far as it has them; null where this process may not take any. */
export function takeSockets(from: ProcessId, keys: readonly string[]): Map<string, number> | null {
  const taken = new Map<string, number>();
  let pidfd: number | null = null;
  try {
    pidfd = pidfdOpen(from.pid);
    if (!isAlive(from)) return taken;
    for (const fd of socketFds(from.pid)) {
      const own = duplicateOf(pidfd, fd);
      if (own === null) continue;
      const key = keys.find((one) => !taken.has(one) && isSocketOf(one, own));
      if (key === undefined) closeSync(own);
      else taken.set(key, own);
    }
    return taken;
  } catch {
    for (const fd of taken.values()) closeSync(fd);
    return null;
  } finally {
    if (pidfd !== null) closeSync(pidfd);
  }
}

/** Duplicates of all TCP sockets on which a process listens, by their keys. Throws where this process may not take any. */
export function takeListening(from: ProcessId): Map<string, number> {
  const taken = new Map<string, number>();
  const pidfd = pidfdOpen(from.pid);
  try {
    if (!isAlive(from)) return taken;
    for (const fd of socketFds(from.pid)) {
      const own = duplicateOf(pidfd, fd);
      if (own === null) continue;
      const key = listeningKey(own);
      if (key === null || taken.has(key)) closeSync(own);
      else taken.set(key, own);
    }
    return taken;
  } catch (error) {
    for (const fd of taken.values()) closeSync(fd);
    throw error;
  } finally {
    closeSync(pidfd);
  }
}

/** Null for one that was closed meanwhile: connections of a busy server come and go. */
function duplicateOf(pidfd: number, fd: number): number | null {
  try {
    return pidfdGetfd(pidfd, fd);
  } catch (error) {
    if (errnoOf(error) === 'EBADF') return null;
    throw error;
  }
}

/** Null of what does not listen, or not by TCP. */
function listeningKey(fd: number): string | null {
  try {
    const bound = getsockname(fd);
    if (bound === null || bound.family === 'unix' || typeOf(fd) !== 'stream' || !isListening(fd)) return null;
    const { host, port, family } = bound;
    if (family === 'ip6' && host === '::') return `tcp:*:${port}${isOnly6(fd) ? ':6' : ''}`;
    return `tcp:${host}:${port}`;
  } catch {
    return null;
  }
}

const socketFds = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:') ? [Number(fd)] : [];
    } catch {
      return [];
    }
  });

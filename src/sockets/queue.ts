/** How many connections wait to be accepted in held sockets: the kernel counts them in the column rx_queue of listening sockets, proc(5). */
import { fstatSync } from 'node:fs';
import { listeningRows } from '../host/listening-rows.ts';

/** For each descriptor; null where the kernel does not say: Unix and UDP sockets, and those of other network namespaces. */
export function queueLengths(fds: readonly number[]): (number | null)[] {
  if (fds.length === 0) return [];
  const byInode = new Map<string, number>();
  for (const protocol of ['tcp', 'tcp6']) {
    for (const row of listeningRows(`/proc/self/net/${protocol}`)) {
      const [, received] = row[4]?.split(':') ?? [];
      if (row[9] !== undefined && received !== undefined) byInode.set(row[9], Number.parseInt(received, 16));
    }
  }
  return fds.map((fd) => byInode.get(inodeOf(fd)) ?? null);
}

function inodeOf(fd: number): string {
  try {
    return String(fstatSync(fd).ino);
  } catch {
    return '';
  }
}

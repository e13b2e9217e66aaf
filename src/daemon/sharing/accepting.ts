/**
 * Whether a program accepts from a socket that it was given, by what the kernel tells of it. On a held socket a connection proves nothing: the kernel completes it, and a
 * sibling may answer.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { processStat } from '../../host/process.ts';
import { waitsFor } from '../../host/waiting.ts';
import type { Instance } from '../instance.ts';

interface Held {
  readonly key: string;
  readonly fd: number;
}

/** Where a thread sleeps that waits for a connection, when no more than this can be known: in accept(2), or in what waits for who knows what. */
const waits =
  /^(?:io_cqring_wait|inet_csk_accept|inet_accept|unix_accept|__skb_wait_for_more_packets|do_(?:sys_)?poll|poll_schedule_timeout|do_select|do_sys_select)/;

/** A process of its tree has one of the sockets in an epoll set, or has it open and waits. */
export function isAccepting(instance: Instance, sockets: readonly Held[]): boolean {
  const inodes = new Set(sockets.map(({ fd }) => `socket:[${inodeOf(fd)}]`));
  const users = instance.tree.members().flatMap(({ pid }) => {
    const links = linksOf(pid);
    const own = links.filter(([, link]) => inodes.has(link)).map(([fd]) => fd);
    return own.length === 0 ? [] : [{ pid, links, own }];
  });
  // Who forks others that accept (gunicorn's arbiter) waits for them, also while they have yet to load what they serve.
  const parents = new Set(users.map(({ pid }) => processStat(pid)?.ppid));
  return users.some((user) => isPolled(user) || isWaiting(user, !parents.has(user.pid)));
}

interface User {
  readonly pid: number;
  readonly links: readonly (readonly [fd: string, link: string])[];
  /** Its descriptors of the sockets. */
  readonly own: readonly string[];
}

function isPolled({ pid, links, own }: User): boolean {
  const sets = links.filter(([, link]) => link === 'anon_inode:[eventpoll]').map(([fd]) => fd);
  return sets.some((set) => watched(pid, set).some((fd) => own.includes(fd)));
}

/** A thread waits for one of the sockets; `otherwise`, where it is not to be seen for what it waits. */
function isWaiting({ pid, own }: User, otherwise: boolean): boolean {
  return threadsOf(pid).some((thread) => {
    const fds = waitsFor(pid, thread);
    if (fds !== null) return fds.some((fd) => own.includes(String(fd)));
    return otherwise && waits.test(textOf(`/proc/${pid}/task/${thread}/wchan`));
  });
}

/**
 * Whether the server's end of a connection on this machine is in the tree of an instance; null while nobody has accepted it. Where the kernel does not let that be
 * seen (a program with capabilities of its own), true.
 */
export function hasAccepted(
  instance: Instance,
  { clientPort, serverPort }: { readonly clientPort: number; readonly serverPort: number },
): boolean | null {
  const inode = serverEnd(clientPort, serverPort);
  if (inode === null) return true;
  if (inode === '0') return null;
  const trees = instance.tree.members().map(({ pid }) => linksOf(pid));
  if (trees.every((links) => links.length === 0)) return true;
  return trees.some((links) => links.some(([, link]) => link === `socket:[${inode}]`));
}

/** The inode of the socket at `serverPort` whose peer is `clientPort`: 0 before it is accepted; null if there is none. */
function serverEnd(clientPort: number, serverPort: number): string | null {
  const portOf = (address = '') => Number.parseInt(address.split(':')[1] ?? '', 16);
  for (const list of ['tcp', 'tcp6']) {
    for (const line of textOf(`/proc/self/net/${list}`).split('\n')) {
      const [, local, remote, , , , , , , inode] = line.trim().split(/ +/);
      if (portOf(local) === serverPort && portOf(remote) === clientPort) return inode ?? null;
    }
  }
  return null;
}

/** The descriptors in an epoll set, as proc(5) has them in fdinfo. */
const watched = (pid: number, set: string): string[] =>
  [...textOf(`/proc/${pid}/fdinfo/${set}`).matchAll(/^tfd:\s+(\d+)/gm)].map((match) => match[1]!);

function linksOf(pid: number): [fd: string, link: string][] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd): [string, string][] => {
      try {
        return [[fd, readlinkSync(`/proc/${pid}/fd/${fd}`)]];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

export function inodeOf(fd: number): number {
  try {
    return statSync(`/proc/self/fd/${fd}`).ino;
  } catch {
    return 0;
  }
}

/** What processes listen on: the kernel's list of sockets, matched by inode with the links in /proc/PID/fd. */
import { readdirSync, readlinkSync } from 'node:fs';
import { escapeControls } from '../host/bytes.ts';
import { type Listening, readListening } from './net-table.ts';
import { processLine } from './process-line.ts';
import { appOfCookie, cookieOf } from './tree.ts';

export interface ListeningSocket {
  readonly protocol: Listening['protocol'];
  readonly address: string;
  /** The first of the given pids that holds it. */
  readonly pid: number;
}

/** A server opens what it listens on before its connections, and fds are given out from below: no need to look at 10,000 of them. */
const mostFds = 1024;

/** Listening sockets of processes, each address once, in the order of the pids. Processes that vanish or can't be read have none. */
export function socketsOf(pids: readonly number[]): ListeningSocket[] {
  const tables = new Map<string, ReadonlyMap<string, Listening>>();
  const found = new Map<string, ListeningSocket>();
  for (const pid of pids) {
    const inodes = socketInodes(pid);
    if (inodes.length === 0) continue;
    const table = tableFor(pid, tables);
    for (const inode of inodes) {
      const listening = table.get(inode);
      if (listening === undefined) continue;
      const { protocol, address } = listening;
      const key = `${protocol} ${address}`;
      if (!found.has(key)) found.set(key, { protocol, address: escapeControls(address), pid });
    }
  }
  return [...found.values()];
}

/** Each network namespace has lists of its own. */
function tableFor(pid: number, tables: Map<string, ReadonlyMap<string, Listening>>): ReadonlyMap<string, Listening> {
  const namespace = readLink(`/proc/${pid}/ns/net`) ?? '';
  const known = tables.get(namespace);
  if (known !== undefined) return known;
  const table = readListening(namespace === '' ? 'self' : pid);
  tables.set(namespace, table);
  return table;
}

/** Inodes of the sockets that a process holds; empty if it is gone or another user's. */
function socketInodes(pid: number): string[] {
  let fds: string[];
  try {
    fds = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  return fds.slice(0, mostFds).flatMap((fd) => {
    const link = readLink(`/proc/${pid}/fd/${fd}`);
    return link?.startsWith('socket:[') ? [link.slice('socket:['.length, -1)] : [];
  });
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** As the list shows it: `5000` for all addresses of the machine, else `127.0.0.1:80`, or a path. */
export function shortAddress(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):(?=\d+$)/, '');
}

/** The short addresses of sockets, each once. */
export function portsOf(sockets: readonly ListeningSocket[]): string[] {
  return [...new Set(sockets.map(({ address }) => shortAddress(address)))];
}

export interface Holder {
  readonly address: string;
  /** Null if it is another user's process, which can't be told then. */
  readonly pid: number | null;
  /** Its command line, escaped. */
  readonly command: string | null;
  /** The STEAD_RUN_ID that it was executed with; null if stead does not run it. */
  readonly cookie: string | null;
  /** Of the user that listens. */
  readonly uid: number;
}

/** Who listens on a TCP port of this machine; null if nobody does. */
export function whoListens(port: number): Holder | null {
  const rows = [...readListening()].filter(([, listening]) => listening.port === port);
  const [first] = rows;
  if (first === undefined) return null;
  const { pid, cookie } = holderOf(new Set(rows.map(([inode]) => inode)));
  const { address, uid } = first[1];
  return { address, pid, command: pid === null ? null : processLine(pid), cookie, uid: uid ?? 0 };
}

/** Of several the program that stead runs, rather than who only keeps its sockets. */
function holderOf(inodes: ReadonlySet<string>): { readonly pid: number | null; readonly cookie: string | null } {
  const holders = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => socketInodes(pid).some((inode) => inodes.has(inode)));
  const known = holders.map((pid) => ({ pid, cookie: cookieOf(pid) }));
  return known.find(({ cookie }) => cookie !== null) ?? known[0] ?? { pid: null, cookie: null };
}

/** `pid 812 (node other.js)`, for "port 5000 is held by …"; `stead's "web", pid 812` of what stead runs. */
export function describeHolder({ pid, command, cookie, uid }: Holder): string {
  if (pid === null) return `a process of user ${uid}`;
  const app = cookie === null ? null : appOfCookie(cookie);
  return app === null ? `pid ${pid} (${command ?? 'ended meanwhile'})` : `stead's "${escapeControls(app)}", pid ${pid}`;
}

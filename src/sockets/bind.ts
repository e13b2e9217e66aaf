/**
 * Makes the socket that a key names. A Unix socket's file is also linked under a name of ours: a program that unlinks the path before it listens (many do, as
 * a file from last time would be in their way) takes the name away from a socket that can't be bound again, and the link gives it back.
 */
import { createHash } from 'node:crypto';
import { closeSync, type FSWatcher, linkSync, lstatSync, rmSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { encodeBytes } from '../host/bytes.ts';
import { errnoOf } from '../host/files.ts';
import { socketAddress } from '../host/home.ts';
import type { SocketAddress } from '../host/socket-address.ts';
import {
  accept,
  bind,
  connect,
  getsockname,
  isListening,
  isOnly6,
  listen,
  reuseAddress,
  setOnly6,
  shutdown,
  socket,
  typeOf,
} from '../host/socket-calls.ts';
import { bindAtPath } from '../host/unix-socket.ts';
import type { ListenSpec } from '../protocol/spec.ts';
import { addressesToBind, agrees, keyOf, type ParsedKey, parseKey } from './address.ts';

/** The kernel takes no more than net.core.somaxconn, 4096 by default. */
export const defaultBacklog = 4096;

export interface OpenOptions {
  /** As Node wants it; what other programs are given is blocking. */
  readonly nonblock?: boolean;
  /** Of the program: a Unix socket's file gets the mode that it would have if the program made it. */
  readonly umask?: number;
  /** Of a Unix socket's file. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly backlog?: number | null;
}

/** A socket that listens (UDP: is bound), close-on-exec. Throws the system's errors: EADDRINUSE, EACCES, EADDRNOTAVAIL … */
export function openSocket(what: string | ListenSpec, options: OpenOptions = {}): number {
  const key = typeof what === 'string' ? what : keyOf(what);
  const parsed = parseKey(key);
  if (parsed === null) throw new Error(`${JSON.stringify(key)} names no socket`);
  const [first, ...others] = addressesToBind(parsed);
  for (const [at, address] of [first!, ...others].entries()) {
    try {
      return openAt(parsed, address, options);
    } catch (error) {
      const isWithoutIp6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(errnoOf(error));
      if (at === others.length || !isWithoutIp6) throw error;
    }
  }
  throw new Error('no address');
}

function openAt(parsed: ParsedKey, address: SocketAddress, options: OpenOptions): number {
  const isDatagram = parsed.kind === 'udp4' || parsed.kind === 'udp6';
  const { nonblock = false, backlog } = options;
  const fd = socket(address.family, isDatagram ? 'datagram' : 'stream', { nonblock });
  try {
    if (address.family === 'unix') bindPath(fd, address.path, options);
    else bindIp(fd, parsed, address);
    if (!isDatagram) listen(fd, backlog ?? defaultBacklog);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function bindIp(fd: number, { kind, ipv6Only }: ParsedKey, address: SocketAddress): void {
  // For UDP it would let another bind the same port.
  if (kind === 'tcp') reuseAddress(fd);
  if (address.family === 'ip6') setOnly6(fd, ipv6Only);
  bind(fd, address);
}

function bindPath(fd: number, path: string, { umask = 0o022, owner }: OpenOptions): void {
  if (path.startsWith('@')) {
    bind(fd, { family: 'unix', path });
    return;
  }
  if (isDeadSocket(path)) rmSync(path, { force: true });
  bindAtPath(fd, path, { mode: 0o777 & ~umask, owner });
}

/** The file of a socket on which nobody listens any more. */
function isDeadSocket(path: string): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
  const address = socketAddress(dirname(path), basename(path));
  const fd = socket('unix', 'stream', { nonblock: true });
  try {
    connect(fd, { family: 'unix', path: address.path });
    return false;
  } catch (error) {
    // Another error says that somebody does (its queue is full, it takes datagrams), or that it can't be known.
    return errnoOf(error) === 'ECONNREFUSED';
  } finally {
    closeSync(fd);
    address.close();
  }
}

/** Whether a descriptor still is the socket that a key names, and listens (UDP: is bound). Never throws. */
export function isSocketOf(key: string, fd: number): boolean {
  const parsed = parseKey(key);
  if (parsed === null) return false;
  try {
    const bound = getsockname(fd);
    if (bound === null || !agrees(parsed, bound)) return false;
    const isDatagram = parsed.kind === 'udp4' || parsed.kind === 'udp6';
    if (isDatagram) return typeOf(fd) === 'datagram';
    if (typeOf(fd) !== 'stream' || !isListening(fd)) return false;
    // One that takes IPv6 alone is no socket for all addresses.
    return bound.family !== 'ip6' || parsed.host !== null || isOnly6(fd) === parsed.ipv6Only;
  } catch {
    return false;
  }
}

/**
 * Ends a listening socket in every process that has a descriptor of it, and closes this one: who waited in its queue is refused. A UDP socket is only closed:
 * it can't be taken from others, and one that is shut down would keep their event loops busy.
 */
export function endSocket(key: string, fd: number): void {
  try {
    if (typeOf(fd) === 'stream' && isListening(fd)) {
      shutdown(fd);
      if (parseKey(key)?.path != null) refuseQueued(fd);
    }
  } catch {
    // It was none, or was ended already.
  } finally {
    closeSync(fd);
  }
}

/** The queue of a Unix socket would wait until its last descriptor is closed. */
function refuseQueued(fd: number): void {
  for (let connection = accept(fd); connection !== null; connection = accept(fd)) closeSync(connection);
}

/** Links a Unix socket's file under a name of ours in a directory; another one beside it if that is on another file system. */
export function keepPath(key: string, links: string): void {
  const path = pathOf(key);
  if (path === null || !lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  for (const link of linksOf(key, path, links)) {
    try {
      rmSync(link, { force: true });
      linkSync(path, link);
      return;
    } catch {
      // Another file system, or not permitted: then a program that unlinks the path loses it.
    }
  }
}

/** `lost`: it must be ended and opened anew. `taken`: a file of somebody else's is at its path. */
export type PathState = 'there' | 'restored' | 'lost' | 'taken';

/** Sees to it that a Unix socket can be reached at its path, by our link to it where that is needed. For other sockets always `there`. */
export function restorePath(key: string, links: string): PathState {
  const path = pathOf(key);
  if (path === null) return 'there';
  const kept = keptLinks(key, path, links);
  if (isAt(path, kept)) return 'there';
  if (isDeadSocket(path)) rmSync(path, { force: true });
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return 'taken';
  for (const { link } of kept) {
    try {
      linkSync(link, path);
      return 'restored';
    } catch {
      // The directory is gone, or another link will do.
    }
  }
  return 'lost';
}

/** By what can be seen: without a link of ours whatever is there counts. */
function isAt(path: string, kept: readonly { readonly ino: number }[]): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  return there !== undefined && (kept.length === 0 || kept.some(({ ino }) => ino === there.ino));
}

/** Whether a file of somebody else's is where a Unix socket shall be reached. */
export function isPathTaken(key: string, links: string): boolean {
  const path = pathOf(key);
  if (path === null || lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
  return !isAt(path, keptLinks(key, path, links));
}

/** Calls back whenever the file of a Unix socket may have lost a name. Null where there is nothing to watch. */
export function watchPath(key: string, links: string, onChange: () => void): FSWatcher | null {
  const path = pathOf(key);
  const [first] = path === null ? [] : keptLinks(key, path, links);
  if (first === undefined) return null;
  // The inode: whoever removes a name of it changes its count of links.
  const watcher = watch(first.link, { persistent: false }, onChange);
  watcher.on('error', () => {});
  return watcher;
}

/** Removes a Unix socket's path, if it is still that socket's, and our link to it. */
export function removePath(key: string, links: string): void {
  const path = pathOf(key);
  if (path === null) return;
  const there = lstatSync(path, { throwIfNoEntry: false });
  const kept = keptLinks(key, path, links);
  const isOurs = kept.length === 0 ? isDeadSocket(path) : kept.some(({ ino }) => ino === there?.ino);
  if (isOurs) rmSync(path, { force: true });
  for (const { link } of kept) rmSync(link, { force: true });
}

function pathOf(key: string): string | null {
  const path = parseKey(key)?.path ?? null;
  return path === null || path.startsWith('@') ? null : path;
}

function linksOf(key: string, path: string, links: string): [inDirectory: string, beside: string] {
  const id = createHash('sha256').update(encodeBytes(key)).digest('hex').slice(0, 16);
  return [join(links, `unix.${id}`), join(dirname(path), `.${basename(path)}.${id}`)];
}

function keptLinks(key: string, path: string, links: string): { readonly link: string; readonly ino: number }[] {
  return linksOf(key, path, links).flatMap((link) => {
    const stat = lstatSync(link, { throwIfNoEntry: false });
    return stat?.isSocket() ? [{ link, ino: stat.ino }] : [];
  });
}

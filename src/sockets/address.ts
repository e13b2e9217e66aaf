/**
 * Keys: which socket is which (docs/decisions/014-shared-sockets.md).
 *
 *   tcp:*:5000 (all addresses)   tcp:127.0.0.1:5000   tcp:::1:5000   tcp:*:5000:6 (IPv6 alone)   tcp:*:0#1 (the first of a program that asked for any port)
 *   udp4:*:53   udp6:::1:53      unix:/run/x.sock     unix:@name (abstract)
 *
 * `:6` is only with `*`: `tcp:::1:5000:6` would be port 6 of `::1:5000`, an IPv6 address as well.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { ipBytes, type SocketAddress } from '../host/socket-address.ts';
import type { ListenSpec } from '../protocol/spec.ts';

export interface ParsedKey {
  readonly kind: 'tcp' | 'udp4' | 'udp6' | 'unix';
  /** Null: all addresses, or a path. */
  readonly host: string | null;
  /** 0 of a path, and where any port was asked for. */
  readonly port: number;
  /** `@name` is an abstract one. */
  readonly path: string | null;
  readonly ipv6Only: boolean;
  /** The how-manieth of those that asked for any port, from 1; null otherwise. */
  readonly nth: number | null;
}

/** The key of a socket that a spec names. UDP at all addresses is IPv6's, which takes IPv4 as well. */
export function keyOf(listen: ListenSpec): string {
  if (listen.kind === 'unix') return `unix:${listen.path}`;
  const { kind, host, port } = listen;
  if (kind === 'tcp') return `tcp:${host === null || host === '::' ? '*' : host}:${port}`;
  const isAny = host === null || host === '::' || host === '0.0.0.0';
  return `${host !== null && isIPv4(host) ? 'udp4' : 'udp6'}:${isAny ? '*' : host}:${port}`;
}

/** Null if it is no key. */
export function parseKey(key: string): ParsedKey | null {
  const path = /^unix:(\/.*|@.+)$/s.exec(key)?.[1];
  if (path !== undefined)
    return path.includes('\0') ? null : { kind: 'unix', host: null, port: 0, path, ipv6Only: false, nth: null };
  const match =
    /^(tcp|udp4|udp6):(\*):(\d{1,5})(:6)?(?:#(\d{1,9}))?$/.exec(key) ??
    /^(tcp|udp4|udp6):([^*]+):(\d{1,5})()(?:#(\d{1,9}))?$/.exec(key);
  if (match === null) return null;
  const kind = match[1] as 'tcp' | 'udp4' | 'udp6';
  const host = match[2] === '*' ? null : match[2]!;
  const port = Number(match[3]);
  const nth = match[5] === undefined ? null : Number(match[5]);
  const ipv6Only = Boolean(match[4]);
  if (port > 65_535 || (nth !== null && (nth === 0 || port !== 0)) || (ipv6Only && kind === 'udp4')) return null;
  if (host !== null && !(kind !== 'udp6' && isIPv4(host)) && !(kind !== 'udp4' && isIPv6(host))) return null;
  return { kind, host, port, path: null, ipv6Only, nth };
}

/** For people: `port 5000`, `127.0.0.1:5000`, `[::1]:5000`, a path; with `UDP` before it if it is that. A key that is none is told as it is. */
export function addressInWords(key: string): string {
  const parsed = parseKey(key);
  if (parsed === null) return key;
  const { kind, host, port, path, ipv6Only } = parsed;
  if (path !== null) return path;
  const protocol = kind === 'tcp' ? '' : 'UDP ';
  const number = port === 0 ? 'any' : String(port);
  if (host === null) return `${protocol}port ${number}${ipv6Only ? ' of IPv6' : ''}`;
  return `${protocol}${isIPv6(host) ? `[${host}]` : host}:${number}`;
}

/** As the list shows it: `5000`, `127.0.0.1:80`, `5353/udp`, a path; null where any port was asked for. */
export function addressInList(key: string): string | null {
  const parsed = parseKey(key);
  if (parsed === null || parsed.nth !== null) return null;
  const { kind, host, port, path } = parsed;
  if (path !== null) return path;
  const address = host === null ? String(port) : `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return kind === 'tcp' ? address : `${address}/udp`;
}

/** What a program is told a socket is called (`LISTEN_FDNAMES`): its name in the spec, else `tcp-5000`, `udp-53`, or `unix`. */
export function nameOf(listen: ListenSpec): string {
  if (listen.name !== null) return listen.name;
  return listen.kind === 'unix' ? 'unix' : `${listen.kind}-${listen.port}`;
}

/** Whether a socket that is bound to an address is the one that a key names. */
export function agrees({ kind, host, port, path, ipv6Only, nth }: ParsedKey, bound: SocketAddress): boolean {
  if (bound.family === 'unix') return path !== null && isSamePath(path, bound.path);
  if (path !== null || bound.port === 0) return false;
  // At all addresses IPv6 serves IPv4 as well; it is IPv4 itself on a machine without IPv6.
  if (bound.family === 'ip4' ? ipv6Only || (kind === 'udp6' && host !== null) : kind === 'udp4') return false;
  if (port !== bound.port && !(port === 0 && nth !== null)) return false;
  return (host === null ? anyAddresses : [ipBytes(host)]).some((bytes) => bytes.equals(ipBytes(bound.host)));
}

const anyAddresses = [Buffer.alloc(4), Buffer.alloc(16)];

/**
 * Bound by a relative path, or through the descriptor of a directory as long ones are, the kernel knows it by that. Node 20 fills an abstract name up with NULs.
 */
function isSamePath(path: string, bound: string): boolean {
  if (path.startsWith('@')) return path === bound.replace(/\0+$/, '');
  if (path === bound) return true;
  const isIndirect = bound.startsWith('/proc/self/fd/') || !/^[/@]/.test(bound);
  return isIndirect && path.endsWith(`/${bound.split('/').at(-1)}`);
}

/** What to bind for a key: `*` is IPv6, which takes IPv4 as well; and where there is no IPv6, IPv4. */
export function addressesToBind({ kind, host, port, path, ipv6Only }: ParsedKey): SocketAddress[] {
  if (path !== null) return [{ family: 'unix', path }];
  if (host !== null) return [{ family: isIPv4(host) ? 'ip4' : 'ip6', host, port }];
  const ip4: SocketAddress = { family: 'ip4', host: '0.0.0.0', port };
  const ip6: SocketAddress = { family: 'ip6', host: '::', port };
  if (kind === 'udp4') return [ip4];
  return ipv6Only ? [ip6] : [ip6, ip4];
}

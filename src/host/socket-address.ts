/** Addresses of sockets as the kernel has them: struct sockaddr_in, sockaddr_in6 and sockaddr_un of Linux, as in ip(7), ipv6(7) and unix(7). */
import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { decodeBytes, encodeBytes } from './bytes.ts';

export const families = { unix: 1, ip4: 2, ip6: 10 } as const;
export type Family = keyof typeof families;

export type SocketAddress =
  /** `@name` is an abstract one; empty: it has no name. */
  | { readonly family: 'unix'; readonly path: string }
  | { readonly family: 'ip4' | 'ip6'; readonly host: string; readonly port: number };

/** The longest address that there is. */
export const addressBytes = 112;

export function encodeAddress(address: SocketAddress): Buffer {
  if (address.family === 'unix') return encodePath(address.path);
  const isIp4 = address.family === 'ip4';
  const bytes = Buffer.alloc(isIp4 ? 16 : 28);
  bytes.writeUInt16LE(families[address.family], 0);
  bytes.writeUInt16BE(address.port, 2);
  ipBytes(address.host).copy(bytes, isIp4 ? 4 : 8);
  if (!isIp4) bytes.writeUInt32LE(scopeOf(address.host), 24);
  return bytes;
}

/** Null for a family other than these. */
export function decodeAddress(bytes: Buffer): SocketAddress | null {
  switch (bytes.length < 2 ? 0 : bytes.readUInt16LE(0)) {
    case families.ip4:
      return { family: 'ip4', host: ipText(bytes.subarray(4, 8)), port: bytes.readUInt16BE(2) };
    case families.ip6:
      return { family: 'ip6', host: ipText(bytes.subarray(8, 24)), port: bytes.readUInt16BE(2) };
    case families.unix:
      return { family: 'unix', path: decodePath(bytes.subarray(2)) };
    default:
      return null;
  }
}

function encodePath(path: string): Buffer {
  const family = Buffer.from([families.unix, 0]);
  // An abstract name is as long as the address says; a path ends with NUL.
  if (path.startsWith('@')) return Buffer.concat([family, Buffer.alloc(1), encodeBytes(path.slice(1))]);
  return Buffer.concat([family, encodeBytes(path), Buffer.alloc(1)]);
}

function decodePath(bytes: Buffer): string {
  if (bytes[0] === 0) return `@${decodeBytes(bytes.subarray(1))}`;
  const end = bytes.indexOf(0);
  return decodeBytes(end < 0 ? bytes : bytes.subarray(0, end));
}

/** 4 or 16 bytes of an IP address in text; its zone is left out. Throws if it is none. */
export function ipBytes(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from(host.split('.').map(Number));
  if (!isIPv6(host)) throw new Error(`${host} is no IP address`);
  const text = host.replace(/%.*$/, '').replace(/[\d.]+\.[\d.]+$/, (ip4) => {
    const bytes = Buffer.from(ip4.split('.').map(Number));
    return `${bytes.readUInt16BE(0).toString(16)}:${bytes.readUInt16BE(2).toString(16)}`;
  });
  const [head, tail] = text.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? [] : Array<string>(8 - head!.length - tail.length).fill('0');
  const bytes = Buffer.alloc(16);
  for (const [at, group] of [...head!, ...zeros, ...(tail ?? [])].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), at * 2);
  return bytes;
}

/** An IP address as RFC 5952 has it: lower case, the longest run of two zero groups or more shortened. */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${bytes.subarray(12).join('.')}`;
  const [from, length] = longestZeros(groups);
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(':');
  return `${text.slice(0, from).join(':')}::${text.slice(from + length).join(':')}`;
}

function longestZeros(groups: readonly number[]): readonly [from: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  for (let from = 0; from < groups.length; from++) {
    let length = 0;
    while (groups[from + length] === 0) length++;
    if (length > best[1]) best = [from, length];
  }
  return best;
}

/** `fe80::1%eth0`: the interface's number. */
function scopeOf(host: string): number {
  const zone = /%(.*)$/.exec(host)?.[1];
  if (zone === undefined) return 0;
  if (/^\d+$/.test(zone)) return Number(zone);
  const found = networkInterfaces()[zone]?.find((each) => each.family === 'IPv6' && each.scopeid !== 0);
  return found?.family === 'IPv6' ? (found.scopeid ?? 0) : 0;
}

/** The kernel's lists of listening sockets: /proc/net/tcp, tcp6 and unix, proc(5). */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { listeningRows } from '../host/listening-rows.ts';
import { ipText } from '../host/socket-address.ts';

export interface Listening {
  readonly protocol: 'tcp' | 'tcp6' | 'unix';
  /** `0.0.0.0:5000`, `[::]:5000`, or a path (`@name` for an abstract one). */
  readonly address: string;
  /** Null for a Unix socket. */
  readonly port: number | null;
  /** Of the user that made it; null for a Unix socket. */
  readonly uid: number | null;
}

/** Listening sockets by inode, of the network namespace of a process (`self`, or a pid). */
export function readListening(of: number | 'self' = 'self'): Map<string, Listening> {
  const all = new Map<string, Listening>();
  for (const protocol of ['tcp', 'tcp6'] as const) {
    for (const row of listeningRows(`/proc/${of}/net/${protocol}`)) addInternet(all, protocol, row);
  }
  for (const line of readLines(`/proc/${of}/net/unix`)) addUnix(all, line);
  return all;
}

function addInternet(all: Map<string, Listening>, protocol: 'tcp' | 'tcp6', row: readonly string[]): void {
  const [host, port] = row[1]?.split(':') ?? [];
  const inode = row[9];
  if (!host || !port || !inode) return;
  const number = Number.parseInt(port, 16);
  const address = protocol === 'tcp' ? `${ipv4(host)}:${number}` : `[${ipv6(host)}]:${number}`;
  all.set(inode, { protocol, address, port: number, uid: Number(row[7]) });
}

const acceptsFlag = 0x10000;

/** `Num RefCount Protocol Flags Type St Inode Path`; a path may hold spaces. */
function addUnix(all: Map<string, Listening>, line: string): void {
  const match = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.+)$/.exec(line);
  if (match === null || (Number.parseInt(match[1]!, 16) & acceptsFlag) === 0) return;
  all.set(match[2]!, { protocol: 'unix', address: match[3]!, port: null, uid: null });
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** Bytes of an address that the kernel prints as 32-bit words of the machine's order. */
function addressBytes(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  return endianness() === 'LE' && bytes.length % 4 === 0 ? bytes.swap32() : bytes;
}

const ipv4 = (hex: string) => ipText(addressBytes(hex));

/** As `ipText` has it. */
export const ipv6 = (hex: string) => ipText(addressBytes(hex));

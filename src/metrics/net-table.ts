/** The kernel's lists of listening sockets: /proc/net/tcp, tcp6 and unix, proc(5). */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

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

const listenState = '0A';
const chunkBytes = 64 * 1024;

/** The kernel lists listening sockets first: the thousands of connections of a busy server need not be read. */
function listeningRows(path: string): string[][] {
  const rows: string[][] = [];
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return rows;
  }
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let rest = '';
    for (let isHead = true; ; ) {
      const length = readSync(fd, buffer, 0, chunkBytes, null);
      const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const row = line.trim().split(/ +/);
        if (!isHead && row[3] !== listenState) return rows;
        if (!isHead) rows.push(row);
        isHead = false;
      }
      if (length === 0) return rows;
    }
  } catch {
    return rows;
  } finally {
    closeSync(fd);
  }
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

const ipv4 = (hex: string) => [...addressBytes(hex)].join('.');

/** RFC 5952: lower case, the longest run of two zero groups or more shortened. */
export function ipv6(hex: string): string {
  const bytes = addressBytes(hex);
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  }
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

/**
 * One look at every process of the machine: /proc/PID/stat, proc(5). Read synchronously, as each read is a few microseconds of kernel
 * time and no disk: 300 processes take some 4 ms, a third of what promises would. Processes that end meanwhile are left out.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';

export interface ProcEntry {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly session: number;
  /** Clock ticks since boot: with the pid it is the identity of a process. */
  readonly startTicks: number;
  /** `R S D T Z` …; `Z` is dead already. */
  readonly state: string;
  /** The name, 15 bytes at most. */
  readonly comm: string;
  /** CPU time in clock ticks; the `c…` ones are of children that ended and were waited for. */
  readonly utimeTicks: number;
  readonly stimeTicks: number;
  readonly cutimeTicks: number;
  readonly cstimeTicks: number;
  readonly threads: number;
  readonly rssPages: number;
}

export type ProcTable = ReadonlyMap<number, ProcEntry>;

/** A line of stat is some 200 to 400 bytes: 52 numbers of up to 20 digits and a name of 64 bytes at most. */
const statBytes = 2048;

/** All processes by pid, as they are now. */
export function readProcTable(root = '/proc'): Map<number, ProcEntry> {
  const table = new Map<number, ProcEntry>();
  const buffer = Buffer.allocUnsafe(statBytes);
  for (const name of readdirSync(root)) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    const entry = readInto(buffer, `${root}/${name}/stat`);
    if (entry !== null) table.set(entry.pid, entry);
  }
  return table;
}

/** One process, as it is now; null if there is none of that pid. */
export function readProcess(pid: number): ProcEntry | null {
  return readProcesses([pid])[0] ?? null;
}

/** Those of these processes that there are, as they are now. */
export function readProcesses(pids: readonly number[]): ProcEntry[] {
  const buffer = Buffer.allocUnsafe(statBytes);
  return pids.map((pid) => readInto(buffer, `/proc/${pid}/stat`)).filter((entry) => entry !== null);
}

function readInto(buffer: Buffer, path: string): ProcEntry | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return parseStat(buffer, readSync(fd, buffer, 0, statBytes, 0));
  } catch {
    // ESRCH: it ended between open and read.
    return null;
  } finally {
    closeSync(fd);
  }
}

/** Parses the first `length` bytes of a stat file; null if they make no sense. The name may itself hold `) (` and line ends. */
export function parseStat(bytes: Buffer, length: number = bytes.length): ProcEntry | null {
  const open = bytes.indexOf(0x28);
  const close = bytes.lastIndexOf(0x29, length - 1);
  if (open < 2 || close < open || close + 4 > length) return null;
  const fields = new Numbers(bytes, close + 4, length);
  const [ppid, pgid, session] = [fields.next(), fields.next(), fields.next()];
  fields.skip(7); // tty_nr, tpgid, flags, minflt, cminflt, majflt, cmajflt
  const [utimeTicks, stimeTicks, cutimeTicks, cstimeTicks] = [
    fields.next(),
    fields.next(),
    fields.next(),
    fields.next(),
  ];
  fields.skip(2); // priority, nice
  const threads = fields.next();
  fields.skip(1); // itrealvalue
  const startTicks = fields.next();
  fields.skip(1); // vsize
  return {
    pid: new Numbers(bytes, 0, open).next(),
    ppid,
    pgid,
    session,
    startTicks,
    state: String.fromCharCode(bytes[close + 2]!),
    comm: bytes.toString('utf8', open + 1, close),
    utimeTicks,
    stimeTicks,
    cutimeTicks,
    cstimeTicks,
    threads,
    rssPages: fields.next(),
  };
}

/** Decimal numbers between single spaces, read without making strings of them. */
class Numbers {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, from: number, end: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  next(): number {
    let value = 0;
    while (this.#at < this.#end && this.#bytes[this.#at] === 0x20) this.#at++;
    const isNegative = this.#bytes[this.#at] === 0x2d;
    if (isNegative) this.#at++;
    for (; this.#at < this.#end; this.#at++) {
      const digit = this.#bytes[this.#at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    return isNegative ? -value : value;
  }

  skip(count: number): void {
    for (let skipped = 0; skipped < count; skipped++) this.next();
  }
}

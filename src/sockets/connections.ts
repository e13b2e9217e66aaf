/** How many connections there are to held sockets: by the kernel's lists, whoever has them. */
import { readFileSync } from 'node:fs';
import { ticksPerSecond } from '../host/process.ts';
import { parseKey } from './address.ts';

/** LISTEN and CLOSE of the kernel's tcp_states.h: what nobody serves. */
const idleStates = ['0A', '07'];
/** What a connection leaves for a minute at the end that closed it first. */
const timeWait = '06';
const timeWaitTicks = 60 * ticksPerSecond;
const connectedUnix = '03';

/** Connections to the addresses that these keys name; those in an accept queue count as well, and those that the server ended within so many ms. Of UDP there are none. */
export function countConnections(keys: readonly string[], endedWithinMs = 0): number {
  const parsed = keys.flatMap((key) => parseKey(key) ?? []);
  const ports = new Set(parsed.filter(({ kind, path }) => path === null && kind === 'tcp').map(({ port }) => port));
  const paths = new Set(parsed.flatMap(({ path }) => path ?? []));
  const tcp = ports.size === 0 ? 0 : countTcp('tcp', ports, endedWithinMs) + countTcp('tcp6', ports, endedWithinMs);
  return tcp + (paths.size === 0 ? 0 : countUnix(paths));
}

/** `sl local_address rem_address st tx_queue:rx_queue tr:tm->when …`, proc(5); `when` is in ticks from now. */
function countTcp(list: 'tcp' | 'tcp6', ports: ReadonlySet<number>, endedWithinMs: number): number {
  const youngest = timeWaitTicks - (endedWithinMs / 1000) * ticksPerSecond;
  return rowsOf(list).filter(([, local, , state, , timer]) => {
    const port = Number.parseInt(local?.split(':')[1] ?? '', 16);
    if (!ports.has(port) || state === undefined || idleStates.includes(state)) return false;
    return state !== timeWait || Number.parseInt(timer?.split(':')[1] ?? '', 16) > youngest;
  }).length;
}

/** `Num RefCount Protocol Flags Type St Inode Path`: the server's end of a connection has the path, too. */
function countUnix(paths: ReadonlySet<string>): number {
  return rowsOf('unix').filter(([, , , , , state, , path]) => state === connectedUnix && paths.has(path ?? '')).length;
}

function rowsOf(list: string): string[][] {
  try {
    const [, ...lines] = readFileSync(`/proc/self/net/${list}`, 'utf8').split('\n');
    return lines.map((line) => line.trim().split(/ +/));
  } catch {
    return [];
  }
}

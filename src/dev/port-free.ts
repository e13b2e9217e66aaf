/** Ports that a run listened on are to be free before the next one starts: somebody outside its tree may have been given them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessId } from '../host/process.ts';
import { describeHolder, socketsOf, whoListens } from '../metrics/sockets.ts';

const lookMs = 50;
const mostMs = 5000;

/** TCP ports that processes listen on. */
export function portsOfMembers(members: readonly ProcessId[]): number[] {
  const sockets = socketsOf(members.map(({ pid }) => pid)).filter(({ protocol }) => protocol !== 'unix');
  return [...new Set(sockets.map(({ address }) => Number(address.slice(address.lastIndexOf(':') + 1))))];
}

/** Waits until nobody listens on them, for a while; says who does if it gives up. */
export async function whenFree(ports: readonly number[], say: (text: string) => void): Promise<void> {
  const deadline = performance.now() + mostMs;
  for (const port of ports) {
    for (let holder = whoListens(port); holder !== null; holder = whoListens(port)) {
      if (performance.now() > deadline) {
        say(`port ${port} is still held by ${describeHolder(holder)}`);
        break;
      }
      await pause(lookMs);
    }
  }
}

import { readFileSync } from 'node:fs';

/** Numbers of capabilities(7). */
export const capabilities = { sysNice: 23, sysResource: 24 } as const;

/** Whether this process has a capability in effect: root in a container may lack it. */
export function hasCapability(number: number): boolean {
  try {
    const mask = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) >> BigInt(number)) % 2n === 1n;
  } catch {
    return false;
  }
}

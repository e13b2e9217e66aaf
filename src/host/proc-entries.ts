import { readFileSync } from 'node:fs';
import { decodeBytes } from './bytes.ts';

/** The entries of a NUL-separated file of `/proc`; undefined if it can't be read. */
export function readEntries(path: string): string[] | undefined {
  try {
    const bytes = readFileSync(path);
    const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
    return bytes.length === 0 ? [] : splitAtNul(bytes.subarray(0, end));
  } catch {
    return undefined;
  }
}

function splitAtNul(bytes: Buffer): string[] {
  const entries: string[] = [];
  for (let from = 0; from <= bytes.length; ) {
    const nul = bytes.indexOf(0, from);
    const end = nul < 0 ? bytes.length : nul;
    entries.push(decodeBytes(bytes.subarray(from, end)));
    from = end + 1;
  }
  return entries;
}

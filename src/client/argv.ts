/** argv and environment as the kernel keeps them: Node decodes both as UTF-8 and loses what is none. */
import { readFileSync } from 'node:fs';
import { decodeBytes } from '../host/bytes.ts';

/** This process's arguments after the script, byte-exact (`host/bytes.ts`). */
export function byteExactArgs(args: readonly string[] = process.argv.slice(2)): readonly string[] {
  if (!args.some((arg) => arg.includes('\ufffd'))) return args;
  const entries = readEntries('/proc/self/cmdline');
  return entries && entries.length >= args.length ? entries.slice(-args.length) : args;
}

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

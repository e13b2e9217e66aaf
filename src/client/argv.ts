/** argv and environment as the kernel keeps them: Node decodes both as UTF-8 and loses what is none. */
import { readEntries } from '../host/proc-entries.ts';

/** This process's arguments after the script, byte-exact (`host/bytes.ts`). */
export function byteExactArgs(args: readonly string[] = process.argv.slice(2)): readonly string[] {
  if (!args.some((arg) => arg.includes('\ufffd'))) return args;
  const entries = readEntries('/proc/self/cmdline');
  return entries && entries.length >= args.length ? entries.slice(-args.length) : args;
}

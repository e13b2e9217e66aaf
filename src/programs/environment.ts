/** A program's environment, and what the kernel allows of it together with its arguments. */
import { encodeBytes } from '../host/bytes.ts';
import { SteadError } from '../protocol/errors.ts';
import { quote } from './quote.ts';

/** The caller's entries with others put over them: in place where the name exists, else at the end. Later ones win. */
export function mergeEnvironment(env: readonly string[], over: readonly string[] = []): readonly string[] {
  if (over.length === 0) return env;
  const replacing = new Map(over.map((entry) => [nameOf(entry), entry]));
  const kept = env.map((entry) => {
    const replacement = replacing.get(nameOf(entry));
    return replacement ?? entry;
  });
  const present = new Set(env.map(nameOf));
  return [...new Set(kept), ...[...replacing].filter(([name]) => !present.has(name)).map(([, entry]) => entry)];
}

const nameOf = (entry: string) => entry.slice(0, Math.max(0, entry.indexOf('=')));

/** MAX_ARG_STRLEN: 32 pages of 4 KiB, the final NUL included. */
const longestString = 128 * 1024;
/** Three quarters of the kernel's _STK_LIM: the most it takes however large the stack may be (fs/exec.c). */
const mostBytes = 6 * 1024 * 1024;
/** ARG_MAX: the least it takes however small the stack may be. */
const leastBytes = 128 * 1024;
/** What the launcher adds before its exec: its own arguments and settings. */
const launcherBytes = 16 * 1024;

export interface Handed {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Soft limit of the stack in bytes; null or undefined if unlimited. */
  readonly stackLimit?: number | null | undefined;
}

/** Throws ENVIRONMENT_TOO_LARGE, naming the largest entry, if the kernel would refuse these at exec (E2BIG); BAD_REQUEST for a NUL. */
export function checkSizes({ argv, env, stackLimit }: Handed): void {
  const strings = [
    ...argv.map((text, at) => ({ what: at === 0 ? 'the command' : `argument ${at}`, text })),
    ...env.map((text) => ({ what: `the variable ${quote(nameOf(text))}`, text })),
  ].map(({ what, text }) => ({ what, text, bytes: byteLength(text) + 1 }));
  const withNul = strings.find(({ text }) => text.includes('\0'));
  if (withNul) throw new SteadError('BAD_REQUEST', `${withNul.what} holds a NUL byte, which no program can be given`);
  const largest = strings.reduce((a, b) => (b.bytes > a.bytes ? b : a), { what: '', text: '', bytes: 0 });
  if (largest.bytes > longestString) {
    throw tooLarge(`${largest.what} has ${largest.bytes - 1} bytes, and the kernel takes ${longestString - 1} at most`);
  }
  const most = Math.max(leastBytes, Math.min(mostBytes, Math.floor((stackLimit ?? Number.POSITIVE_INFINITY) / 4)));
  const pointer = 8;
  const total = strings.reduce((sum, { bytes }) => sum + bytes + pointer, launcherBytes);
  if (total > most) {
    const detail = `the largest is ${largest.what} with ${largest.bytes - 1} bytes`;
    throw tooLarge(
      `arguments and environment have ${total - launcherBytes} bytes, and the kernel takes ${most}; ${detail}`,
    );
  }
}

function tooLarge(why: string): SteadError {
  return new SteadError('ENVIRONMENT_TOO_LARGE', `Cannot start: ${why}`, {
    hint: 'unset what it does not need (env -u NAME stead …), or pass it in a file',
  });
}

const byteLength = (text: string) => encodeBytes(text).length;

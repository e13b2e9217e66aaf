/** Asks an interpreter about itself, by running it once in the environment that the program will have. */
import { spawn } from 'node:child_process';
import { hasRawBytes } from '../host/bytes.ts';
import type { Lookup } from './executable.ts';

/** Where and how a program is to run, as far as finding its interpreter needs it. */
export interface Surroundings extends Lookup {
  /** `NAME=value` per entry. */
  readonly env: readonly string[];
}

/** A version manager's shim may start a shell or two, and an interpreter on a slow disk takes its time; more than that hangs. */
const probeTimeoutMs = 5_000;

/** An answer is a path or a version. */
const mostBytes = 64 * 1024;

/** What an interpreter prints, trimmed; null if it fails, says nothing or takes over `timeoutMs`: then it is killed with its children. */
export function probe(
  file: string,
  args: readonly string[],
  { env, cwd }: Surroundings,
  timeoutMs: number = probeTimeoutMs,
): Promise<string | null> {
  return new Promise((resolve) => {
    // A group of its own, as a shim is a script that has children. They may hold the pipe open, so its end is not waited for in vain.
    const child = spawnQuietly(file, args, { cwd, env: probeEnvironment(env) });
    if (child === null) return resolve(null);
    let answer = '';
    const settle = (text: string | null) => {
      clearTimeout(timer);
      child.stdout.destroy();
      resolve(text);
    };
    const timer = setTimeout(() => {
      killGroup(child.pid);
      settle(null);
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (answer.length < mostBytes) answer += text;
    });
    child.on('error', () => settle(null));
    child.on('close', (code) => settle(code === 0 ? answer.trim() || null : null));
  });
}

function spawnQuietly(file: string, args: readonly string[], options: { cwd: string; env: Record<string, string> }) {
  try {
    return spawn(file, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}

/** Without what would make a bare `node -p` do more than answer (`--inspect-brk` in NODE_OPTIONS). */
function probeEnvironment(env: readonly string[]): Record<string, string> {
  const kept = env.filter(
    (entry) => entry.indexOf('=') > 0 && !hasRawBytes(entry) && !entry.startsWith('NODE_OPTIONS='),
  );
  // The first of two entries of one name is the one that getenv(3) finds, so it is set last.
  return Object.fromEntries(
    kept.reverse().map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

/** The value that getenv(3) would find; undefined if the name isn't set. */
export function variable(env: readonly string[], name: string): string | undefined {
  return env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The version of a Node, `20.20.2`; null if it doesn't say. */
export async function nodeVersion(path: string, surroundings: Surroundings): Promise<string | null> {
  const text = await probe(path, ['-p', 'process.versions.node'], surroundings);
  return text !== null && /^\d+\.\d+\.\d+/.test(text) ? text : null;
}

/** Whether a version is at least another, by major and minor number: `isAtLeast('22.18.1', 22, 6)`. */
export function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

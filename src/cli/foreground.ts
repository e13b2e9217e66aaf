/** `daemon run`: the daemon as this command's child, with its messages on our stderr, until it ends. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { assertWritable } from './ownership.ts';

const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Runs it; resolves with its exit code. Chunks of commands lie in `dist/commands/`, the daemon beside them in `dist/`. */
export function runForeground(home: string): Promise<number> {
  assertWritable(home);
  const child = spawn(process.execPath, [join(__dirname, '..', 'daemon.cjs')], {
    stdio: 'inherit',
    env: { ...process.env, STEAD_HOME: home },
  });
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}

/** `daemon run`: the daemon as this command's child, with its messages on our stderr, until it ends. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { SteadError } from '../protocol/errors.ts';
import { prepareHome } from '../storage/home.ts';
import { daemonEnvironment, installLibrary } from './ensure-daemon.ts';

/** What guardian.sh ends with if another daemon has the home. */
const lockedCode = 75;

const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Runs it; resolves with its exit code. Throws NOT_PERMITTED if the home has a daemon. */
export async function runForeground(home: string): Promise<number> {
  prepareHome(home);
  const library = installLibrary(home);
  const script = [join(library, 'guardian.sh'), 'run', home, process.execPath, join(library, 'daemon.cjs')];
  const child = spawn('/bin/sh', script, { stdio: 'inherit', env: daemonEnvironment(home) });
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === lockedCode) reject(alreadyRuns(home));
      else resolve(code ?? 128 + constants.signals[signal!]);
    });
  });
}

function alreadyRuns(home: string): SteadError {
  return new SteadError('NOT_PERMITTED', `A daemon runs already (home ${home})`, {
    hint: 'stead daemon stop, then again',
  });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type ErrorBody, SteadError } from '../protocol/errors.ts';

/**
 * Starts the daemon of a home by a process of its own: a program that uses the API may have files, pipes and sockets open that no daemon is to hold, and that nobody but it
 * may close. Resolves when it answers. Throws what keeps it from that, and the signal's reason.
 */
export async function startDaemonApart(home: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const starter = spawn(process.execPath, [join(__dirname, 'start-daemon.cjs'), home], {
    cwd: '/',
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const onAbort = () => starter.kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    let said = '';
    starter.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(starter, 'close');
    signal?.throwIfAborted();
    const failure = failureIn(said);
    if (failure !== null) throw failure;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** It says `{}` or an error. */
function failureIn(said: string): SteadError | null {
  try {
    const { error } = JSON.parse(said) as { readonly error?: ErrorBody };
    return error === undefined ? null : SteadError.fromBody(error);
  } catch {
    return new SteadError('INTERNAL', 'What starts the daemon ended without a word.', { hint: 'stead daemon run' });
  }
}

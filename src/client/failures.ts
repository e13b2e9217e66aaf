/** How a daemon does not answer, in words. `details.phase` says when it was; `unreachable.ts` asks for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SteadError } from '../protocol/errors.ts';
import { notThere } from './unreachable.ts';

export function unreachable(home: string, error: NodeJS.ErrnoException): SteadError {
  const details = { phase: 'connect', errno: error.code ?? null };
  if (notThere.includes(error.code ?? '')) {
    return new SteadError('DAEMON_UNREACHABLE', `The daemon is not running (home ${home})`, {
      hint: 'stead daemon restart',
      details,
    });
  }
  const why = error.code === 'EACCES' ? 'its home belongs to another user' : error.message;
  return new SteadError('DAEMON_UNREACHABLE', `The daemon cannot be reached: ${why} (home ${home})`, { details });
}

export function silent(home: string, timeoutMs: number): SteadError {
  const pid = daemonPid(home);
  const who = pid === undefined ? 'The daemon' : `The daemon (pid ${pid})`;
  return new SteadError('DAEMON_UNREACHABLE', `${who} has not answered for ${timeoutMs / 1000} s`, {
    hint: 'stead daemon restart (your programs run on)',
    details: { phase: 'silent', pid: pid ?? null },
  });
}

/** What we wrote was not read, or not to its end: so it was not acted on. */
export function hungUp(error: NodeJS.ErrnoException): SteadError {
  if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') return brokenOff();
  const message = 'The daemon hung up before it was asked: it ended, or has too many clients; nothing was done';
  return new SteadError('DAEMON_UNREACHABLE', message, {
    hint: 'try again; stead daemon logs says why',
    details: { phase: 'crowded' },
  });
}

export function brokenOff(): SteadError {
  return new SteadError(
    'DAEMON_UNREACHABLE',
    'The daemon ended before it answered: what was asked may have been done or not',
    {
      hint: 'stead list shows what is; stead daemon logs says why',
      details: { phase: 'answer' },
    },
  );
}

/** The pid that the daemon of a home wrote down, whether it lives or not. */
export function daemonPid(home: string): number | undefined {
  try {
    const pid: unknown = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')).pid;
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    return undefined;
  }
}

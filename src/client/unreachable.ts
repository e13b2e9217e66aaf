/** The ways in which a daemon doesn't answer (`http.ts` says which in `details.phase`). */
import { SteadError } from '../protocol/errors.ts';

/** ECONNRESET: it died before it accepted us, so it has read nothing. */
export const notThere: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ECONNRESET'];

/** Whether nothing was asked because no daemon runs. */
export function isDaemonDown(error: unknown): boolean {
  if (!isUnreachable(error) || error.details?.phase !== 'connect') return false;
  return notThere.includes(String(error.details.errno));
}

/** Whether the daemon ended between question and answer. */
export function isBrokenOff(error: unknown): boolean {
  return isUnreachable(error) && error.details?.phase === 'answer';
}

/** Whether a daemon accepted the question and says nothing. */
export function isSilent(error: unknown): boolean {
  return isUnreachable(error) && error.details?.phase === 'silent';
}

/** Whether it had too many clients, and has done nothing. */
export function isCrowded(error: unknown): boolean {
  return isUnreachable(error) && error.details?.phase === 'crowded';
}

function isUnreachable(error: unknown): error is SteadError {
  return error instanceof SteadError && error.code === 'DAEMON_UNREACHABLE';
}

/** Whether it does not answer, for whatever reason that may pass: it may be on its way. */
export function isDaemonAway(error: unknown): boolean {
  return isUnreachable(error) || (error instanceof SteadError && error.code === 'DAEMON_STOPPING');
}

/**
 * Requests that change something: the daemon is started where it isn't running, and a request that may take long is guarded by a
 * look every now and then at whether the daemon still answers.
 */

import type { Answers } from '../protocol/answers.ts';
import type { RouteName } from '../protocol/api.ts';
import { type RequestOptions, request } from './http.ts';
import { isBrokenOff, isDaemonDown, isSilent } from './unreachable.ts';

/** When to look whether the daemon still answers while a request waits for its effect: soon once, then seldom. */
const looksMs = [5_000, 60_000] as const;

/** What may be asked twice when the daemon died over it: done already, it changes nothing. */
const repeatable: readonly RouteName[] = ['start', 'stop', 'apply', 'reset', 'wait'];
const mostTries = 3;

/**
 * Asks the daemon, starting it if it isn't running, and again if it died over the question and asking twice does no harm. Waits for the
 * effect as long as it takes while the daemon answers at all.
 */
export async function act<R extends RouteName>(
  home: string,
  route: R,
  { bringUp = startDaemon, ...options }: ActOptions = {},
): Promise<Answers[R]> {
  for (let tries = 1; ; tries++) {
    try {
      return await guarded(home, route, options);
    } catch (error) {
      const isWorthIt = isDaemonDown(error) || (isBrokenOff(error) && repeatable.includes(route));
      if (!isWorthIt || tries === mostTries) throw error;
      await bringUp(home, error);
    }
  }
}

export interface ActOptions extends RequestOptions {
  /** Sees to it that there is a daemon again, after this failure; or throws. Without it one is started. */
  readonly bringUp?: (home: string, failure: unknown) => Promise<void>;
}

/** Loaded when first needed: most commands find their daemon running. */
const startDaemon = async (home: string): Promise<void> => (await import('./ensure-daemon.ts')).ensureDaemon(home);

async function guarded<R extends RouteName>(home: string, route: R, options: RequestOptions): Promise<Answers[R]> {
  if (options.timeoutMs !== undefined) return request(home, route, options);
  options.signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort);
  const guard = guardHealth(home, controller);
  try {
    return await request(home, route, { ...options, timeoutMs: null, signal: controller.signal });
  } finally {
    guard.stop();
    // A look that is under way has nobody to tell.
    controller.abort();
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** Aborts with what a quick request throws once the daemon has stopped to answer. */
function guardHealth(home: string, controller: AbortController): { stop(): void } {
  let timer: NodeJS.Timeout;
  const look = async () => {
    try {
      await request(home, 'daemonStatus', { signal: controller.signal });
      arm(looksMs[1]);
    } catch (error) {
      // A daemon that went away breaks off the request itself; only silence has to be told.
      if (isSilent(error)) controller.abort(error);
    }
  };
  let isStopped = false;
  const arm = (ms: number) => {
    if (!isStopped) timer = setTimeout(look, ms);
  };
  arm(looksMs[0]);
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

import { pause } from '../host/pause.ts';
import { isAlive, processStat } from '../host/process.ts';
import { SteadError } from '../protocol/errors.ts';
import { request } from './http.ts';
import { isDaemonDown } from './unreachable.ts';

/** How often to look whether a daemon that said goodbye has gone: it takes milliseconds. */
const lookEveryMs = 10;
const patienceMs = 10_000;

/** Resolves once the daemon with this pid no longer answers. Throws TIMED_OUT after 10 s, and the signal's reason. */
export async function untilDaemonStopped(home: string, pid: number | null, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    try {
      const view = await request(home, 'daemonStatus', { signal });
      if (view.pid !== pid) return;
    } catch (error) {
      if (isDaemonDown(error)) return;
      signal?.throwIfAborted();
    }
    await pause(lookEveryMs, signal);
  }
  throw new SteadError('TIMED_OUT', `The daemon (pid ${pid}) has not ended within ${patienceMs / 1000} s`, {
    hint: 'stead daemon logs says why',
  });
}

/** Resolves once the process of a daemon that was killed is gone: until then the kernel may still take connections for it. */
export async function untilDaemonGone(pid: number): Promise<void> {
  const stat = processStat(pid);
  const id = { pid, startTicks: stat?.startTicks ?? 0 };
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline && isAlive(id); )
    await pause(lookEveryMs);
}

import type { WaitRequest, WaitResponse } from '../protocol/api.ts';
import { type ActOptions, act } from './act.ts';
import { isBrokenOff } from './unreachable.ts';

/** Waits until nothing of the apps runs or will run, also over a death of the daemon: asking again changes nothing. */
export async function waitForEnd(
  home: string,
  { select, timeoutMs = null }: WaitRequest,
  options: ActOptions = {},
): Promise<WaitResponse> {
  const deadline = timeoutMs === null ? null : performance.now() + timeoutMs;
  for (;;) {
    const left = deadline === null ? null : Math.max(0, Math.round(deadline - performance.now()));
    try {
      return await act(home, 'wait', { ...options, body: { select, timeoutMs: left } satisfies WaitRequest });
    } catch (error) {
      if (!isBrokenOff(error)) throw error;
    }
  }
}

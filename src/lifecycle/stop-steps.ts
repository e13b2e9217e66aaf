import type { AppSpec } from '../protocol/spec.ts';
import type { Effect, Ms } from './state.ts';

export interface StopStep {
  readonly effect: Extract<Effect, { do: 'ask' | 'signal' }>;
  /** How long to wait before the next step, SIGKILL after the last. */
  readonly waitMs: Ms;
}

type StopPart = Pick<AppSpec, 'stopCommand' | 'stopStdin' | 'stopMessage' | 'stopSignals' | 'stopTimeoutMs'> & {
  readonly share: Pick<AppSpec['share'], 'drainTimeoutMs'>;
};

/** How an app is asked to end, step after step. There is at least one signal. */
export function stopSteps(
  { stopCommand, stopStdin, stopMessage, stopSignals, stopTimeoutMs, share }: StopPart,
  { drains = false } = {},
): readonly StopStep[] {
  const ask = (how: 'command' | 'stdin' | 'message'): StopStep => ({
    effect: { do: 'ask', how },
    waitMs: stopTimeoutMs,
  });
  return [
    ...(drains ? [{ effect: { do: 'ask', how: 'drain' }, waitMs: share.drainTimeoutMs } as const] : []),
    ...(stopCommand === null ? [] : [ask('command')]),
    ...(stopStdin === null ? [] : [ask('stdin')]),
    ...(stopMessage ? [ask('message')] : []),
    ...stopSignals.map(
      ({ signal, waitMs }): StopStep => ({ effect: { do: 'signal', signal }, waitMs: waitMs ?? stopTimeoutMs }),
    ),
  ];
}

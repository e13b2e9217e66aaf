import type { WaitRequest, WaitResponse } from '../../protocol/api.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';
import { selected } from './select.ts';

/** wait: until nothing of the apps runs or will run by itself. A job's exit code is handed over at once, whatever it left running. */
export async function wait(daemon: Daemon, body: WaitRequest, signal: AbortSignal): Promise<WaitResponse> {
  const apps = selected(daemon, body.select);
  const { timeoutMs } = body;
  const limit =
    typeof timeoutMs === 'number'
      ? AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(Math.min(timeoutMs, 2 ** 31 - 1)))])
      : signal;
  let timedOut = false;
  await Promise.all(
    apps.map((app) => Promise.all(app.instances.map((instance) => instance.until(isOver, limit)))),
  ).catch((error) => {
    if (signal.aborted) throw error;
    timedOut = true;
  });
  return {
    results: apps.map(({ name, instances }) => ({
      name,
      state: instances[0]!.model.state.name,
      exit: instances[0]!.lastExit,
    })),
    timedOut,
  };
}

function isOver({ model, app, lastExit }: Instance): boolean {
  const { state } = model;
  if (app.isForgotten || ['stopped', 'completed', 'failed', 'stuck'].includes(state.name)) return true;
  const isLeaving = state.name === 'stopping' && state.goal === 'policy' && state.exit !== null;
  return isLeaving && app.spec.kind === 'job' && app.spec.restart === 'no' && lastExit?.run === state.run;
}

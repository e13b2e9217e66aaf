import { logFiles } from '../../logs/layout.ts';
import { countOn } from '../../programs/names.ts';
import { resolveCommand } from '../../programs/resolve.ts';
import type { RunRequest, RunResponse } from '../../protocol/api.ts';
import type { Daemon } from '../context.ts';
import { checkDependencies } from '../dependencies.ts';
import { sweepJobs } from '../jobs.ts';
import { checkedOptions, makeSpec } from '../make-spec.ts';
import { appViews } from '../view.ts';
import { checkedCaller } from './body.ts';
import { askedBy } from './select.ts';
import { addApp, isTaken } from './start.ts';

/** run: one job in the background; answered as soon as its program is there. */
export async function run(daemon: Daemon, body: RunRequest, signal: AbortSignal): Promise<RunResponse> {
  const options = checkedOptions(body.options);
  const caller = checkedCaller(body.caller);
  const resolved = await resolveCommand({ command: body.command, options, caller });
  const spec = await makeSpec({ kind: 'job', resolved, options, caller }, daemon.enforcement);
  checkDependencies(daemon, [spec]);
  // From here to `addApp` nothing waits: no other request takes the name.
  const name = countOn(spec.name, (taken) => isTaken(daemon, taken));
  const isHeld = body.isHeld === true;
  const { app } = addApp(daemon, { ...spec, name }, askedBy(body), { isHeld });
  sweepJobs(daemon);
  const logs = logFiles(daemon.home, name, 0, app.spec.log);
  if (isHeld) return { app: appViews(daemon, [app])[0]!, run: 0, logs, notes: resolved.notes };
  const instance = app.instances[0]!;
  instance.dispatch({ type: 'start', by: 'user' });
  const { run } = instance.model;
  await instance.until(({ model }) => model.run !== run || model.state.name !== 'starting', signal);
  const logFrom = instance.model.run === run ? instance.logStart : instance.endedLogStart;
  return {
    app: appViews(daemon, [app])[0]!,
    run,
    logs,
    logFrom,
    notes: resolved.notes,
  };
}

import { readEnvFiles } from '../../programs/env-file.ts';
import { mergeEnvironment } from '../../programs/environment.ts';
import type { ActionResponse, ActionResult, RestartRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { refuseLost } from '../../view/lost-app.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import { checkedCaller } from '../make-spec.ts';
import { appViews } from '../view.ts';
import { askedBy, selected } from './select.ts';
import { lookAt } from './start.ts';
import { stuckError } from './stop.ts';

/** restart: the tree ends, then the program is started anew with the environment that it had, or with the caller's. */
export async function restart(daemon: Daemon, body: RestartRequest, signal: AbortSignal): Promise<ActionResponse> {
  const apps = selected(daemon, body.select);
  const by = askedBy(body);
  const caller = body.updateEnv ? checkedCaller(body.updateEnv) : null;
  for (const app of apps) refuseLost(app.spec);
  for (const app of apps) {
    if (caller) app.setSpec({ ...app.spec, env: await freshEnvironment(app.spec, caller.env) });
    app.setWant('running', by);
  }
  const results = await Promise.all(apps.map((app) => restartOne(app, { wait: body.wait !== false, signal })));
  // One look at /proc for all of them.
  return { results: appViews(daemon, apps).map((app, at) => ({ app, ...results[at]! })) };
}

/** The caller's, with what was set over it, and the env files as they are now. */
async function freshEnvironment({ envFiles, options }: AppSpec, env: readonly string[]): Promise<readonly string[]> {
  return mergeEnvironment(env, mergeEnvironment(await readEnvFiles(envFiles), options.env ?? []));
}

async function restartOne(
  app: App,
  { wait, signal }: { wait: boolean; signal: AbortSignal },
): Promise<Omit<ActionResult, 'app'>> {
  const instance = app.instances[0]!;
  const { run } = instance.model;
  const result = (rest: Partial<ActionResult>) => ({
    changed: true,
    error: null,
    ...rest,
  });
  try {
    instance.dispatch({ type: 'restart' });
    await instance.until(
      ({ model }) => model.run > run || app.isForgotten || ['stuck', 'stopped', 'waiting'].includes(model.state.name),
      signal,
    );
    const error = stuckError(app);
    return error ? result({ changed: false, error }) : result(await lookAt(instance, wait, signal));
  } catch (error) {
    if (error instanceof SteadError) return result({ error: error.toBody() });
    throw error;
  }
}

import { readEnvFiles } from '../../programs/env-file.ts';
import { mergeEnvironment } from '../../programs/environment.ts';
import type { ActionResponse, ActionResult, Caller, RestartRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { refuseLost } from '../../view/lost-app.ts';
import { type App, refuseKept } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';
import { bringToSize } from '../scale.ts';
import { appViews } from '../view.ts';
import { checkedCaller } from './body.ts';
import { askedBy, meantOf, selected } from './select.ts';
import { lookAtAll } from './start.ts';
import { stuckError } from './stop.ts';

/** restart: the tree ends, then the program is started anew with the environment that it had, or with the caller's. */
export async function restart(daemon: Daemon, body: RestartRequest, signal: AbortSignal): Promise<ActionResponse> {
  const apps = selected(daemon, body.select);
  const by = askedBy(body);
  const caller = body.updateEnv ? checkedCaller(body.updateEnv) : null;
  for (const app of apps) refuseLost(app.spec);
  if (caller) for (const app of apps) refuseKept(app);
  // Who asks has systemd restart its own.
  const own = apps.filter(({ keeper }) => keeper === null);
  for (const app of own) {
    if (caller) await updateEnvironment(app, caller);
    app.setWant('running', by);
  }
  const results = await Promise.all(
    apps.map(async (app) => {
      if (app.keeper !== null) return { changed: false, error: null };
      // What a reload is about to put in place is the same that a restart starts.
      if (app.rollout !== null) await app.daemon.rollouts.abort(app);
      daemon.watching.renew(app);
      bringToSize(app, by);
      return restartOne(app, { instances: meantOf(app, body.select), wait: body.wait !== false, signal });
    }),
  );
  // One look at /proc for all of them.
  return { results: appViews(daemon, apps).map((app, at) => ({ app, ...results[at]! })) };
}

/** The environment of who asks, in place of the kept one. */
export async function updateEnvironment(app: App, caller: Caller): Promise<void> {
  app.setSpec({ ...app.spec, env: await freshEnvironment(app.spec, caller.env) });
}

/** The caller's, with what was set over it, and the env files as they are now. */
async function freshEnvironment({ envFiles, options }: AppSpec, env: readonly string[]): Promise<readonly string[]> {
  return mergeEnvironment(env, mergeEnvironment(await readEnvFiles(envFiles), options.env ?? []));
}

export async function restartOne(
  app: App,
  { instances, wait, signal }: { instances: readonly Instance[]; wait: boolean; signal: AbortSignal },
): Promise<Omit<ActionResult, 'app'>> {
  const runs = instances.map(({ model }) => model.run);
  const result = (rest: Partial<ActionResult>) => ({
    changed: true,
    error: null,
    ...rest,
  });
  try {
    for (const instance of instances) instance.dispatch({ type: 'restart' });
    await Promise.all(
      instances.map((instance, at) =>
        instance.until(
          ({ model }) =>
            model.run > runs[at]! || app.isForgotten || ['stuck', 'stopped', 'waiting'].includes(model.state.name),
          signal,
        ),
      ),
    );
    const error = stuckError(app);
    return error ? result({ changed: false, error }) : result((await lookAtAll(instances, wait, signal)).look);
  } catch (error) {
    if (error instanceof SteadError) return result({ error: error.toBody() });
    throw error;
  }
}

import { removeLogs } from '../../logs/excerpt.ts';
import type { ActionResponse, ActionResult, AppView, DeleteRequest, Keeper, StopRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import { stopWaves } from '../dependencies.ts';
import type { Instance } from '../instance.ts';
import { appViews } from '../view.ts';
import { askedBy, refusePart, selected } from './select.ts';

const atRest = ['stopped', 'completed', 'failed'];

/** Ends apps, whole trees; answered when nothing of them is alive, or with STUCK. */
export async function stop(daemon: Daemon, body: StopRequest, signal: AbortSignal): Promise<ActionResponse> {
  const apps = selected(daemon, body.select);
  refusePart(apps, body.select, 'stopped');
  const changed = new Map(apps.map((app) => [app, app.want !== 'stopped' || !isAtRest(app)]));
  // Who asks has systemd stop its own.
  const own = apps.filter(({ keeper }) => keeper === null);
  const unsaved = new Set(own.filter((app) => !app.setEnd('stopped', askedBy(body))));
  await stopInOrder(own, 'stay', body.wait !== false, signal);
  return {
    results: appViews(daemon, apps).map((view, at) => ({
      app: view,
      changed: changed.get(apps[at]!)!,
      error: stuckError(apps[at]!),
      notes: unsaved.has(apps[at]!) ? [unsavedNote(view.name)] : [],
    })),
  };
}

/** Ends apps and forgets them; their logs stay, unless purged. */
export async function remove(daemon: Daemon, body: DeleteRequest, signal: AbortSignal): Promise<ActionResponse> {
  const apps = selected(daemon, body.select);
  refusePart(apps, body.select, 'deleted');
  const views = appViews(daemon, apps);
  if (body.leaveRunning === true) return release(apps, views, askedBy(body));
  for (const app of apps) app.setEnd('deleted', askedBy(body));
  await stopInOrder(apps, 'delete', body.wait !== false, signal);
  const results: ActionResult[] = apps.map((app, at) => ({
    app: views[at]!,
    changed: true,
    error: app.isForgotten ? leftoverError(app) : stuckError(app),
    notes: app.keeper === null ? [] : [stillKept(app.name, app.keeper)],
  }));
  if (body.purge === true) for (const app of apps) if (app.isForgotten) removeLogs(daemon.home, app.name);
  return { results };
}

function leftoverError({ name, leftover }: App): ActionResult['error'] {
  if (leftover === null) return null;
  return new SteadError('DISK', `"${name}" has ended, but its files can't be removed: ${leftover.message}.`, {
    hint: 'look at the home: df -h, ls -la; the next daemon may know it again',
  }).toBody();
}

const stillKept = (name: string, { main, scope }: Keeper): string =>
  `systemd keeps ${main} on, and stead knows nothing of ${name} any more: systemctl ${scope === 'user' ? '--user ' : ''}disable --now ${main}`;

const unsavedNote = (name: string): string =>
  `the disk is full: that ${name} is to stay stopped is written when there is room (df -h); until then a restart of the machine or of the daemon may start it`;

/** Forgets what was adopted and lets it run: nobody waits for its end. */
function release(apps: readonly App[], views: readonly AppView[], by: string): ActionResponse {
  const own = apps.find((app) =>
    app.instances.some(({ program, launcher }) => program !== null && launcher?.pid !== 0),
  );
  if (own)
    throw new SteadError(
      'UNSUPPORTED',
      `"${own.name}" can't be left running: stead started it, and its launcher waits for its end.`,
      {
        hint: `only what was adopted can be given back; stead delete ${own.name} ends it`,
      },
    );
  for (const app of apps) {
    app.setEnd('deleted', by);
    app.forget();
  }
  return { results: views.map((app) => ({ app, changed: true, error: null })) };
}

/** Those first that others of them don't wait for. A wish is durable by now: should this daemon die, the next one ends the rest. */
export async function stopInOrder(
  apps: readonly App[],
  goal: 'stay' | 'delete',
  isAwaited: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const waves = stopWaves(apps);
  // One that waits to be told how to go on is over with it.
  for (const app of apps)
    if (app.rollout !== null && !app.daemon.rollouts.isUnderWay(app)) void app.daemon.rollouts.abort(app);
  const endAll = async () => {
    for (const [at, wave] of waves.entries()) {
      for (const app of wave) for (const instance of app.all) endOne(instance, goal);
      const isLast = at === waves.length - 1;
      if (!isLast || isAwaited) await Promise.all(wave.map((app) => stopSettled(app, isLast ? signal : undefined)));
    }
  };
  // Who asked may go away; what was asked for is done all the same.
  if (isAwaited) await endAll();
  else void endAll();
}

/** Of a reload: who has no place does not come to be at rest, but goes; and has no time left to drain. */
function endOne(instance: Instance, goal: 'stay' | 'delete'): void {
  if (instance.role !== 'main') instance.dispatch({ type: 'stop', goal: 'retire' });
  instance.dispatch({ type: 'stop', goal });
}

const isAtRest = (app: App): boolean => app.instances.every(({ model }) => atRest.includes(model.state.name));

const stopSettled = (app: App, signal: AbortSignal | undefined): Promise<unknown> =>
  Promise.all(app.all.map((instance) => runIsOver(instance, signal)));

/** At rest, stuck, gone, or (somebody started it again meanwhile) in a later run. */
function runIsOver(instance: Instance, signal: AbortSignal | undefined): Promise<void> {
  const { run } = instance.model;
  return instance.until(
    ({ app, model }) =>
      app.isForgotten ||
      !app.all.includes(instance) ||
      model.state.name === 'stuck' ||
      atRest.includes(model.state.name) ||
      model.run > run,
    signal,
  );
}

export function stuckError(app: App): ActionResult['error'] {
  const stuck = app.all.flatMap(({ model }) => (model.state.name === 'stuck' ? model.state.pids : []));
  if (stuck.length === 0) return null;
  return new SteadError('STUCK', `"${app.name}" can't be ended: ${stuck.join(', ')} still alive after SIGKILL.`, {
    hint: `look what holds them: cat /proc/${stuck[0]}/stack /proc/${stuck[0]}/wchan; stead goes on trying`,
    details: { pids: stuck },
  }).toBody();
}

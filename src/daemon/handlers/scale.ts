import { scaledTo } from '../../config/instances.ts';
import type { ActionResponse, ActionResult, ScaleRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { refuseLost } from '../../view/lost-app.ts';
import { type App, refuseKept } from '../app.ts';
import type { Daemon } from '../context.ts';
import { changeSpec } from '../make-spec.ts';
import { bringToSize, wantedInstances } from '../scale.ts';
import { appViews } from '../view.ts';
import { askedBy, selected } from './select.ts';
import { lookAt } from './start.ts';

/** scale: more or fewer instances, also of an app that does not run. Answered when the new ones are up and nothing of the others is left. */
export async function scale(daemon: Daemon, body: ScaleRequest, signal: AbortSignal): Promise<ActionResponse> {
  const apps = selected(daemon, body.select);
  for (const { spec } of apps) refuse(spec.kind, spec.name);
  for (const app of apps) refuseKept(app);
  for (const { spec } of apps) refuseLost(spec);
  const specs = await Promise.all(
    apps.map((app) => {
      const instances = String(scaledTo(body.to, wantedInstances(app)));
      return changeSpec(app.spec, { ...app.spec.options, instances }, daemon.enforcement);
    }),
  );
  const by = askedBy(body);
  const results = await Promise.all(
    apps.map(async (app, at): Promise<Omit<ActionResult, 'app'>> => {
      const before = app.spec;
      const changed = JSON.stringify(before.share) !== JSON.stringify(specs[at]!.share);
      if (changed) app.changeSpec(specs[at]!);
      return scaleOne(app, {
        changed,
        wasAlone: before.share.instances === null,
        wait: body.wait !== false,
        by,
        signal,
      });
    }),
  );
  return { results: appViews(daemon, apps).map((app, at) => ({ app, ...results[at]! })) };
}

function refuse(kind: 'app' | 'job', name: string): void {
  if (kind === 'job')
    throw new SteadError('UNSUPPORTED', `"${name}" is a job: there is one of it.`, { hint: 'stead run it once more' });
}

interface Scaling {
  readonly changed: boolean;
  /** It had its port for itself: it takes a restart to share it. */
  readonly wasAlone: boolean;
  readonly wait: boolean;
  readonly by: string;
  readonly signal: AbortSignal;
}

async function scaleOne(
  app: App,
  { changed, wasAlone, wait, by, signal }: Scaling,
): Promise<Omit<ActionResult, 'app'>> {
  const notes: string[] = [];
  const before = new Set(app.all);
  const first = app.instances[0]!;
  try {
    const hasOwnPort = wasAlone && app.instances.length < wantedInstances(app) && first.model.state.name === 'running';
    if (hasOwnPort) {
      notes.push(`${app.name} was restarted, as it did not share its port before`);
      const { run } = first.model;
      first.dispatch({ type: 'restart' });
      await first.until(({ model }) => model.run > run || model.state.name !== 'stopping', signal);
    }
    bringToSize(app, by);
    const added = app.instances.filter((one) => !before.has(one) || (hasOwnPort && one === first));
    if (app.want === 'running') await Promise.all(added.map((one) => lookAt(one, wait, signal)));
    if (wait) await untilGone(app, [...before], signal);
    return { changed, error: null, notes };
  } catch (error) {
    if (error instanceof SteadError) return { changed, error: error.toBody(), notes };
    throw error;
  }
}

async function untilGone(app: App, before: readonly { readonly role: string }[], signal: AbortSignal): Promise<void> {
  const leaving = app.all.filter((one) => one.role === 'retiring' && before.includes(one));
  await Promise.all(
    leaving.map((one) => one.until(() => !app.all.includes(one) || one.model.state.name === 'stuck', signal)),
  );
}

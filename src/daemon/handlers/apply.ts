/**
 * apply: the apps of a config file as they are said there: new ones are started, those that differ are changed and started again, the others left alone. All of it
 * is checked before any of it is done.
 */
import { readEnvFiles } from '../../programs/env-file.ts';
import { remembering } from '../../programs/remembered.ts';
import type {
  AppliedApp,
  ApplyRequest,
  ApplyResponse,
  AppView,
  Change,
  ConfigApp,
  Keeper,
} from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec, SpecOptions } from '../../protocol/spec.ts';
import { shareEqualParts } from '../../storage/apps.ts';
import type { App } from '../app.ts';
import { changesOf } from '../apply/changes.ts';
import { resolveApp } from '../apply/config-app.ts';
import { checkedProject, inProject, nameIn, type Place } from '../apply/project.ts';
import type { Daemon } from '../context.ts';
import { checkDependencies } from '../dependencies.ts';
import { checkedOptions, makeSpec } from '../make-spec.ts';
import { concernsLaunch } from '../of-launch.ts';
import { whyRestarted } from '../rollout.ts';
import { bringToSize } from '../scale.ts';
import { appViews } from '../view.ts';
import { checkedCaller } from './body.ts';
import { askedBy } from './select.ts';
import { addApp, checkLogs, lookAtAll } from './start.ts';
import { remove } from './stop.ts';

/** Each looks into files: a thousand at once would hold megabytes of them, of which the allocator keeps the room. */
const plannedAtOnce = 20;

interface Plan {
  readonly spec: AppSpec;
  readonly app: App | null;
  readonly differing: readonly string[];
  readonly changes: readonly Change[];
  /** Some of it a run that goes on can't have. */
  readonly needsLaunch: boolean;
  readonly notes: readonly string[];
}

export async function apply(daemon: Daemon, body: ApplyRequest, signal: AbortSignal): Promise<ApplyResponse> {
  const caller = checkedCaller(body.caller);
  const place = { file: body.file, project: checkedProject(body.project ?? null), caller };
  const plans = await remembering(() => planAll(daemon, inProject(daemon, body.apps, place), place));
  checkDependencies(
    daemon,
    plans.map(({ spec }) => spec),
  );
  const orphans = [...daemon.apps.values()].filter(
    ({ spec, name }) =>
      body.isPartial !== true && spec.origin === body.file && !plans.some((plan) => plan.spec.name === name),
  );
  const pruned = body.isPruned === true ? orphans : [];
  const notes = [
    ...plans.flatMap((plan) => plan.notes),
    ...orphans
      .filter((app) => !pruned.includes(app))
      .map(
        ({ name }) =>
          `${name} is no longer in this file, and goes on as it is: stead apply --prune, or stead delete ${name}`,
      ),
  ];
  const removed = pruned.map(removedApp);
  if (body.isDryRun === true) return { apps: [...allApplied(daemon, plans, []), ...removed], notes };
  const by = askedBy(body);
  if (pruned.length > 0)
    await remove(
      daemon,
      { select: pruned.map(({ name }) => name), caller: body.caller, wait: body.wait !== false, purge: false },
      signal,
    );
  const apps: (App | null)[] = [];
  for (const [at, plan] of plans.entries()) {
    apps.push(putInPlace(daemon, plan, by));
    // Each is made durable, which takes a millisecond or two: others want to be answered meanwhile.
    if (at % 5 === 4) await new Promise(setImmediate);
  }
  const errors = await Promise.all(
    apps.map((app, at) => (app === null ? null : bringUp(app, plans[at]!, { by, wait: body.wait !== false, signal }))),
  );
  return { apps: [...allApplied(daemon, plans, errors), ...removed], notes };
}

const removedApp = ({ name }: App): AppliedApp => ({
  name,
  change: 'removed',
  differing: [],
  changes: [],
  app: null,
  error: null,
});

/** All of them or, with every mistake named, none. */
async function planAll(daemon: Daemon, apps: readonly ConfigApp[], place: Place): Promise<Plan[]> {
  const plans: PromiseSettledResult<Plan>[] = [];
  for (let at = 0; at < apps.length; at += plannedAtOnce) {
    const some = apps.slice(at, at + plannedAtOnce);
    plans.push(...(await Promise.allSettled(some.map((app) => planOne(daemon, app, place)))));
  }
  const failures = plans.flatMap((plan, at) =>
    plan.status === 'rejected'
      ? [{ name: apps[at]!.options.name ?? `app ${at + 1}`, error: plan.reason as Error }]
      : [],
  );
  const unexpected = failures.find(({ error }) => !(error instanceof SteadError));
  if (unexpected) throw unexpected.error;
  const [only] = failures;
  if (only !== undefined && failures.length === 1) throw only.error;
  if (failures.length > 1)
    throw new SteadError(
      'CONFIG_INVALID',
      `${failures.length} apps can't be started:\n${failures.map(({ name, error }) => `  ${name}: ${error.message}`).join('\n')}`,
      {
        hint: 'nothing was changed',
      },
    );
  const done = plans.flatMap((plan) => (plan.status === 'fulfilled' ? [plan.value] : []));
  const shared = new Map<string, unknown>();
  for (const { spec } of done) shareEqualParts(spec, shared);
  const names = done.map(({ spec }) => spec.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new SteadError('CONFIG_INVALID', `Two apps are called "${twice}".`, { hint: 'give each a name of its own' });
  return done;
}

async function planOne(daemon: Daemon, configApp: ConfigApp, place: Place): Promise<Plan> {
  const { file, caller } = place;
  const options = checkedOptions(configApp.options);
  const resolved = await resolveApp(configApp, caller);
  const name = nameIn(daemon, resolved.name, place);
  const spec = await makeSpec(
    { kind: configApp.kind, resolved: { ...resolved, name }, options, caller, origin: file },
    daemon.enforcement,
  );
  const app = daemon.apps.get(name) ?? null;
  if (app !== null && app.keeper !== null) return keptPlan(app, app.keeper);
  checkLogs(daemon, spec);
  const differing = app === null ? [] : await differences(app.spec, spec);
  const needsLaunch =
    app === null || differing.some((key) => ofProgram.includes(key)) || concernsLaunch(app.spec, spec);
  const changes = app === null ? [] : changesOf(app.spec, spec, differing);
  return { spec, app, differing, changes, needsLaunch, notes: resolved.notes };
}

/** It is systemd's: whatever the file says of it. */
const keptPlan = (app: App, { main }: Keeper): Plan => ({
  spec: app.spec,
  app,
  differing: [],
  changes: [],
  needsLaunch: false,
  notes: [`systemd keeps ${app.name} (${main}): it is left as it is; stead takeback ${app.name} takes it back`],
});

/** Differences that say what runs, and with which environment. */
const ofProgram: readonly string[] = [
  'program',
  'kind',
  'cwd',
  'env',
  'env_file',
  'envFile',
  'interpreter',
  'interpreterArgs',
];

/** What was said differently. The environment of the shell that says it does not count: it differs each time. */
async function differences(before: AppSpec, after: AppSpec): Promise<string[]> {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const keys = new Set([...Object.keys(before.options), ...Object.keys(after.options)]) as Set<keyof SpecOptions>;
  const fromFiles = await readEnvFiles(after.envFiles);
  return [
    ...(same(before.program, after.program) ? [] : ['program']),
    ...(before.kind === after.kind ? [] : ['kind']),
    ...(before.cwd === after.cwd || keys.has('cwd') ? [] : ['cwd']),
    ...[...keys].filter((key) => key !== 'name' && !same(before.options[key], after.options[key])),
    ...(fromFiles.every(
      (entry) =>
        before.env.includes(entry) ||
        (after.options.env ?? []).some((own) => own.split('=')[0] === entry.split('=')[0]),
    )
      ? []
      : ['env_file']),
  ];
}

/** Makes or changes it, durable. Null: it is the same, or not to be started. */
function putInPlace(daemon: Daemon, { spec, app, differing }: Plan, by: string): App | null {
  if (app === null) {
    const added = addApp(daemon, spec, by, { isHeld: !spec.autostart });
    return spec.autostart ? added.app : null;
  }
  if (app.keeper !== null) return null;
  if (differing.length > 0 || app.spec.origin !== spec.origin)
    app.changeSpec(differing.length > 0 ? spec : { ...app.spec, origin: spec.origin });
  if (app.want !== 'running' && !spec.autostart) return null;
  if (app.want !== 'running') app.setWant('running', by);
  return app;
}

async function bringUp(
  app: App,
  { needsLaunch, differing }: Plan,
  { by, wait, signal }: { readonly by: string; readonly wait: boolean; readonly signal: AbortSignal },
): Promise<AppliedApp['error']> {
  const isUp = app.instances.some(({ model }) =>
    ['starting', 'running', 'stopping', 'backoff'].includes(model.state.name),
  );
  bringToSize(app, by);
  // What holds for a run that goes on needs no other.
  const isSame = isUp && (differing.length === 0 || !needsLaunch);
  if (isSame) return null;
  try {
    if (isUp && whyRestarted(app) === null) {
      const end = app.daemon.rollouts.begin(app, { parallel: 1, canary: null, by });
      return wait ? ((await end)?.toBody() ?? null) : null;
    }
    const runs = new Map(app.instances.map((instance) => [instance, instance.model.run]));
    for (const instance of app.instances) instance.dispatch(isUp ? { type: 'restart' } : { type: 'start', by: 'user' });
    if (isUp)
      await Promise.all(
        [...runs].map(([instance, run]) =>
          instance.until(
            ({ model }) => model.run > run || ['stuck', 'stopped', 'waiting'].includes(model.state.name),
            signal,
          ),
        ),
      );
    const { look } = await lookAtAll(app.instances, wait, signal);
    const isDone = app.instances.every(({ model }) => model.state.name === 'completed');
    if (look.early === null || app.spec.kind === 'job' || isDone) return null;
    return new SteadError('EXITED_EARLY', `"${app.name}" ended at once: ${look.early.exit.reason}`, {
      hint: look.early.next,
      details: { lastLines: look.early.lastLines },
    }).toBody();
  } catch (error) {
    if (error instanceof SteadError) return error.toBody();
    throw error;
  }
}

/** One look at /proc for all of them. */
function allApplied(daemon: Daemon, plans: readonly Plan[], errors: readonly AppliedApp['error'][]): AppliedApp[] {
  const apps = plans.flatMap(({ spec }) => daemon.apps.get(spec.name) ?? []);
  const views = new Map(appViews(daemon, apps).map((view) => [view.name, view]));
  return plans.map((plan, at) => applied(plan, views.get(plan.spec.name) ?? null, errors[at] ?? null));
}

function applied({ spec, app, differing, changes }: Plan, now: AppView | null, error: AppliedApp['error']): AppliedApp {
  return {
    name: spec.name,
    change: app === null ? 'new' : differing.length > 0 ? 'changed' : 'same',
    differing,
    changes: app === null ? [] : changes,
    app: now,
    error,
  };
}

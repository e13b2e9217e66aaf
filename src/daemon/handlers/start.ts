/**
 * start: scripts, commands, or apps that are known. Everything is resolved before anything is kept, so that one bad target refuses all.
 */

import { join } from 'node:path';
import { settle } from '../../config/settle.ts';
import { monotonicMs } from '../../host/clock.ts';
import { isDead, type ProcessId, processStat } from '../../host/process.ts';
import { nowhere } from '../../logs/layout.ts';
import { isRunner } from '../../programs/command-words.ts';
import { kindOfFile } from '../../programs/paths.ts';
import { quote, shellWord } from '../../programs/quote.ts';
import { meaningOf, type Resolved, resolveCommand, resolveTarget } from '../../programs/resolve.ts';
import type { StartedApp, StartRequest, StartResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec, SpecOptions } from '../../protocol/spec.ts';
import { createApp } from '../../storage/apps.ts';
import { newState } from '../../storage/new-state.ts';
import { renamedFrom } from '../../storage/rename.ts';
import { refuseLost } from '../../view/lost-app.ts';
import { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import { checkDependencies, dependenciesOf } from '../dependencies.ts';
import { execFailure } from '../exec-failure.ts';
import { type FirstLook, firstLook, laterEnd } from '../first-look.ts';
import type { Instance } from '../instance.ts';
import { checkedOptions, makeSpec } from '../make-spec.ts';
import { nameTaken } from '../name-taken.ts';
import { bringToSize } from '../scale.ts';
import { appViews } from '../view.ts';
import { checkedCaller } from './body.ts';
import { askedBy, selected } from './select.ts';
import { stuckError } from './stop.ts';

/** What is to be started: an app there is, or a spec for one that isn't yet. */
type Plan =
  | { readonly app: App; readonly notes: readonly string[] }
  | { readonly spec: AppSpec; readonly notes: readonly string[] };

export async function start(daemon: Daemon, body: StartRequest, signal: AbortSignal): Promise<StartResponse> {
  const request = checked(body);
  const isHeld = request.isHeld === true;
  const plans = await planAll(daemon, request);
  checkDependencies(
    daemon,
    plans.flatMap((plan) => ('spec' in plan ? [plan.spec] : [])),
  );
  const by = askedBy(request);
  const apps = plans.map((plan) =>
    'app' in plan ? { app: plan.app, isNew: false } : addApp(daemon, plan.spec, by, { isHeld }),
  );
  const started = await Promise.all(
    apps.map((one, at) =>
      isHeld || one.app.keeper !== null
        ? { changed: one.isNew, early: null, sockets: [], notes: [...plans[at]!.notes, ...heldNotes(one)] }
        : bringUp({ ...one, notes: plans[at]!.notes, request, by, signal }),
    ),
  );
  // One look at /proc for all of them.
  const views = appViews(
    daemon,
    apps.map(({ app }) => app),
  );
  return { apps: started.map((one, at) => ({ app: views[at]!, ...one })) };
}

/** With its options checked. */
type Asked = StartRequest & { readonly options: SpecOptions };

function checked(body: StartRequest): Asked {
  if (body.targets.length === 0 && body.rest.length === 0) {
    throw new SteadError('USAGE', 'There is nothing to start.', {
      hint: 'stead start app.js, or: stead start -- npm run api',
    });
  }
  const { takeFrom = [] } = body;
  if (!Array.isArray(takeFrom) || !takeFrom.every((pid) => Number.isInteger(pid) && pid > 1))
    throw new SteadError('BAD_REQUEST', '"takeFrom" must be a list of pids.');
  return { ...body, options: checkedOptions(body.options), caller: checkedCaller(body.caller) };
}

async function planAll(daemon: Daemon, request: Asked): Promise<Plan[]> {
  if (request.targets.length === 0) {
    const resolved = await resolveCommand({ command: request.rest, options: request.options, caller: request.caller });
    return [await planProgram(daemon, request, resolved)];
  }
  if (await isOneCommand(daemon, request))
    throw new SteadError(
      'USAGE',
      `${quote(request.targets[0]!)} and what follows are one command line, not programs to start each.`,
      {
        hint: asCommand(request),
      },
    );
  if (request.targets.length > 1 && request.options.name !== undefined) {
    throw new SteadError('USAGE', `One name can't be given to ${request.targets.length} programs.`, {
      hint: 'start them one by one',
    });
  }
  const plans: Plan[] = [];
  for (const target of request.targets) {
    try {
      plans.push(...(await planTarget(daemon, request, target)));
    } catch (error) {
      throw isCommandBefore(plans) ? orAsCommand(error, request) : error;
    }
  }
  return plans;
}

/** `start npm run dev`, `start node server.js`: what only runs other programs is not meant by itself, if more follows. */
async function isOneCommand(daemon: Daemon, { targets: [first = '', ...others], caller }: Asked): Promise<boolean> {
  if (others.length === 0 || daemon.apps.has(first) || !isRunner(first)) return false;
  return !first.includes('/') && (await kindOfFile(join(caller.cwd, first))) !== 'file';
}

/** `start mytool serve`: where the first is a command, what is no program after it is probably an argument. */
const isCommandBefore = ([first]: readonly Plan[]): boolean =>
  first !== undefined && 'spec' in first && first.spec.program.how === 'command';

function orAsCommand(error: unknown, request: Asked): unknown {
  if (!(error instanceof SteadError) || !['PROGRAM_NOT_FOUND', 'APP_NOT_FOUND'].includes(error.code)) return error;
  return new SteadError(error.code, error.message, { hint: asCommand(request) });
}

/** The line to copy. Options aren't known as they were written. */
function asCommand({ targets, rest, options }: Asked): string {
  const words = [...targets, ...(rest.length === 0 ? [] : ['--', ...rest])].map(shellWord).join(' ');
  const given = Object.keys(options).length === 0 ? '' : ', with the options before --';
  return `stead start -- ${words}${given}`;
}

async function planTarget(daemon: Daemon, request: Asked, target: string): Promise<Plan[]> {
  const { caller, options, rest } = request;
  if (/^(all|@.+|\d{1,9})$/.test(target)) {
    return selected(daemon, [target]).map((app) => ({ app: unchanged(app, request), notes: [] }));
  }
  const known = daemon.apps.get(target);
  if ((await meaningOf(target, { known: known?.spec, cwd: caller.cwd })) === 'app')
    return [{ app: unchanged(known!, request), notes: [] }];
  return [await planProgram(daemon, request, await resolveTarget({ target, rest, options, caller }))];
}

/** The app that a program makes, or the one that it is already. */
async function planProgram(daemon: Daemon, request: Asked, resolved: Resolved): Promise<Plan> {
  const { options, caller } = request;
  const { notes } = resolved;
  const taken = daemon.apps.get(resolved.name);
  const same =
    taken && isSame(taken.spec, resolved) ? taken : resolved.isNamed ? undefined : findSame(daemon, resolved);
  if (same) return { app: unchanged(same, request), notes };
  if (taken) {
    refuseLost(taken.spec);
    throw nameTaken({ ...resolved, options }, taken.spec, (name) => daemon.apps.has(name));
  }
  return { spec: await makeSpec({ kind: 'app', resolved, options, caller }, daemon.enforcement), notes };
}

/** Two scripts are one if they are the same file, whatever else was said. */
function isSame(spec: AppSpec, { program, cwd }: Resolved): boolean {
  if (spec.program.how !== program.how) return false;
  if (program.how === 'script') return spec.program.words[0] === program.words[0];
  return spec.cwd === cwd && JSON.stringify(spec.program.words) === JSON.stringify(program.words);
}

const findSame = (daemon: Daemon, resolved: Resolved): App | undefined =>
  [...daemon.apps.values()].find((app) => app.spec.kind === 'app' && isSame(app.spec, resolved));

/** An app is started as it is known: options or arguments that differ are refused, not dropped. */
function unchanged(app: App, { options, rest }: Asked): App {
  const { spec } = app;
  refuseLost(spec);
  const differing = Object.entries(options).filter(([key, value]) => !agrees(spec, key as keyof SpecOptions, value));
  const words = spec.program.words.slice(spec.program.how === 'script' ? 1 : 0);
  const args = rest.length > 0 && JSON.stringify(words.slice(-rest.length)) !== JSON.stringify(rest);
  if (differing.length === 0 && !args) return app;
  const what = [...differing.map(([key]) => `--${kebab(key)}`), ...(args ? ['its arguments'] : [])].join(', ');
  throw new SteadError('OPTIONS_DIFFER', `"${app.name}" is known with other options (${what}); nothing was changed.`, {
    hint: `stead delete ${app.name}, then say it again; or give this one a name of its own: --name`,
  });
}

const kebab = (key: string) => key.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function agrees(spec: AppSpec, key: keyof SpecOptions, value: unknown): boolean {
  if (key in spec.options) return JSON.stringify(spec.options[key]) === JSON.stringify(value);
  if (key === 'env') return (value as readonly string[]).every((entry) => spec.env.includes(entry));
  if (key === 'user') return spec.user?.name === value || String(spec.user?.uid) === value;
  if (key === 'interpreter')
    return spec.program.interpreter?.name === value || spec.program.interpreter?.path === value;
  if (key === 'interpreterArgs') return JSON.stringify(spec.program.interpreter?.args) === JSON.stringify(value);
  // What is the default, said or not.
  const settled = settle({ ...spec.options, [key]: value }, spec);
  return Object.entries(settled).every(
    ([field, now]) => JSON.stringify(now) === JSON.stringify(spec[field as keyof AppSpec]),
  );
}

/** Makes an app, durable; or takes the one that another request has just made of the same name. */
export function addApp(
  daemon: Daemon,
  spec: AppSpec,
  by: string,
  { isHeld = false } = {},
): { app: App; isNew: boolean } {
  const rival = daemon.apps.get(spec.name);
  if (rival) {
    if (isSame(rival.spec, { program: spec.program, cwd: spec.cwd } as Resolved)) return { app: rival, isNew: false };
    throw nameTaken({ ...spec, isNamed: true }, rival.spec, (name) => daemon.apps.has(name));
  }
  const renamed = renamedFrom(daemon.home, spec.name);
  if (renamed !== null)
    throw new SteadError('NAME_TAKEN', `What runs of "${renamed}" was started as "${spec.name}", and has that name.`, {
      hint: `stead restart ${renamed}, or choose another: --name`,
    });
  checkLogs(daemon, spec);
  const state = {
    ...newState(nextId(daemon), by, spec.share.instances ?? 1),
    ...(isHeld && { want: 'stopped' as const }),
  };
  createApp(daemon.home, { spec, state });
  const app = new App(daemon, { spec, state });
  daemon.apps.set(spec.name, app);
  for (const instance of app.instances) instance.specChanged();
  return { app, isNew: true };
}

/** By an app, or by a run that was started under it. */
export const isTaken = (daemon: Daemon, name: string): boolean =>
  daemon.apps.has(name) || renamedFrom(daemon.home, name) !== null;

/** Two that rotate one file would lose each other's lines. Throws OPTION_INVALID. */
export function checkLogs(daemon: Daemon, { name, log }: AppSpec): void {
  const own = [log.out, log.err].filter((path) => path !== null && path !== nowhere);
  for (const { spec } of daemon.apps.values()) {
    const shared = own.find((path) => spec.name !== name && (spec.log.out === path || spec.log.err === path));
    if (shared !== undefined)
      throw new SteadError('OPTION_INVALID', `"${shared}" is a log of "${spec.name}" already.`, {
        hint: 'give each app a file of its own; stead logs shows several as one',
      });
  }
}

export const nextId = (daemon: Daemon): number => Math.max(-1, ...[...daemon.apps.values()].map((app) => app.id)) + 1;

interface BringUp {
  readonly app: App;
  readonly isNew: boolean;
  readonly notes: readonly string[];
  readonly request: Pick<Asked, 'wait' | 'takeFrom'>;
  readonly by: string;
  readonly signal: AbortSignal;
}

export async function bringUp({ app, isNew, notes, request, by, signal }: BringUp): Promise<Omit<StartedApp, 'app'>> {
  const before = app.instances.map(({ model }) => model);
  if (stuckError(app)) throw SteadError.fromBody(stuckError(app)!);
  if (isNew) await refuseTaken(app, by, request.takeFrom ?? []);
  if (!isNew && app.want !== 'running') app.setWant('running', by);
  const needed = bringUpNeeded(app, by);
  bringToSize(app, by);
  for (const instance of app.instances) instance.dispatch({ type: 'start', by: 'user' });
  const changed = app.instances.some(
    ({ model }, at) => model.run !== before[at]?.run || model.state.name !== before[at]?.state.name,
  );
  const { look, instance } = await lookAtAll(app.instances, request.wait !== false, signal);
  const failure = look.early === null ? null : execFailure(instance, look.early);
  if (failure && isNew) {
    await takeAway(app, by);
    throw failure;
  }
  return { changed: isNew || changed, ...look, notes: [...notes, ...needed, ...look.notes] };
}

/** Sockets that it names are made before it is kept: what can't be had refuses the start. */
async function refuseTaken(app: App, by: string, takeFrom: readonly number[]): Promise<void> {
  try {
    app.sharing?.takeFrom(takeFrom.flatMap(identity));
    app.sharing?.makeDeclared();
  } catch (error) {
    await takeAway(app, by);
    throw error;
  }
}

function identity(pid: number): readonly ProcessId[] {
  const stat = processStat(pid);
  return stat === null || isDead(stat) ? [] : [{ pid, startTicks: stat.startTicks }];
}

async function takeAway(app: App, by: string): Promise<void> {
  app.setWant('deleted', by);
  for (const instance of app.all) instance.dispatch({ type: 'stop', goal: 'delete' });
  await Promise.all(app.all.map((instance) => instance.until(() => app.isForgotten)));
}

/** Several instances: what the first tells that ended early, else the first. */
export async function lookAtAll(
  instances: readonly Instance[],
  wait: boolean,
  signal: AbortSignal,
): Promise<{ readonly look: FirstLook; readonly instance: Instance }> {
  const lookAtOne = async (instance: Instance) => ({ instance, look: await lookAt(instance, wait, signal) });
  const [first, ...others] = instances;
  const firstLook = await lookAtOne(first!);
  // The others may wait for the first to listen, which one that ends at once never does.
  if (firstLook.look.early !== null) return firstLook;
  const ended = await Promise.all(others.map(lookAtOne)).catch((error: unknown) => {
    const look = laterEnd(first!);
    if (look === null) throw error;
    return { instance: first!, look };
  });
  if (!Array.isArray(ended)) return ended;
  const looks = [firstLook, ...ended];
  const notes = [...new Set(looks.flatMap(({ look }) => look.notes))];
  const { instance, look } = looks.find((one) => one.look.early !== null) ?? looks[0]!;
  return { instance, look: { ...look, notes } };
}

/** What it needs is started with it. */
function bringUpNeeded(app: App, by: string): string[] {
  const started = dependenciesOf(app.daemon, app).filter(
    ({ want, spec, keeper }) => want !== 'running' && spec.kind === 'app' && keeper === null,
  );
  for (const other of started) {
    other.setWant('running', `${by}, for ${app.name}`);
    for (const instance of other.instances) instance.dispatch({ type: 'start', by: 'user' });
  }
  return started.map(({ name }) => `${name} is started, too: ${app.name} needs it`);
}

/** It may have to wait for what it needs. Throws DEPENDENCY_FAILED when that will not come. */
async function turnOfItsOwn(instance: Instance, signal: AbortSignal): Promise<void> {
  const isWaiting = ({ model: { state } }: Instance) => state.name === 'waiting' && state.for === 'turn';
  await instance.until((one) => {
    const { state } = one.model;
    return !isWaiting(one) || (state.name === 'waiting' && state.isBlocked) || one.app.isForgotten;
  }, signal);
  const { state } = instance.model;
  if (state.name === 'waiting' && state.isBlocked)
    throw new SteadError('DEPENDENCY_FAILED', `"${instance.app.name}" can't start: ${state.reason}.`, {
      hint: `it starts by itself as soon as that is there; stead why ${instance.app.name}`,
    });
}

/** Throws NOT_READY, once nothing of it is left, if this run was not ready in time. */
async function refuseLate(instance: Instance, run: number, signal: AbortSignal): Promise<void> {
  const isUnderWay = ({ app, model: { state } }: Instance) =>
    !app.isForgotten &&
    'run' in state &&
    state.run === run &&
    (state.name === 'starting' || (state.name === 'stopping' && state.cause?.isFinal === true));
  await instance.until((one) => !isUnderWay(one), signal);
  const { state } = instance.model;
  if (state.name !== 'failed' || !state.isLate) return;
  const { name } = instance.app;
  throw new SteadError('NOT_READY', `"${name}" has failed: ${state.reason}.`, {
    hint: `stead logs ${name}; more time: stead set ${name} ready_timeout=60s`,
  });
}

const heldNotes = ({ app, isNew }: { readonly app: App; readonly isNew: boolean }): string[] =>
  isNew ? [`${app.name} is known, and not started (autostart off): stead start ${app.name}`] : [];

/** Waits for the run that is under way or coming. */
export async function lookAt(instance: Instance, wait: boolean, signal: AbortSignal): Promise<FirstLook> {
  await instance.until(({ model }) => model.state.name !== 'stopping' || instance.app.isForgotten, signal);
  if (wait) await turnOfItsOwn(instance, signal);
  const { run, state } = instance.model;
  if (!wait) return { early: null, sockets: [], notes: [] };
  if (state.name === 'running' && monotonicMs() - state.since > 1000) return { early: null, sockets: [], notes: [] };
  await refuseLate(instance, run, signal);
  const look = await firstLook(instance, run, signal);
  const failed = instance.model.state;
  if (failed.name === 'failed' && look.early === null) {
    throw new SteadError('LAUNCH_FAILED', `"${instance.app.name}" could not be started: ${failed.reason}.`, {
      hint: 'stead daemon logs',
    });
  }
  if (failed.name === 'backoff' && look.early === null && instance.lastExit?.run !== instance.model.run) {
    const { name } = instance.app;
    throw new SteadError('LAUNCH_FAILED', `"${name}" could not be started yet: ${failed.reason}.`, {
      hint: `it is tried again by itself; stead why ${name}`,
    });
  }
  return look;
}

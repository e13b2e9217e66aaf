/**
 * What a new daemon makes of what is on disk: programs that live are taken over, ends that nobody saw are made up for, and what was wanted is
 * done. Nothing is ever started while something of it might live.
 */
import { monotonicMs } from '../host/clock.ts';
import type { Model, State } from '../lifecycle/state.ts';
import {
  createApp,
  type Damage,
  loadApps,
  readExits,
  removeCondemned,
  runNumbers,
  type StoredApp,
} from '../storage/apps.ts';
import { newState } from '../storage/new-state.ts';
import { rebuildApp } from '../view/lost-app.ts';
import { App } from './app.ts';
import type { Daemon } from './context.ts';
import { nextId } from './handlers/start.ts';
import type { Instance } from './instance.ts';

/** Loads every app; nothing is acted on yet. */
export async function loadAll(daemon: Daemon): Promise<Damage[]> {
  removeCondemned(daemon.home);
  const { apps, stateless, specless, damages } = loadApps<Model>(daemon.home, { mend: true });
  for (const stored of apps) daemon.apps.set(stored.spec.name, loadOne(daemon, stored));
  for (const spec of stateless) remake(daemon, { spec, state: newState(nextId(daemon), 'found without its state') });
  for (const lost of specless) remake(daemon, await rebuildApp(daemon.home, lost, nextId(daemon)));
  return damages;
}

/** Its files anew, or, where they can't be written, at least known to this daemon. */
function remake(daemon: Daemon, stored: StoredApp<Model>): void {
  try {
    createApp(daemon.home, stored);
  } catch (error) {
    daemon.log(`${stored.spec.name}: not written anew: ${(error as Error).message}`);
  }
  daemon.apps.set(stored.spec.name, loadOne(daemon, stored));
}

function loadOne(daemon: Daemon, stored: StoredApp<Model>): App {
  const isOtherBoot = stored.state.bootId !== daemon.bootId;
  const { name } = stored.spec;
  const latestRun = (index: number) => Math.max(0, ...runNumbers(daemon.home, name, index));
  // The state is an earlier one: nothing is launched that is not wanted, so by then it was.
  const isStale = stored.state.instances.some(({ index, model }) => latestRun(index) > model.run);
  const recent = isStale && stored.state.want === 'stopped' ? 'running' : stored.state.want;
  const want = isOtherBoot && recent === 'running' && !stored.spec.autostart ? 'stopped' : recent;
  const app = new App(daemon, { ...stored, state: { ...stored.state, want } });
  const exits = readExits(daemon.home, name);
  for (const instance of app.instances) {
    const { model } = instance;
    instance.lastExit = exits.findLast((exit) => exit.index === instance.index) ?? null;
    const run = Math.max(model.run, latestRun(instance.index));
    // What became of a run that the state knows nothing of, its records tell.
    const last: State = run > model.run ? launchedUnseen(run) : model.state;
    const sinceBoot = isOtherBoot ? { state: afterReboot(app, last), recent: [] } : { state: last };
    instance.restore({ ...model, ...sinceBoot, run });
  }
  return app;
}

const launchedUnseen = (run: number): State => ({
  name: 'starting',
  run,
  since: monotonicMs(),
  by: 'daemon',
  isLaunched: false,
  deadline: null,
});

/** Nothing survives a reboot: what ran is at rest, and the wish decides what comes. */
function afterReboot(app: App, state: State): State {
  if (state.name === 'stopped' || state.name === 'completed') return state;
  if (app.spec.kind === 'job') {
    // What waits goes on waiting; a schedule goes on.
    if (state.name === 'failed' || state.name === 'waiting') return state;
    const reason = 'interrupted by a restart of the machine';
    if (app.spec.schedule !== null)
      return { name: 'waiting', for: 'time', reason, isBlocked: false, by: 'daemon', isRestart: false };
    return { name: 'failed', reason, until: null, isLate: false };
  }
  return { name: 'stopped', reason: 'the machine was restarted' };
}

/** Takes up each app where it is. */
export function resumeAll(daemon: Daemon): void {
  for (const app of [...daemon.apps.values()]) for (const instance of app.instances) resume(app, instance);
}

function resume(app: App, instance: Instance): void {
  const { state } = instance.model;
  const active = 'run' in state;
  if (active && state.run !== instance.model.run)
    app.daemon.log(`${app.name}: run ${instance.model.run} on disk, ${state.run} in state`);
  if (active) instance.adoptRun();
  instance.resume();
  follow(app, instance);
}

/** A wish that was made durable and perhaps not acted on. */
function follow(app: App, instance: Instance): void {
  const { name } = instance.model.state;
  const isUp = ['starting', 'running', 'backoff', 'waiting'].includes(name);
  if (app.want === 'deleted') instance.dispatch({ type: 'stop', goal: 'delete' });
  else if (app.want === 'stopped' && (isUp || name === 'stopping')) instance.dispatch({ type: 'stop', goal: 'stay' });
  else if (app.want === 'running' && name === 'stopped') instance.dispatch({ type: 'start', by: 'daemon' });
}

/**
 * What a new daemon makes of what is on disk: programs that live are taken over, ends that nobody saw are made up for, and what was wanted is
 * done. Nothing is ever started while something of it might live.
 */
import { monotonicMs } from '../host/clock.ts';
import { isAlive } from '../host/process.ts';
import { readRun } from '../launcher/records.ts';
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
import { runDirectory } from '../storage/layout.ts';
import { newState } from '../storage/new-state.ts';
import { finishRenaming } from '../storage/rename.ts';
import { rebuildApp } from '../view/lost-app.ts';
import { App } from './app.ts';
import type { Daemon } from './context.ts';
import { nextId } from './handlers/start.ts';
import type { Instance } from './instance.ts';
import { bringToSize } from './scale.ts';

/** Loads every app; nothing is acted on yet. */
export async function loadAll(daemon: Daemon): Promise<Damage[]> {
  removeCondemned(daemon.home);
  finishRenaming(daemon.home);
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
  const lastRun = (index: number) =>
    Math.max(...stored.state.instances.map((one) => (one.index === index ? one.model.run : 0)));
  const isStale = stored.state.instances.some(({ index }) => latestRun(index) > lastRun(index));
  const recent =
    isStale && stored.state.want === 'stopped' && stored.state.keeper === undefined ? 'running' : stored.state.want;
  const want = isOtherBoot && recent === 'running' && !stored.spec.autostart ? 'stopped' : recent;
  // Of a reload that the machine's end came over nothing is left but those that were to serve.
  const instances = stored.state.instances.filter(({ role }) => !isOtherBoot || role === 'main');
  const rollout = isOtherBoot ? null : stored.state.rollout;
  const app = new App(daemon, { ...stored, state: { ...stored.state, want, instances, rollout } });
  const exits = readExits(daemon.home, name);
  for (const instance of app.instances) {
    const { model, index } = instance;
    instance.lastExit = exits.findLast((exit) => exit.index === index) ?? null;
    // What became of a run that the state knows nothing of, its records tell.
    const run = Math.max(app.nextRun(index) - 1, latestRun(index));
    const isUnseen = run >= app.nextRun(index) && !isRunAlive(instance);
    const last: State = isUnseen ? launchedUnseen(run) : model.state;
    const sinceBoot = isOtherBoot ? { state: afterReboot(app, last), recent: [] } : { state: last };
    instance.restore({ ...model, ...sinceBoot, run: isUnseen || isOtherBoot ? run : model.run });
  }
  return app;
}

/** What is on disk beside a run that lives is of a reload that was given up. */
function isRunAlive(instance: Instance): boolean {
  const { program, exit, successor } = readRun(instance.runDirectory());
  const main = successor ?? program;
  return 'run' in instance.model.state && main !== null && exit === null && isAlive(main);
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

/** The sockets that were held meanwhile, before anything is launched that needs them. */
export async function takeSocketsBack(daemon: Daemon): Promise<void> {
  await Promise.all(
    [...daemon.apps.values()].map(async (app) => {
      try {
        await app.sharing?.recover();
      } catch (error) {
        daemon.log(`${app.name}: its sockets can't be taken back: ${(error as Error).message}`);
      }
    }),
  );
}

/** Takes up each app where it is. */
export function resumeAll(daemon: Daemon): void {
  for (const app of [...daemon.apps.values()]) {
    addUnknown(app);
    for (const instance of app.all) resume(app, instance);
    if (app.spec.kind === 'app') bringToSize(app, app.by);
    if (app.rollout !== null && app.want === 'running') void daemon.rollouts.resume(app);
    else if (app.rollout !== null) app.setRollout(null);
    app.sharing?.reclaim();
    app.sharing?.changed();
    daemon.watching.look(app);
  }
}

/** The state was an earlier one, and a reload went on after it: what lives and is nobody's has lost its place. */
function addUnknown(app: App): void {
  const { daemon, name } = app;
  for (const { index } of app.instances) {
    for (const run of runNumbers(daemon.home, name, index)) {
      if (app.all.some((one) => one.index === index && one.model.run === run)) continue;
      const { program, exit } = readRun(runDirectory(daemon.home, name, index, run));
      if (program === null || exit !== null || !isAlive(program)) continue;
      const stray = app.add(index, 'retiring');
      stray.restore({ ...stray.model, run, state: { name: 'running', run, since: monotonicMs(), until: null } });
    }
  }
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
  const isOfReload = instance.role === 'candidate' && app.rollout !== null && app.want === 'running';
  if (isOfReload) return;
  if (instance.role !== 'main') {
    if (instance.role === 'candidate') app.retire(instance);
    instance.dispatch({ type: 'stop', goal: 'retire' });
    return;
  }
  const isUp = ['starting', 'running', 'backoff', 'waiting'].includes(name);
  if (app.want === 'deleted') instance.dispatch({ type: 'stop', goal: 'delete' });
  else if (app.want === 'stopped' && (isUp || name === 'stopping')) instance.dispatch({ type: 'stop', goal: 'stay' });
  else if (app.want === 'running' && name === 'stopped') instance.dispatch({ type: 'start', by: 'daemon' });
}

/**
 * Whose turn it is: an app starts when what it depends on is there, a job when those before it have completed and its group has a slot. Those that wait are
 * looked at again whenever the state of any app changes.
 */
import type { Context } from '../lifecycle/state.ts';
import type { DependencyState } from '../protocol/spec.ts';
import type { App } from './app.ts';
import type { Daemon } from './context.ts';
import type { Instance } from './instance.ts';

type Turn = Context['turn'];
type Wait = NonNullable<Turn>;

/** Null: it may start now. */
export function turnOf(instance: Instance): Turn {
  const { app } = instance;
  const { dependsOn, after } = app.spec;
  const waits = [
    ...Object.entries(dependsOn).flatMap(([name, state]) => awaitDependency(app.daemon, name, state)),
    ...after.flatMap((name) => awaitDependency(app.daemon, name, 'completed')),
  ];
  return waits.find(({ isBlocked }) => isBlocked) ?? waits[0] ?? app.sharing?.turnOf(instance) ?? awaitSlot(app);
}

function awaitDependency(daemon: Daemon, name: string, wanted: DependencyState): Wait[] {
  const app = daemon.apps.get(name);
  if (app === undefined) return [{ reason: `it needs ${name}, which there isn't`, isBlocked: true }];
  if (app.instances.every((instance) => hasReached(instance, wanted))) return [];
  const blocked = app.instances.find((instance) => isStopped(instance, wanted));
  const state = (blocked ?? app.instances[0]!).model.state;
  const why = 'reason' in state && state.reason !== '' ? `: ${state.reason}` : '';
  return blocked === undefined
    ? [{ reason: `waits for ${name} to be ${wanted}`, isBlocked: false }]
    : [{ reason: `it needs ${name} ${wanted}, but ${name} is ${state.name}${why}`, isBlocked: true }];
}

function hasReached({ model: { state } }: Instance, wanted: DependencyState): boolean {
  if (wanted === 'completed') return state.name === 'completed';
  if (state.name === 'running') return true;
  return wanted === 'started' && state.name === 'starting' && state.isLaunched;
}

/** It will not come there by itself. */
function isStopped({ app, model: { state } }: Instance, wanted: DependencyState): boolean {
  if (state.name === 'waiting') return state.isBlocked;
  if (state.name === 'completed') return wanted !== 'completed';
  return (
    (state.name === 'failed' && state.until === null) ||
    (state.name === 'stopped' && app.want !== 'running') ||
    state.name === 'stuck'
  );
}

/** Jobs of one group run `slots` at a time, in the order in which they were asked for. */
function awaitSlot(app: App): Turn {
  const { slots, group } = app.spec;
  if (slots === null) return null;
  const { taken, queue } = app.daemon.turns.slotsOf(app.daemon, group);
  const own = holdsSlot(app) ? 1 : 0;
  const before = queue.findIndex((id) => id >= app.id);
  if (taken - own + (before < 0 ? queue.length : before) < slots) return null;
  const where = group === null ? '' : ` of @${group}`;
  return { reason: `${slotWait}${slots === 1 ? 'slot' : `${slots} slots`}${where}`, isBlocked: false };
}

const slotWait = 'waits for one of the ';

const holdsSlot = ({ instances }: App): boolean =>
  instances.some(({ model }) => ['starting', 'running', 'stopping', 'stuck', 'backoff'].includes(model.state.name));

/** It waits for nothing but a slot. */
const isInQueue = ({ instances }: App): boolean =>
  instances.some(
    ({ model: { state } }) => state.name === 'waiting' && state.for === 'turn' && state.reason.startsWith(slotWait),
  );

interface Slots {
  /** How many jobs of the group hold one. */
  readonly taken: number;
  /** Ids of those that wait for one, ascending. */
  readonly queue: readonly number[];
}

/** Looks again at those that wait, once for many changes. */
export class Turns {
  readonly #waiting = new Set<Instance>();
  /** By group, until something changes: each of a thousand that wait asks for it. */
  readonly #slots = new Map<string | null, Slots>();
  #isPlanned = false;

  slotsOf({ apps }: Pick<Daemon, 'apps'>, group: string | null): Slots {
    const known = this.#slots.get(group);
    if (known !== undefined) return known;
    const jobs = [...apps.values()].filter(
      ({ spec }) => spec.kind === 'job' && spec.group === group && spec.slots !== null,
    );
    const queue = jobs.filter(isInQueue).map(({ id }) => id);
    const slots = { taken: jobs.filter(holdsSlot).length, queue: queue.sort((a, b) => a - b) };
    this.#slots.set(group, slots);
    return slots;
  }

  /** The state of an instance changed. */
  changed(instance: Instance): void {
    this.#slots.clear();
    const { state } = instance.model;
    if (state.name === 'waiting' && state.for === 'turn' && !instance.app.isForgotten) this.#waiting.add(instance);
    else this.#waiting.delete(instance);
    this.lookAgain();
  }

  lookAgain(): void {
    this.#slots.clear();
    if (this.#isPlanned || this.#waiting.size === 0) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      for (const instance of [...this.#waiting].sort((a, b) => a.app.id - b.app.id)) {
        if (instance.app.isForgotten) this.#waiting.delete(instance);
        else instance.dispatch({ type: 'turn' });
      }
    });
  }
}

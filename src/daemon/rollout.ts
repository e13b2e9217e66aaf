/**
 * A reload: each instance gets a successor, its candidate, which must be ready before the one that serves is told to drain and end. One that fails leaves the old one
 * serving, and ends the reload. What is left to do is kept in the app's state, so that a daemon that dies over it is followed by one that goes on.
 *
 * With `parallel` so many at a time: the candidates of one batch must all be ready before any of them takes a place. `canary`: the first batch is so large, and its
 * candidates serve beside the old ones until somebody says how to go on.
 */

import { monotonicMs } from '../host/clock.ts';
import { reasonInWords } from '../lifecycle/words.ts';
import { excerptFrom } from '../logs/excerpt.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Rollout } from '../storage/apps.ts';
import type { App } from './app.ts';
import type { Instance } from './instance.ts';
import { logPlacesOf } from './log-places.ts';

/** What crashes at once does so within this time: the one that serves is not told to go before. */
const settleMs = 150;

export interface RolloutOrder {
  readonly parallel: number;
  readonly canary: number | null;
  readonly by: string;
}

/** Told of the instances whose places are taken, just before they are asked to end. */
export type OnRetiring = (instances: readonly Instance[]) => void;

/** How a reload went. Null: all of it, or up to where it was to pause. */
export type RolloutEnd = SteadError | null;

/** One of an app at a time; the daemon has one of these. */
export class Rollouts {
  readonly #underWay = new Map<App, Promise<RolloutEnd>>();
  /** Those who asked while one was under way get one more, together. */
  readonly #next = new Map<App, Promise<RolloutEnd>>();

  /** Begins, or goes on as the one after that which is under way. Throws the disk's error, nothing being begun. */
  begin(app: App, order: RolloutOrder, onRetiring: OnRetiring = () => {}): Promise<RolloutEnd> {
    const present = this.#underWay.get(app);
    if (present === undefined) {
      app.beginRollout(newRollout(app, order));
      return this.#start(app, newRollout(app, order), onRetiring);
    }
    const known = this.#next.get(app);
    if (known !== undefined) return known;
    const next = present.then(() => {
      this.#next.delete(app);
      if (app.rollout !== null) return paused(app);
      return app.isForgotten || app.want !== 'running'
        ? stoppedMeanwhile(app)
        : this.#start(app, newRollout(app, order), onRetiring);
    });
    this.#next.set(app, next);
    return next;
  }

  /** Goes on with what is kept of one: after a pause, or by another daemon. */
  resume(app: App, change: Partial<Rollout> = {}, onRetiring: OnRetiring = () => {}): Promise<RolloutEnd> {
    if (app.rollout === null) throw new Error(`${app.name} has no reload to go on with`);
    const present = this.#underWay.get(app);
    if (present === undefined) return this.#start(app, { ...app.rollout, ...change }, onRetiring);
    // A daemon that has just come back is still on its way to where it paused.
    if (Object.keys(change).length > 0) app.setRollout({ ...app.rollout, ...change });
    return present;
  }

  /** The candidates end; those that serve, serve. */
  abort(app: App): Promise<RolloutEnd> {
    const present = this.#underWay.get(app);
    if (present === undefined) return this.resume(app, { isAborted: true });
    if (app.rollout !== null) app.setRollout({ ...app.rollout, isAborted: true });
    for (const one of app.all) if (one.role === 'candidate') one.dispatch({ type: 'stop', goal: 'retire' });
    return present.then(() => null);
  }

  isUnderWay(app: App): boolean {
    return this.#underWay.has(app);
  }

  #start(app: App, rollout: Rollout, onRetiring: OnRetiring): Promise<RolloutEnd> {
    app.setRollout(rollout);
    const end = roll(app, onRetiring).finally(() => this.#underWay.delete(app));
    this.#underWay.set(app, end);
    return end;
  }
}

const newRollout = (app: App, { parallel, canary, by }: RolloutOrder): Rollout => ({
  pending: app.instances.map(({ index }) => index),
  done: [],
  parallel,
  canary,
  isAborted: false,
  by,
});

export const paused = ({ name }: Pick<App, 'name'>): SteadError =>
  new SteadError('RELOAD_UNDER_WAY', `A reload of "${name}" waits to be told how to go on.`, {
    hint: `stead reload ${name} --continue, or --abort`,
  });

const aborted = ({ name }: Pick<App, 'name'>): SteadError =>
  new SteadError('RELOAD_FAILED', `The reload of "${name}" was told to stop (--abort).`, {
    hint: `stead reload ${name}`,
  });

const stoppedMeanwhile = ({ name, want }: Pick<App, 'name' | 'want'>): SteadError =>
  want === 'deleted'
    ? new SteadError('RELOAD_FAILED', `"${name}" was deleted while it was reloaded.`)
    : new SteadError('RELOAD_FAILED', `"${name}" was stopped while it was reloaded.`, { hint: `stead start ${name}` });

async function roll(app: App, onRetiring: OnRetiring): Promise<RolloutEnd> {
  for (let rollout = app.rollout; rollout !== null; rollout = app.rollout) {
    if (rollout.isAborted) return abort(app, null);
    if (isOver(app)) return abort(app, stoppedMeanwhile(app));
    const batch = nextBatch(app, rollout);
    if (batch.length === 0) break;
    const failure = await bringUp(app, batch);
    if (failure !== null) return abort(app, app.rollout?.isAborted ? aborted(app) : failure);
    if (app.rollout?.canary != null) {
      // It was told meanwhile to go back, or pauses here.
      return app.rollout.isAborted ? abort(app, aborted(app)) : null;
    }
    onRetiring(app.instances.filter(({ index }) => batch.includes(index)));
    changePlaces(app, batch);
    await untilRetired(app, rollout.parallel);
  }
  app.setRollout(null);
  await untilRetired(app, 0);
  return null;
}

const isOver = (app: App): boolean => app.isForgotten || app.want !== 'running';

/** Indexes that are still there: it may have been scaled down. */
function nextBatch(app: App, { pending, parallel, canary }: Rollout): readonly number[] {
  const there = pending.filter((index) => app.instances.some((one) => one.index === index));
  const begun = there.filter((index) => candidateOf(app, index) !== undefined);
  if (begun.length > 0) return begun;
  return there.slice(0, Math.max(1, canary ?? parallel));
}

const candidateOf = (app: App, index: number): Instance | undefined =>
  app.all.find((one) => one.index === index && one.role === 'candidate');

/** Candidates of a batch, all ready; else why one is not. */
async function bringUp(app: App, batch: readonly number[]): Promise<SteadError | null> {
  const failures = await Promise.all(
    batch.map((index) => {
      const known = candidateOf(app, index);
      const candidate = known ?? app.add(index, 'candidate');
      candidate.askedBy = app.rollout?.by ?? null;
      // One that an earlier daemon began is where it is.
      if (known === undefined) candidate.dispatch({ type: 'start', by: 'user' });
      return untilReady(app, candidate);
    }),
  );
  return failures.find((failure) => failure !== null) ?? null;
}

async function untilReady(app: App, candidate: Instance): Promise<SteadError | null> {
  await candidate.until(
    ({ role, model: { state } }) =>
      isOver(app) || role === 'retiring' || !['starting', 'waiting', 'stopping'].includes(state.name),
  );
  if (candidate.model.state.name === 'running') {
    const limit = AbortSignal.timeout(settleMs);
    await candidate.until(({ model }) => isOver(app) || model.state.name !== 'running', limit).catch(() => {});
    await candidate.until(({ model }) => isOver(app) || model.state.name !== 'stopping');
  }
  if (isOver(app)) return stoppedMeanwhile(app);
  // There are to be fewer: its place is no more.
  if (candidate.role === 'retiring') return null;
  return candidate.model.state.name === 'running' ? null : notReady(app, candidate);
}

function notReady(app: App, candidate: Instance): SteadError {
  const { out, err } = logPlacesOf(candidate);
  const fromErr = excerptFrom(err, candidate.endedLogStart.err);
  const lastLines = fromErr.length > 0 ? fromErr : excerptFrom(out, candidate.endedLogStart.out);
  const reason = reasonInWords(candidate.model, monotonicMs()) ?? candidate.model.state.name;
  const elsewhere = app.sharing?.tellings.misses(candidate) ?? null;
  const done = app.rollout?.done.length ?? 0;
  const serving =
    done === 0
      ? 'the old version serves on'
      : `${done} of ${app.instances.length} run the new version, the others serve on`;
  return new SteadError(
    'RELOAD_FAILED',
    `"${app.name}" was not reloaded: its new version failed: ${reason}${elsewhere === null ? '' : `: ${elsewhere}`}. ${capital(serving)}.`,
    {
      hint: `stead logs ${app.name}; ${isUnseen(app) ? 'if it serves, and looks for connections without waiting for one: --ready log:TEXT, fd:N or notify' : 'mend it'}; then: stead reload ${app.name}`,
      details: { index: candidate.index, lastLines },
    },
  );
}

/** By what the kernel tells, nobody waits for a connection. */
const isUnseen = ({ sharing, spec }: App): boolean =>
  sharing !== null && !sharing.hasPreload && (spec.ready === null || spec.ready.kind === 'listen');

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function changePlaces(app: App, batch: readonly number[]): void {
  const { rollout } = app;
  if (rollout === null) return;
  for (const index of batch) {
    const candidate = candidateOf(app, index);
    if (candidate === undefined) continue;
    app.promote(candidate, rollout.by).dispatch({ type: 'stop', goal: 'retire' });
  }
  app.setRollout({
    ...rollout,
    pending: rollout.pending.filter((index) => !batch.includes(index)),
    done: [...rollout.done, ...batch],
  });
}

/** No more than so many are draining. */
async function untilRetired(app: App, most: number): Promise<void> {
  const retiring = () => app.all.filter(({ role, model }) => role === 'retiring' && model.state.name !== 'stuck');
  while (!app.isForgotten && retiring().length > most) {
    await Promise.race(
      retiring().map((one) =>
        one.until((instance) => !app.all.includes(instance) || instance.model.state.name === 'stuck'),
      ),
    );
  }
}

/** The candidates end; who served, serves. */
async function abort(app: App, failure: SteadError | null): Promise<RolloutEnd> {
  const candidates = app.all.filter(({ role }) => role === 'candidate');
  const endings = candidates.map((candidate) => app.sharing?.willFail(candidate));
  for (const candidate of candidates) app.retire(candidate);
  if (!app.isForgotten) app.setRollout(null);
  for (const candidate of candidates) candidate.dispatch({ type: 'stop', goal: 'retire' });
  await Promise.all(
    candidates.map((one) =>
      one.until((instance) => app.isForgotten || !app.all.includes(instance) || instance.model.state.name === 'stuck'),
    ),
  );
  for (const end of endings) end?.();
  return failure;
}

/** Why it is restarted instead; null: it can be reloaded. */
export function whyRestarted(app: App): string | null {
  const { name, sharing } = app;
  if (app.want !== 'running') return `${name} did not run: it was started`;
  if (sharing === null)
    return `${name} shares no socket, so it was restarted; for a reload without a gap: stead set ${name} instances=1 (a Node program), or --listen PORT`;
  const isUp = app.instances.some(({ model }) => ['running', 'starting'].includes(model.state.name));
  if (!isUp) return `${name} was not up: it was started again`;
  if (sharing.held.entries().length === 0 && app.spec.ready === null)
    return app.spec.share.listen.length === 0
      ? `${name} listens on nothing that it shares, so it was restarted`
      : `${name} had its sockets alone, as their holder was killed, so it was restarted: connections were refused meanwhile`;
  return null;
}

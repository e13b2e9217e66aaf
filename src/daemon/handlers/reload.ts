import { readFileSync } from 'node:fs';
import { signalNumber } from '../../host/signals.ts';
import type { ActionResponse, ActionResult, ReloadRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { refuseLost } from '../../view/lost-app.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';
import { paused, type RolloutOrder, whyRestarted } from '../rollout.ts';
import { bringToSize } from '../scale.ts';
import { appViews } from '../view.ts';
import { checkedCaller } from './body.ts';
import { restartOne, updateEnvironment } from './restart.ts';
import { askedBy, refusePart, selected } from './select.ts';

/** reload: each instance is replaced by one that is ready, and drains. Answered when nothing of the old ones is left, or when it pauses (canary). */
export async function reload(daemon: Daemon, body: ReloadRequest, signal: AbortSignal): Promise<ActionResponse> {
  const apps = selected(daemon, body.select);
  refusePart(apps, body.select, 'reloaded');
  const order = orderOf(body);
  const caller = body.updateEnv ? checkedCaller(body.updateEnv) : null;
  for (const { spec } of apps) {
    refuseLost(spec);
    if (spec.kind === 'job')
      throw new SteadError('UNSUPPORTED', `"${spec.name}" is a job: it ends by itself.`, { hint: 'stead restart' });
  }
  if (caller !== null && (body.then ?? 'begin') === 'begin')
    for (const app of apps) await updateEnvironment(app, caller);
  const results = await Promise.all(apps.map((app) => reloadOne(app, { body, order, signal })));
  return { results: appViews(daemon, apps).map((app, at) => ({ app, ...results[at]! })) };
}

const orderOf = (body: ReloadRequest): RolloutOrder => ({
  parallel: body.parallel ?? 1,
  canary: body.canary ?? null,
  by: askedBy(body),
});

interface Reloading {
  readonly body: ReloadRequest;
  readonly order: RolloutOrder;
  readonly signal: AbortSignal;
}

async function reloadOne(app: App, { body, order, signal }: Reloading): Promise<Omit<ActionResult, 'app'>> {
  try {
    if (body.then === 'continue') return await goOn(app, body.wait !== false);
    if (body.then === 'abort') return await giveUp(app);
    return await begin(app, { body, order, signal });
  } catch (error) {
    if (error instanceof SteadError) return { changed: false, error: error.toBody() };
    throw error;
  }
}

async function begin(app: App, { body, order, signal }: Reloading): Promise<Omit<ActionResult, 'app'>> {
  const { rollouts } = app.daemon;
  const wait = body.wait !== false;
  await app.sharing?.reclaimed();
  if (app.rollout !== null && !rollouts.isUnderWay(app)) throw paused(app);
  const why = whyRestarted(app);
  if (why !== null) {
    app.setWant('running', order.by);
    bringToSize(app, order.by);
    const result = await restartOne(app, { instances: app.instances, wait, signal });
    return { ...result, notes: [...(result.notes ?? []), why] };
  }
  const losing = new Set<Instance>();
  const end = rollouts.begin(app, order, (retiring) => noteLosing(retiring, losing));
  // Nobody is there to be told later.
  if (!wait) noteLosing(app.instances, losing);
  if (!wait) return { changed: true, error: null, notes: lossNotes(app, losing) };
  const error = await end;
  return ended(error, { isPaused: order.canary !== null && app.rollout !== null, notes: lossNotes(app, losing) });
}

const ended = (
  error: SteadError | null,
  { isPaused, notes }: { readonly isPaused: boolean; readonly notes: readonly string[] },
): Omit<ActionResult, 'app'> => ({
  changed: error === null,
  error: error?.toBody() ?? null,
  notes,
  // Another one may have begun meanwhile.
  isReloaded: error === null && !isPaused,
});

/**
 * Programs that are not told to drain and do not catch the signal that ends them lose what they are answering. Looked at in the moment before they are told to go:
 * one that was started just now may still be about to catch it.
 */
function noteLosing(retiring: readonly Instance[], losing: Set<Instance>): void {
  for (const instance of retiring) {
    const { program, app } = instance;
    if (program === null || app.sharing?.hasPreload === true || !app.sharing?.isListening(instance)) continue;
    const { stopCommand, stopStdin, stopMessage, stopSignals } = app.spec;
    if (stopCommand !== null || stopStdin !== null || stopMessage) continue;
    if (!catches(program.pid, stopSignals[0]!.signal)) losing.add(instance);
  }
}

const lossNotes = ({ name, spec }: App, losing: ReadonlySet<Instance>): string[] =>
  losing.size === 0
    ? []
    : [
        `${name} does not catch ${spec.stopSignals[0]!.signal}: requests that it was answering may be lost (--stop-signal names another)`,
      ];

/** By SigCgt of /proc/PID/status; true where it can't be known. */
function catches(pid: number, signal: string): boolean {
  try {
    const mask = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return mask === undefined || (BigInt(`0x${mask}`) >> BigInt((signalNumber(signal) ?? 15) - 1)) % 2n === 1n;
  } catch {
    return true;
  }
}

async function goOn(app: App, wait: boolean): Promise<Omit<ActionResult, 'app'>> {
  if (app.rollout === null) throw noReload(app);
  const losing = new Set<Instance>();
  const end = app.daemon.rollouts.resume(app, { canary: null }, (retiring) => noteLosing(retiring, losing));
  if (!wait) return { changed: true, error: null };
  const error = await end;
  return ended(error, { isPaused: false, notes: lossNotes(app, losing) });
}

async function giveUp(app: App): Promise<Omit<ActionResult, 'app'>> {
  if (app.rollout === null) throw noReload(app);
  const error = await app.daemon.rollouts.abort(app);
  return { changed: true, error: error?.toBody() ?? null };
}

const noReload = ({ name }: App): SteadError =>
  new SteadError('NO_RELOAD', `No reload of "${name}" waits to be told anything.`, { hint: `stead reload ${name}` });

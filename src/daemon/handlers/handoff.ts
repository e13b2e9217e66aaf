/**
 * handoff: an app becomes systemd's. Who asks writes its units and starts them (client/handoff/); here is what only the daemon can do: let a second socket be
 * bound where one is held, have it get all that comes, and end the programs when they have answered what they began (docs/decisions/019-handoff.md).
 */
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../host/clock.ts';
import { reusePort, steerTo } from '../../host/socket-calls.ts';
import type { HandoffRequest, HandoffResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { queueLengths } from '../../sockets/queue.ts';
import { isKeeper } from '../../storage/problems.ts';
import { refuseLost } from '../../view/lost-app.ts';
import { type App, refuseKept } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';
import { needsNative } from '../needs-native.ts';
import { appViews } from '../view.ts';
import { askedBy } from './select.ts';
import { stopInOrder, stuckError } from './stop.ts';

/** Who had the first answer of a handshake from the old socket comes to its queue: so long at least it is served yet. */
const handshakeMs = 300;
/** A program that accepts nothing for so long will not do it any more. */
const longestQueueMs = 3000;
const lookMs = 20;

/** The place of a socket that came second. */
const places = { ours: 0, theirs: 1 } as const;

export async function handoff(daemon: Daemon, body: HandoffRequest): Promise<HandoffResponse> {
  const app = appOf(daemon, body.app);
  if (body.step !== 'unsteer') refuseKept(app);
  refuseLost(app.spec);
  const sockets = (app.sharing?.held.entries() ?? []).filter(({ key }) => key.startsWith('tcp:'));
  if (body.step === 'prepare')
    needsNative('a hand-over of sockets', () => {
      for (const { fd } of sockets) reusePort(fd);
    });
  else if (body.step === 'steer') {
    for (const { fd } of sockets) steerTo(fd, places.theirs);
    await untilServed(sockets.map(({ fd }) => fd));
  } else if (body.step === 'unsteer') for (const { fd } of sockets) steerTo(fd, places.ours);
  else if (body.step === 'give') await give(app, body);
  else throw new SteadError('BAD_REQUEST', '"step" must be prepare, steer, unsteer or give.');
  const keys = app.sharing?.held.entries().map(({ key }) => key) ?? [];
  return { keys, app: appViews(daemon, [app])[0]! };
}

/** Throws APP_NOT_FOUND. */
export function appOf(daemon: Daemon, name: unknown): App {
  const app = typeof name === 'string' ? daemon.apps.get(name) : undefined;
  if (app !== undefined) return app;
  throw new SteadError('APP_NOT_FOUND', `There is no app ${JSON.stringify(name)}.`, { hint: 'stead list' });
}

/** Nobody waits any more in a queue that gets nothing new. */
async function untilServed(fds: readonly number[]): Promise<void> {
  const began = monotonicMs();
  for (;;) {
    const isEmpty = queueLengths(fds).every((length) => length === null || length === 0);
    const passed = monotonicMs() - began;
    if (passed >= longestQueueMs || (isEmpty && passed >= handshakeMs)) return;
    await pause(lookMs);
  }
}

/** Durable first: whatever happens to this daemon from here on, the next one starts nothing of it. */
async function give(app: App, body: HandoffRequest): Promise<void> {
  if (!isKeeper(body.keeper)) throw new SteadError('BAD_REQUEST', '"keeper" must say who keeps it.');
  app.setKeeper(body.keeper!, askedBy(body));
  await Promise.all(app.all.map(drained));
  // Whether who asked still waits or not.
  await stopInOrder([app], 'stay', true);
  const error = stuckError(app);
  if (error !== null) throw SteadError.fromBody(error);
  // Here, as who asked may be dead by now.
  if (typeof body.gate === 'string' && isGate.test(body.gate)) rmSync(body.gate, { force: true });
}

/** Nothing else is removed on request. */
const isGate = /^\/(?:[^/]+\/)*stead-handoff\.\d+$/;

/** Resolves when a program that can be told so has answered what it had begun, or its time for that is over. */
async function drained(instance: Instance): Promise<void> {
  const { app } = instance;
  const isUp = () => ['starting', 'running'].includes(instance.model.state.name);
  if (app.sharing?.hasPreload !== true || instance.program === null || !isUp()) return;
  const { tellings } = app.sharing;
  tellings.askToDrain(instance);
  const inTime = AbortSignal.timeout(app.spec.share.drainTimeoutMs);
  await instance.until(() => tellings.isDrained(instance) || !isUp(), inTime).catch(() => {});
}

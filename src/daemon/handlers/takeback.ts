/** takeback: what systemd keeps becomes stead's again. Who asks has systemd end its own; before that its sockets are taken here, and after it the programs started. */
import { processStat } from '../../host/process.ts';
import type { ActionResult, TakebackRequest, TakebackResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { parseKey } from '../../sockets/address.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import { takeSockets } from '../sharing/take-sockets.ts';
import { appViews } from '../view.ts';
import { appOf } from './handoff.ts';
import { askedBy } from './select.ts';
import { bringUp } from './start.ts';

/** Sockets that nobody comes for are let go. */
const longestMs = 300_000;

export async function takeback(daemon: Daemon, body: TakebackRequest, signal: AbortSignal): Promise<TakebackResponse> {
  const app = appOf(daemon, body.app);
  if (body.step === 'take') take(app, body);
  else if (body.step !== 'start') throw new SteadError('BAD_REQUEST', '"step" must be take or start.');
  const done = body.step === 'start' ? await start(app, body, signal) : { changed: false, error: null };
  const keys = app.sharing?.held.entries().map(({ key }) => key) ?? [];
  return { keys, result: { app: appViews(daemon, [app])[0]!, ...done } };
}

/** The same sockets, not others at the same address: who waits in them goes on waiting. What may not be taken is not there then. */
function take(app: App, { pids, keys }: TakebackRequest): void {
  const isRight =
    Array.isArray(pids) && pids.every((pid) => Number.isSafeInteger(pid) && pid > 0) && Array.isArray(keys);
  if (!isRight) throw new SteadError('BAD_REQUEST', '"pids" and "keys" must be lists.');
  const { sharing } = app;
  if (sharing === null) return;
  hold(app);
  for (const pid of pids) {
    const stat = processStat(pid);
    const missing = keys.filter((key) => typeof key === 'string' && parseKey(key) !== null && !sharing.held.has(key));
    if (stat === null || missing.length === 0) continue;
    const taken = takeSockets({ pid, startTicks: stat.startTicks }, missing);
    for (const [key, fd] of taken ?? []) sharing.held.add(key, fd);
  }
}

function hold({ sharing }: App): void {
  if (sharing === null) return;
  sharing.isComing = true;
  setTimeout(() => {
    sharing.isComing = false;
    sharing.changed();
  }, longestMs).unref();
}

async function start(app: App, body: TakebackRequest, signal: AbortSignal): Promise<Omit<ActionResult, 'app'>> {
  const by = askedBy(body);
  const isWanted = body.isWanted ?? app.keeper?.isWanted ?? true;
  app.setKeeper(null, by);
  try {
    if (!isWanted) return { changed: true, error: null };
    const { early, changed, notes } = await bringUp({
      app,
      isNew: false,
      notes: [],
      request: { wait: true },
      by,
      signal,
    });
    return { changed, early, notes, error: null };
  } finally {
    if (app.sharing !== null) app.sharing.isComing = false;
  }
}

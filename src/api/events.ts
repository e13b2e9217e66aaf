import { followEvents } from '../client/follow-events.ts';
import { readAppsAnyhow } from '../client/read-apps.ts';
import { selectApps } from '../client/select-apps.ts';
import type { EventView } from '../protocol/api.ts';
import type { Asking } from './asking.ts';
import { listed } from './inputs.ts';
import type { Selectors } from './types.ts';

interface Wanted {
  readonly select: Selectors | undefined;
  readonly after: number | null;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Throws what keeps it from beginning, and the signal's reason. What is asked after it has been called waits until the daemon has it. */
export async function* eventsOf(asking: Asking, wanted: Wanted): AsyncGenerator<EventView> {
  if (wanted.follow) {
    yield* followed(asking, wanted);
    return;
  }
  const { select, after, signal } = wanted;
  await asking.ready(signal);
  const { events } = await asking.past(after, signal);
  yield* events.filter(await meant(asking.home, select, signal));
}

async function* followed(asking: Asking, { select, after, signal }: Wanted): AsyncGenerator<EventView> {
  const onBegun = asking.begin();
  const all = followEvents(asking.home, { after, mustAnswer: true, onBegun, signal });
  try {
    await asking.ready(signal);
    // Before it is looked up whose are meant: nothing that happens meanwhile is missed.
    const first = all.next();
    first.catch(() => {});
    const isMeant = await meant(asking.home, select, signal);
    for (let next = await first; !next.done; next = await all.next()) if (isMeant(next.value)) yield next.value;
  } finally {
    onBegun();
    await all.return(undefined);
  }
}

async function meant(
  home: string,
  select: Selectors | undefined,
  signal: AbortSignal,
): Promise<(event: EventView) => boolean> {
  if (select === undefined || select === 'all') return () => true;
  const apps = selectApps(await readAppsAnyhow(home, signal), listed(select));
  return ({ app, index }) =>
    apps.some((one) => one.app.name === app && one.instances.some((instance) => instance.index === index));
}

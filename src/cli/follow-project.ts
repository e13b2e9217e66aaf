/** What some apps print, merged, from now on; of those that come later from their first line. */
import { join } from 'node:path';
import { findLogs } from '../logs/find.ts';
import { wakeOn } from '../logs/wake.ts';
import type { AppView } from '../protocol/api.ts';
import { followShown, type LogOptions, type LogSource, showLogs } from './log-output.ts';
import { labelPainter } from './render/colour.ts';

const plain: LogOptions = {
  lines: 0,
  since: null,
  until: null,
  grep: null,
  timestamps: false,
  pretty: false,
  format: 'text',
};

export interface Followed {
  readonly home: string;
  /** What logs of these hold already is not shown, whether there are such apps or were. */
  readonly names: readonly string[];
  /** Which there are now. */
  read(): Promise<readonly AppView[]>;
  readonly signal: AbortSignal;
}

/** Resolves when the logs that were there are shown from their ends on; `ended` when all has been shown after the abort. Rejects with OutputClosed. */
export async function followProject({
  home,
  names,
  read,
  signal,
}: Followed): Promise<{ readonly ended: Promise<void> }> {
  const paint = labelPainter();
  const known = new Set<string>();
  const following: Promise<void>[] = [];
  const show = async (apps: readonly Pick<AppView, 'name' | 'instances'>[], lines: 0 | 'all') => {
    const fresh = apps
      .flatMap((app) => sourcesOf(home, app, paint))
      .filter(({ place }) => {
        const isNew = !known.has(place.file);
        known.add(place.file);
        return isNew;
      });
    if (fresh.length === 0) return;
    const shown = await showLogs(fresh, { ...plain, lines }, { goesOn: true });
    following.push(followShown(shown, signal));
  };
  const now = () => read().catch(() => []);
  await show([...(await now()), ...names.map((name) => ({ name, instances: [] }))], 0);
  const over = aborted(signal);
  const loop = async () => {
    while (!signal.aborted) {
      // Armed before the look: what happens in between wakes it.
      const wake = wakeOn(join(home, 'apps'));
      await show(await now(), 'all');
      await Promise.race([wake.happened, over, ...following]);
      wake.close();
    }
    await show(await now(), 'all');
    await Promise.all(following);
  };
  return { ended: loop() };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

function sourcesOf(
  home: string,
  app: Pick<AppView, 'name' | 'instances'>,
  paint: (prefix: string) => string,
): LogSource[] {
  const indexes = app.instances.map(({ index }) => index);
  return findLogs(home, app.name, indexes).map(({ index, stream, place }) => ({
    place,
    prefix: paint(indexes.length > 1 ? `${app.name}:${index} | ` : `${app.name} | `),
    fd: stream === 'err' ? 2 : 1,
    label: { name: app.name, index, stream },
  }));
}

/** What some apps print, merged, from now on; of those that come later from their first line. */
import { join } from 'node:path';
import { findLogs } from '../logs/find.ts';
import { wakeOn } from '../logs/wake.ts';
import type { AppView } from '../protocol/api.ts';
import { followShown, type LogOptions, type LogSource, plainly, showLogs } from './log-output.ts';
import { labelPainter } from './render/colour.ts';

/**
 * How a line looks. `named`: `web | text`; `raw`: as the program wrote it; `json`: an object, as `logs --json` has it; `pairs`: `timestamp=… app=web id=0 type=out
 * message=text`.
 */
export type LineForm = 'named' | 'raw' | 'json' | 'pairs';

const formats = { named: 'text', raw: 'raw', json: 'json', pairs: 'text' } as const satisfies Record<
  LineForm,
  LogOptions['format']
>;

export interface Followed {
  readonly home: string;
  /** What logs of these hold already is not shown, whether there are such apps or were. */
  readonly names: readonly string[];
  /** Which there are now. */
  read(): Promise<readonly AppView[]>;
  readonly signal: AbortSignal;
  readonly form?: LineForm;
}

/** Resolves when the logs that were there are shown from their ends on; `ended` when all has been shown after the abort. Rejects with OutputClosed. */
export async function followProject({
  home,
  names,
  read,
  signal,
  form = 'named',
}: Followed): Promise<{ readonly ended: Promise<void> }> {
  const headOf = heads(form);
  const known = new Set<string>();
  const following: Promise<void>[] = [];
  const show = async (apps: readonly Pick<AppView, 'name' | 'instances'>[], lines: 0 | 'all') => {
    const fresh = apps
      .flatMap((app) => sourcesOf(home, app, headOf))
      .filter(({ place }) => {
        const isNew = !known.has(place.file);
        known.add(place.file);
        return isNew;
      });
    if (fresh.length === 0) return;
    const shown = await showLogs(fresh, { ...plainly, lines, format: formats[form] }, { goesOn: true });
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

interface Stream {
  readonly name: string;
  readonly index: number;
  readonly stream: string;
  /** One of several instances. */
  readonly isNumbered: boolean;
}

/** What comes before the lines of each. */
function heads(form: LineForm): (of: Stream) => Pick<LogSource, 'prefix' | 'head'> {
  const paint = labelPainter();
  return ({ name, index, stream, isNumbered }) => {
    if (form === 'named') return { prefix: paint(isNumbered ? `${name}:${index} | ` : `${name} | `) };
    if (form !== 'pairs') return { prefix: '' };
    const when = (time: number | null) => new Date(time ?? Date.now()).toISOString();
    const head = (time: number | null) => `timestamp=${when(time)} app=${name} id=${index} type=${stream} message=`;
    return { prefix: '', head };
  };
}

function sourcesOf(
  home: string,
  app: Pick<AppView, 'name' | 'instances'>,
  headOf: ReturnType<typeof heads>,
): LogSource[] {
  const indexes = app.instances.map(({ index }) => index);
  return findLogs(home, app.name, indexes).map(({ index, stream, place }) => ({
    place,
    ...headOf({ name: app.name, index, stream, isNumbered: indexes.length > 1 }),
    areLinesWhole: true,
    fd: stream === 'err' ? 2 : 1,
    label: { name: app.name, index, stream },
  }));
}

import { SteadError } from './errors.ts';

/** What a selector can name. */
export interface Selectable {
  readonly id: number;
  readonly name: string;
  readonly group: string | null;
  /** The path of its script, where that is known and there is one. */
  readonly script?: string | undefined;
  /** Of its instances. */
  readonly instances: readonly { readonly index: number }[];
}

/** `name:index` → both; null for a selector that is not of this form. */
export function splitIndex(selector: string): { readonly name: string; readonly index: number } | null {
  const [, name, index] = /^(.+):(\d{1,4})$/.exec(selector) ?? [];
  return name === undefined ? null : { name, index: Number(index) };
}

/**
 * The apps that selectors name, each once, in order: a name, `name:index`, a numeric id, `@group`, or `all` (which may be none). Throws APP_NOT_FOUND
 * with the nearest name.
 */
export function selectApps<T extends Selectable>(apps: readonly T[], selectors: readonly string[]): T[] {
  const chosen = new Set<T>();
  for (const selector of selectors) for (const app of selectOne(apps, selector)) chosen.add(app);
  return [...chosen];
}

function selectOne<T extends Selectable>(apps: readonly T[], selector: string): readonly T[] {
  if (selector === 'all') return apps;
  if (selector.startsWith('@')) {
    const group = apps.filter((app) => app.group === selector.slice(1));
    if (group.length > 0) return group;
    throw notFound(selector, {
      known: [...new Set(apps.flatMap((app) => (app.group === null ? [] : [`@${app.group}`])))],
    });
  }
  const byName = apps.find((app) => app.name === selector);
  if (byName) return [byName];
  const byId = /^\d{1,9}$/.test(selector) ? apps.find((app) => app.id === Number(selector)) : undefined;
  if (byId) return [byId];
  const indexed = splitIndex(selector);
  const base = apps.find((app) => app.name === indexed?.name);
  if (base?.instances.some(({ index }) => index === indexed?.index)) return [base];
  throw notFound(selector, { known: apps.map((app) => app.name), meant: byScript(apps, selector)?.name });
}

/** The app that was started from a file which a person names it by: `server.js`, `./server.js`. */
function byScript<T extends Selectable>(apps: readonly T[], selector: string): T | undefined {
  const file = lastPart(selector);
  const stem = /^(.+)\.[A-Za-z]{1,4}$/.exec(file)?.[1];
  return (
    apps.find(({ script }) => script !== undefined && lastPart(script) === file) ??
    apps.find(({ name }) => name === stem)
  );
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

interface Candidates {
  readonly known: readonly string[];
  readonly meant?: string | undefined;
}

function notFound(selector: string, { known, meant }: Candidates): SteadError {
  const list = known.length === 0 ? 'stead list shows what there is: nothing so far' : 'stead list shows what there is';
  return new SteadError('APP_NOT_FOUND', `There is no app "${selector}".`, {
    hint: meant === undefined ? list : `did you mean ${meant}?`,
    details: { selector, known, ...(meant !== undefined && { meant }) },
  });
}

/** `<sel>` for commands that read: a name, `name:index`, an id, `@group`, `all`. Commands that act leave it to the daemon. */
import { nearest } from '../config/nearest.ts';
import type { AppView, InstanceView } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';

export interface Selected {
  readonly app: AppView;
  /** All, or the one that `name:index` names. */
  readonly instances: readonly InstanceView[];
}

/** Throws USAGE unless at least one selector is given. */
export function requireSelectors(words: readonly string[], verb: string): readonly string[] {
  if (words.length > 0) return words;
  throw new SteadError('USAGE', `stead ${verb} needs the name of an app`, {
    hint: `stead ${verb} <name>; names are in stead list`,
  });
}

/** What the selectors mean among these apps, each app once, in the order named. Throws APP_NOT_FOUND with the nearest name. */
export function selectApps(apps: readonly AppView[], selectors: readonly string[]): readonly Selected[] {
  const found = new Map<string, Selected>();
  for (const one of selectors.flatMap((selector) => selectOne(apps, selector))) {
    const before = found.get(one.app.name)?.instances ?? [];
    found.set(one.app.name, { app: one.app, instances: [...new Set([...before, ...one.instances])] });
  }
  return [...found.values()];
}

function selectOne(apps: readonly AppView[], selector: string): readonly Selected[] {
  const whole = (app: AppView) => ({ app, instances: app.instances });
  if (selector === 'all') return apps.map(whole);
  if (selector.startsWith('@')) return selectGroup(apps, selector.slice(1)).map(whole);
  const [, base = selector, index] = /^(.+):(\d+)$/.exec(selector) ?? [];
  const app = apps.find(({ name }) => name === base) ?? apps.find(({ id }) => String(id) === base);
  const instances = app?.instances.filter((one) => index === undefined || String(one.index) === index) ?? [];
  if (app === undefined || (index !== undefined && instances.length === 0)) throw notFound(apps, selector);
  return [{ app, instances }];
}

function selectGroup(apps: readonly AppView[], group: string): readonly AppView[] {
  const members = apps.filter((app) => app.group === group);
  if (members.length === 0) throw notFound(apps, `@${group}`);
  return members;
}

function notFound(apps: readonly AppView[], selector: string): SteadError {
  const groups = apps.flatMap(({ group }) => (group === null ? [] : [`@${group}`]));
  const near = nearest(selector, [...apps.map(({ name }) => name), ...groups]);
  const what = selector.startsWith('@') ? 'group' : 'app';
  return new SteadError('APP_NOT_FOUND', `There is no ${what} ${JSON.stringify(selector)}`, {
    hint: near ? `did you mean ${near}?` : 'stead list shows all',
  });
}

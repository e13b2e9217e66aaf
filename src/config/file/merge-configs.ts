/** Several config files as one: `-f base.yaml -f production.yaml`. What a later file says of an app that an earlier one names goes over it. */

type Fields = Readonly<Record<string, unknown>>;

/** Of each, its value as the file has it; what is no config is left for the reader to refuse. */
export function mergeConfigs(values: readonly unknown[]): unknown {
  return values.reduce((before, after) => (isFields(before) && isFields(after) ? mergeTwo(before, after) : after));
}

function mergeTwo(before: Fields, after: Fields): Fields {
  return {
    ...before,
    ...after,
    ...both('defaults', before, after, mergeFields),
    ...both('groups', before, after, (a, b) => mergeByName(a, b)),
    ...both('apps', before, after, mergeApps),
  };
}

function both(key: string, a: Fields, b: Fields, merge: (a: Fields, b: Fields) => unknown): Fields {
  const [one, other] = key === 'apps' ? [byName(a[key]), byName(b[key])] : [a[key], b[key]];
  return isFields(one) && isFields(other) ? { [key]: merge(one, other) } : {};
}

/** A list again: the order counts, and a name may stand in the app or before it. */
const mergeApps = (a: Fields, b: Fields): readonly unknown[] => Object.values(mergeByName(a, b));

function mergeByName(a: Fields, b: Fields): Fields {
  const merged: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = merged[name];
    merged[name] = isFields(value) && isFields(other) ? mergeFields(other, value) : value;
  }
  return merged;
}

/** Maps of variables and the like grow; everything else is replaced. One that says another program says all of it. */
function mergeFields(a: Fields, b: Fields): Fields {
  const isOther = 'script' in b || 'command' in b;
  const { script: _script, command: _command, args: _args, ...rest } = a;
  const base = isOther ? rest : a;
  const grown = Object.entries(b).flatMap(([key, value]) =>
    isFields(base[key]) && isFields(value) ? [[key, { ...base[key], ...value }]] : [],
  );
  return { ...base, ...b, ...Object.fromEntries(grown) };
}

/** Apps by their names; those without are told apart by their place. Null for what is no list and no map. */
function byName(apps: unknown): Fields | null {
  if (Array.isArray(apps)) {
    const entries = apps.map((app, at) => [
      isFields(app) && typeof app.name === 'string' ? app.name : `\0${at}${JSON.stringify(app)}`,
      app,
    ]);
    return Object.fromEntries(entries) as Fields;
  }
  if (!isFields(apps)) return null;
  return Object.fromEntries(
    Object.entries(apps).map(([name, app]) => {
      const full = isFields(app) ? { name, ...app } : app;
      return [isFields(full) && typeof full.name === 'string' ? full.name : name, full];
    }),
  );
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

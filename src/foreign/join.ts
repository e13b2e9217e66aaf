/** What several files were read into, as one. */
import { countOn } from '../config/app-name.ts';
import type { Foreign, ForeignApp } from './model.ts';

/** A name that an earlier file has given is counted on, in what refers to it as well. */
export function joinForeign(all: readonly Foreign[]): Foreign {
  const taken = new Set<string>();
  return {
    apps: all.flatMap(({ apps }) => renamed(apps, taken)),
    notes: [...new Set(all.flatMap(({ notes }) => notes))],
  };
}

function renamed(apps: readonly ForeignApp[], taken: Set<string>): readonly ForeignApp[] {
  const names = new Map(
    apps.map(({ stanza }) => {
      const name = String(stanza.name);
      const given = countOn(name, (word) => taken.has(word));
      taken.add(given);
      return [name, given];
    }),
  );
  if ([...names].every(([name, given]) => name === given)) return apps;
  return apps.map(({ stanza, notes }) => {
    const given = names.get(String(stanza.name))!;
    const needs = Object.entries((stanza.depends_on ?? {}) as object).map(([name, state]) => [
      names.get(name) ?? name,
      state,
    ]);
    return {
      stanza: { ...stanza, name: given, ...(needs.length > 0 && { depends_on: Object.fromEntries(needs) }) },
      notes:
        given === stanza.name
          ? notes
          : [`Another file has an app of the name ${JSON.stringify(stanza.name)}.`, ...notes],
    };
  });
}

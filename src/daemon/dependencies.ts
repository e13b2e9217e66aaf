/** What depends on what: refused as a whole before anything starts if a name is missing or the chain bites its tail; the order of start and of stop. */
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec } from '../protocol/spec.ts';
import type { App } from './app.ts';
import type { Daemon } from './context.ts';

type Needs = Pick<AppSpec, 'name' | 'dependsOn' | 'after'>;

const neededBy = ({ dependsOn, after }: Needs): string[] => [...Object.keys(dependsOn), ...after];

/** Throws DEPENDENCY_MISSING or DEPENDENCY_CYCLE for specs that are to be added, or to take the place of those of their names. */
export function checkDependencies(daemon: Pick<Daemon, 'apps'>, specs: readonly Needs[]): void {
  const all = new Map<string, Needs>([...daemon.apps.values()].map(({ spec }) => [spec.name, spec]));
  for (const spec of specs) all.set(spec.name, spec);
  for (const spec of specs) {
    const missing = neededBy(spec).find((name) => !all.has(name));
    if (missing !== undefined)
      throw new SteadError(
        'DEPENDENCY_MISSING',
        `"${spec.name}" needs "${missing}", and there is no app of this name.`,
        {
          hint: 'start that one first, or correct the name; stead list shows what there is',
          details: { app: spec.name, missing },
        },
      );
  }
  const cycle = findCycle(all);
  if (cycle !== null)
    throw new SteadError('DEPENDENCY_CYCLE', `These wait for each other: ${cycle.join(' → ')}.`, {
      hint: 'take one of these depends_on out',
      details: { cycle },
    });
}

/** The names along a cycle, the first repeated at the end; null if there is none. */
export function findCycle(specs: ReadonlyMap<string, Needs>): string[] | null {
  const done = new Set<string>();
  for (const start of specs.keys()) {
    // Depth first, without recursion: a chain may be long.
    const path: string[] = [];
    const stack: { readonly name: string; readonly rest: string[] }[] = [];
    const enter = (name: string) => {
      path.push(name);
      const spec = specs.get(name);
      stack.push({ name, rest: spec === undefined ? [] : neededBy(spec) });
    };
    if (!done.has(start)) enter(start);
    while (stack.length > 0) {
      const next = stack.at(-1)!.rest.shift();
      if (next === undefined) {
        done.add(stack.pop()!.name);
        path.pop();
      } else if (path.includes(next)) return [...path.slice(path.indexOf(next)), next];
      else if (!done.has(next)) enter(next);
    }
  }
  return null;
}

/** Everything that an app needs, directly or not, those first on which others wait. */
export function dependenciesOf(daemon: Pick<Daemon, 'apps'>, app: App): App[] {
  const found = new Set<App>();
  const visit = (each: App) => {
    for (const name of neededBy(each.spec)) {
      const other = daemon.apps.get(name);
      if (other === undefined || other === app || found.has(other)) continue;
      visit(other);
      found.add(other);
    }
  };
  visit(app);
  return [...found];
}

/** Groups to be stopped one after the other: those first that nobody in the set waits for. */
export function stopWaves(apps: readonly App[]): App[][] {
  const left = new Set(apps);
  const waves: App[][] = [];
  while (left.size > 0) {
    const needed = new Set([...left].flatMap(({ spec }) => Object.keys(spec.dependsOn)));
    const wave = [...left].filter(({ name }) => !needed.has(name));
    // A cycle can't be there; were it, all of it is one wave.
    waves.push(wave.length > 0 ? wave : [...left]);
    for (const app of waves.at(-1)!) left.delete(app);
  }
  return waves;
}

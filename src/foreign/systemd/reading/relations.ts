/** What units say of each other: systemd.unit(5). Of those that are imported together it is `depends_on`. */
import { type Draft, listed, type Names } from '../../draft.ts';
import { allOf, lastOf, type Unit } from './unit.ts';

const needing = ['Requires', 'Requisite', 'BindsTo', 'Wants', 'Upholds'];

export interface Services {
  readonly units: ReadonlyMap<string, Unit>;
  readonly names: Names;
  readonly specify: (unit: Unit, text: string) => string;
}

/** Whom a unit waits for, by name; true: it is ordered after it, false: it only needs it. */
type Waits = ReadonlyMap<string, boolean>;

export interface Relations {
  readonly waits: ReadonlyMap<string, Waits>;
  /** What would make a circle, left out: `a` waits for `b` by other ways, so `b` can't wait for `a`. */
  readonly dropped: readonly (readonly [from: string, to: string])[];
}

/** Of all services. What is needed without an order gives way to an order, which here is the same as to need. */
export function relationsOf(services: Services): Relations {
  const waits = new Map([...services.units.values()].map((unit) => [unit.name, saidBy(unit, services)]));
  const dropped: (readonly [string, string])[] = [];
  for (const isOrdered of [false, true])
    for (const [from, others] of waits)
      for (const [to, ordered] of others) {
        if (ordered !== isOrdered || !reaches(to, from, waits)) continue;
        others.delete(to);
        dropped.push([from, to]);
      }
  return { waits, dropped };
}

function saidBy(unit: Unit, { units, specify }: Services): Map<string, boolean> {
  const listOf = (of: Unit, key: string) => allOf(of, 'Unit', key).flatMap((value) => specify(of, value).split(/\s+/));
  const before = [...units.values()].filter((other) => listOf(other, 'Before').includes(unit.name));
  const after = [...listOf(unit, 'After'), ...before.map(({ name }) => name)];
  const all = [...new Set([...after, ...needing.flatMap((key) => listOf(unit, key))])];
  return new Map(all.filter((name) => name !== unit.name).map((name) => [name, after.includes(name)]));
}

function reaches(from: string, to: string, waits: ReadonlyMap<string, Waits>): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === to) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(waits.get(next)?.keys() ?? []));
  }
  return false;
}

export function putRelations(
  draft: Draft,
  unit: Unit,
  { units, names }: Services,
  { waits, dropped }: Relations,
): void {
  const own = [...waits.get(unit.name)!];
  const known = own.flatMap(([name, isOrdered]) => {
    const called = names.of(name);
    return called === undefined ? [] : [[called, stateOf(units.get(name)!, isOrdered)] as const];
  });
  if (known.length > 0) draft.put('depends_on', Object.fromEntries(known));
  const missing = own
    .map(([name]) => name)
    .filter((name) => name.endsWith('.service') && !units.has(name) && !name.startsWith('systemd-'));
  if (missing.length > 0)
    draft.note(
      `${listed(missing)}: not imported, so nothing waits for ${missing.length > 1 ? 'them' : 'it'}; stead apps wait for stead apps (depends_on).`,
    );
  for (const [from, to] of dropped)
    if (from === unit.name) draft.note(`${to} waits for this one, so this one can't wait for it; apply starts both.`);
  for (const key of ['PartOf', 'Conflicts']) {
    const others = allOf(unit, 'Unit', key).filter((value) => value.includes('.service'));
    if (others.length > 0) draft.note(`${key}=${others.join(' ')}: has no equal.`);
  }
}

/** What is once is waited for until it has been. */
function stateOf(other: Unit, isOrdered: boolean): string {
  if (!isOrdered) return 'started';
  return lastOf(other, 'Service', 'Type') === 'oneshot' ? 'completed' : 'ready';
}

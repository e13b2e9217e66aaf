/** What units say of each other: systemd.unit(5). Of those that are imported together it is `depends_on`. */
import type { Draft, Names } from '../../draft.ts';
import { listed } from '../../draft.ts';
import { allOf, lastOf, type Unit } from './unit.ts';

const needing = ['Requires', 'Requisite', 'BindsTo', 'Wants', 'Upholds', 'PartOf'];
const ordering = ['After', 'Before'];
export const relationKeys: readonly string[] = [...needing, ...ordering];

export interface Others {
  /** The services that are imported, by their names. */
  readonly units: ReadonlyMap<string, Unit>;
  readonly names: Names;
  readonly specify: (text: string) => string;
}

export function putRelations(draft: Draft, unit: Unit, others: Others): void {
  const listOf = (of: Unit, key: string) =>
    allOf(of, 'Unit', key).flatMap((value) => others.specify(value).split(/\s+/));
  const needed = needing.flatMap((key) => listOf(unit, key));
  const before = [...others.units.values()].filter(
    (other) => other !== unit && listOf(other, 'Before').includes(unit.name),
  );
  const after = [...listOf(unit, 'After'), ...before.map(({ name }) => name)];
  const waited = [...new Set([...after, ...needed])].filter((name) => name !== unit.name);
  const own = waited.flatMap((name) => {
    const other = others.units.get(name);
    const called = others.names.of(name);
    return other === undefined || called === undefined ? [] : [[called, stateOf(other, after.includes(name))] as const];
  });
  if (own.length > 0) draft.put('depends_on', Object.fromEntries(own));
  const missing = waited.filter(
    (name) => name.endsWith('.service') && !others.units.has(name) && !name.startsWith('systemd-'),
  );
  if (missing.length > 0)
    draft.note(
      `${listed(missing)}: not imported, so nothing waits for ${missing.length > 1 ? 'them' : 'it'}; stead apps wait for stead apps (depends_on).`,
    );
  const conflicts = allOf(unit, 'Unit', 'Conflicts').filter((value) => value.includes('.service'));
  if (conflicts.length > 0) draft.note(`Conflicts=${conflicts.join(' ')}: has no equal.`);
}

/** What is once is waited for until it has been. */
function stateOf(other: Unit, isOrdered: boolean): string {
  if (!isOrdered) return 'started';
  return lastOf(other, 'Service', 'Type') === 'oneshot' ? 'completed' : 'ready';
}

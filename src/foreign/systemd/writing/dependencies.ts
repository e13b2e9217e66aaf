/** What starts before it: systemd.unit(5) After=, Requires=. */
import type { AppSpec } from '../../../protocol/spec.ts';
import type { SystemdContext } from './context.ts';

/** By name: what it depends on, and the jobs that it comes after. */
export const dependenciesOf = ({ dependsOn, after }: AppSpec): readonly string[] => [
  ...new Set([...Object.keys(dependsOn), ...after]),
];

export function dependencyLines(spec: AppSpec, { units }: SystemdContext): string[] {
  const found = dependenciesOf(spec).flatMap((name) => units.get(name) ?? []);
  return [
    `After=${['network.target', ...found].join(' ')}`,
    ...(found.length === 0 ? [] : [`Requires=${found.join(' ')}`]),
  ];
}

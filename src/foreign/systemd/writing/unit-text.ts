/** What all units look like. */
import { commentLines, type Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { isKnown } from './versions.ts';

export const headOf = ({ spec }: Outgoing, notes: readonly string[] = []): string[] => [
  `${spec.kind === 'job' ? 'Job' : 'App'} "${spec.name}" of stead, written by stead export systemd.`,
  ...notes,
];

/** Lines that this version of systemd does not know are left out, and sections without a line. An empty line stands before a comment. */
export function unitText(
  notes: readonly string[],
  sections: Readonly<Record<string, readonly string[]>>,
  version: number,
): string {
  const known = Object.entries(sections).map(
    ([name, lines]) => [name, lines.filter((line) => isKnown(line, version))] as const,
  );
  const blocks = known.filter(([, lines]) => lines.length > 0);
  return [commentLines(notes), ...blocks.map(([name, lines]) => [`[${name}]`, ...lines])]
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

/** What starts it at boot. */
export const wantedBy = (scope: SystemdContext['scope']): string =>
  scope === 'system' ? 'multi-user.target' : 'default.target';

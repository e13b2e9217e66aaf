/** What all units look like. */
import { commentLines, type Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';

export const headOf = ({ spec }: Outgoing, notes: readonly string[] = []): string[] => [
  `${spec.kind === 'job' ? 'Job' : 'App'} "${spec.name}" of stead, written by stead export systemd.`,
  ...notes,
];

/** Sections without a line are left out. */
export function unitText(notes: readonly string[], sections: Readonly<Record<string, readonly string[]>>): string {
  const blocks = Object.entries(sections).filter(([, lines]) => lines.length > 0);
  return [commentLines(notes), ...blocks.map(([name, lines]) => [`[${name}]`, ...lines])]
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

/** What starts it at boot. */
export const wantedBy = (scope: SystemdContext['scope']): string =>
  scope === 'system' ? 'multi-user.target' : 'default.target';

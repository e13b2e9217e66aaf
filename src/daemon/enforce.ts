/** Limits that need a cgroup controller: refused where this machine has none, never ignored. */
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec } from '../protocol/spec.ts';

/** What this machine lets the daemon enforce. */
export interface Enforcement {
  /** Controllers that instances' cgroups may use: `memory`, `cpu`, `pids`. */
  readonly controllers: ReadonlySet<string>;
}

const needed = [
  ['cpuWeight', 'cpu', '--cpu-weight', 'use --nice'],
  ['cpuQuota', 'cpu', '--cpu', 'use --nice'],
  ['maxTasks', 'pids', '--max-tasks', 'use --limit nproc=N, which counts per user'],
] as const satisfies readonly (readonly [keyof AppSpec, string, string, string])[];

/** Throws UNSUPPORTED for a limit that could not be held here. Memory is measured where it can't be enforced. */
export function checkEnforceable(spec: AppSpec, { controllers }: Enforcement): void {
  for (const [field, controller, flag, instead] of needed) {
    if (spec[field] !== null && !controllers.has(controller))
      throw new SteadError(
        'UNSUPPORTED',
        `${flag} can't be enforced here: this user has no cgroup v2 with the "${controller}" controller.`,
        { hint: `${instead}; stead doctor says more` },
      );
  }
  if (spec.user === null && spec.groups !== null && process.geteuid?.() !== 0)
    throw new SteadError('NOT_PERMITTED', 'Only root can give a program other groups.', { hint: 'leave out --groups' });
  if (spec.ioNice?.class === 1 && process.geteuid?.() !== 0)
    throw new SteadError('NOT_PERMITTED', 'Only root can give a program the realtime class of I/O.', {
      hint: '--io-nice best-effort:0',
    });
}

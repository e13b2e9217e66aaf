/** Limits that need a cgroup controller: refused where this machine has none, never ignored. */
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { capabilities, hasCapability } from '../host/capabilities.ts';
import { limitsOf } from '../host/limits.ts';
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

/** What was asked for and takes a right that this daemon has not. What is inherited is lowered instead: nobody asked for it. */
function refuseMore({ options, limits, nice, oomScoreAdj }: AppSpec): void {
  const may = { resource: hasCapability(capabilities.sysResource), nice: hasCapability(capabilities.sysNice) };
  const own = limitsOf('self');
  for (const text of options.limit ?? []) {
    const name = text.split('=', 1)[0]!;
    const [wanted, has] = [limits[name]?.[1], own[name]?.[1]];
    if (may.resource || wanted === undefined || has === undefined || has === null) continue;
    if (wanted === null || wanted > has)
      throw new SteadError('NOT_PERMITTED', `--limit ${name}: the hard limit here is ${has}, and may not be raised.`, {
        hint: `--limit ${name}=${has}, or raise it for this user (/etc/security/limits.conf)`,
      });
  }
  if (options.nice !== undefined && nice < getPriority() && !may.nice)
    throw new SteadError('NOT_PERMITTED', `--nice ${nice}: only root may lower it.`, { hint: '--nice 0 to 19' });
  if (options.oomScoreAdj !== undefined && oomScoreAdj < ownOomScoreAdj() && !may.resource)
    throw new SteadError('NOT_PERMITTED', `--oom-score-adj ${oomScoreAdj}: only root may lower it.`, {
      hint: '--oom-score-adj 0 to 1000',
    });
}

function ownOomScoreAdj(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
  } catch {
    return 0;
  }
}

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
  refuseMore(spec);
  if (spec.user === null && spec.groups !== null && process.geteuid?.() !== 0)
    throw new SteadError('NOT_PERMITTED', 'Only root can give a program other groups.', { hint: 'leave out --groups' });
  if (spec.ioNice?.class === 1 && process.geteuid?.() !== 0)
    throw new SteadError('NOT_PERMITTED', 'Only root can give a program the realtime class of I/O.', {
      hint: '--io-nice best-effort:0',
    });
}

import type { AppSpec } from '../protocol/spec.ts';

/** Fields of a spec that concern a launch, the environment aside: a run that goes on has them as they were. */
const ofLaunch = [
  'cwd',
  'user',
  'groups',
  'umask',
  'limits',
  'nice',
  'ioNice',
  'oomScoreAdj',
  'noNewPrivs',
  'secrets',
  'maxMemory',
  'cpuWeight',
  'cpuQuota',
  'maxTasks',
  'ready',
  'alive',
  'stopStdin',
  'stopMessage',
  'timeoutMs',
  'tty',
  'stdin',
] as const satisfies readonly (keyof AppSpec)[];
const ofShare = [
  'listen',
  'nonblock',
  'incrementVar',
  'drainSignal',
  'onDemand',
] as const satisfies readonly (keyof AppSpec['share'])[];
const ofLogs = ['out', 'err', 'merge', 'via', 'forward'] as const satisfies readonly (keyof AppSpec['log'])[];

/** Whether what differs between two specs, the environment aside, holds from the next launch on only. */
export function concernsLaunch(before: AppSpec, after: AppSpec): boolean {
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
  return (
    ofLaunch.some((field) => differs(before[field], after[field])) ||
    ofLogs.some((field) => differs(before.log[field], after.log[field])) ||
    ofShare.some((field) => differs(before.share[field], after.share[field])) ||
    // It has its port for itself, or shares it.
    (before.share.instances === null) !== (after.share.instances === null)
  );
}

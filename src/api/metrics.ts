import type { AppView, InstanceView } from '../protocol/api.ts';
import type { AppMetrics } from './types.ts';

/** What a list tells of what an app uses. */
export function metricsOf({ name, id, state, ports, instances }: AppView, nowMs: number): AppMetrics {
  return {
    name,
    id,
    state,
    at: new Date(nowMs).toISOString(),
    cpu: sum(instances.map(({ cpu }) => cpu)),
    memory: sum(instances.map(({ memory }) => memory)),
    restarts: instances.reduce((all, { restarts }) => all + restarts, 0),
    ports,
    instances: instances.map((one) => instanceMetrics(one, nowMs)),
  };
}

function instanceMetrics(
  { index, state, pid, cpu, memory, restarts, since }: InstanceView,
  nowMs: number,
): AppMetrics['instances'][number] {
  const sinceMs = since === null ? null : Math.max(0, nowMs - Date.parse(since));
  return { index, state, pid, cpu, memory, restarts, sinceMs };
}

/** Null where there is nothing to add up. */
function sum(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : known.reduce((all, figure) => all + figure, 0);
}

/** What runs the pods: Deployment, StatefulSet, Job, CronJob; and the Service in front of them. */
import { fiveFields } from '../cron/fields.ts';
import { parseCron } from '../cron/pattern.ts';
import { portsOf } from '../ports.ts';
import type { Outgoing } from '../written.ts';
import { isCounted } from './environment.ts';
import { podSpec } from './pod.ts';
import { seconds } from './probes.ts';

type Fields = Record<string, unknown>;

/** A Job's own. */
const usualBackoffLimit = 6;

export function workload(app: Outgoing, name: string): Fields {
  if (app.spec.kind === 'app') return serving(app, name);
  return scheduleOf(app) === null
    ? { apiVersion: 'batch/v1', kind: 'Job', metadata: metadata(name), spec: jobSpec(app, name) }
    : cronJob(app, name);
}

const metadata = (name: string): Fields => ({ name, labels: labelsOf(name) });
const labelsOf = (name: string): Fields => ({ 'app.kubernetes.io/name': name });

function serving(app: Outgoing, name: string): Fields {
  const template = { metadata: { labels: labelsOf(name) }, spec: podSpec(app, name, 'Always') };
  const replicas = app.idle === null ? (app.spec.share.instances ?? 1) : 0;
  const common = { replicas, selector: { matchLabels: labelsOf(name) }, template };
  if (isCounted(app))
    return {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: metadata(name),
      spec: { serviceName: name, podManagementPolicy: 'Parallel', ...common },
    };
  // One more is ready before one goes: what stead reload does.
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata(name), spec: { strategy, ...common } };
}

function jobSpec(app: Outgoing, name: string): Fields {
  const { restart, maxRestarts, timeoutMs } = app.spec;
  return {
    backoffLimit: restart === 'no' ? 0 : (maxRestarts ?? usualBackoffLimit),
    ...(timeoutMs !== null && { activeDeadlineSeconds: seconds(timeoutMs) }),
    template: {
      metadata: { labels: labelsOf(name) },
      spec: podSpec(app, name, restart === 'no' ? 'Never' : 'OnFailure'),
    },
  };
}

/** Five fields; null: it has no schedule, or one that a CronJob can't say. */
export function scheduleOf({ spec: { schedule } }: Outgoing): string | null {
  const pattern = schedule === null ? null : parseCron(schedule.pattern);
  return pattern === null ? null : fiveFields(pattern);
}

/** A time that passed longer ago is left out. */
const lateS = 60;

function cronJob(app: Outgoing, name: string): Fields {
  const { zone, overlap, missed } = app.spec.schedule!;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadata(name),
    spec: {
      schedule: scheduleOf(app),
      ...(zone !== null && { timeZone: zone }),
      concurrencyPolicy: overlap === 'replace' ? 'Replace' : 'Forbid',
      ...(missed === 'skip' && { startingDeadlineSeconds: lateS }),
      ...(app.idle !== null && { suspend: true }),
      jobTemplate: { spec: jobSpec(app, name) },
    },
  };
}

/** Null: it is not known to listen. A StatefulSet must have one. */
export function service(app: Outgoing, name: string): Fields | null {
  const ports = portsOf(app.spec);
  if (app.spec.kind === 'job' || (ports.length === 0 && !isCounted(app))) return null;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name),
    spec: {
      selector: labelsOf(name),
      ...(isCounted(app) && { clusterIP: 'None' }),
      ...(ports.length > 0 && {
        ports: ports.map(({ name: portName, port, protocol }) => ({
          name: portName,
          port,
          targetPort: port,
          ...(protocol === 'UDP' && { protocol }),
        })),
      }),
    },
  };
}

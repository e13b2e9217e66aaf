/** The job of an app: one task group, one task. Fields as https://developer.hashicorp.com/nomad/api-docs/json-jobs names them. */

import { fiveFields } from '../cron/fields.ts';
import { parseCron } from '../cron/pattern.ts';
import { stopTotalMs } from '../outgoing.ts';
import type { Outgoing } from '../written.ts';
import { rawExec } from './exec.ts';
import { networks, services } from './service.ts';
import { nanoseconds } from './times.ts';

type Fields = Record<string, unknown>;

export interface JobOptions {
  /** Who runs what has no user of its own; null: root. */
  readonly owner: string | null;
}

/** `id` is the job's, its group's and its task's. */
export function nomadJob(app: Outgoing, id: string, options: JobOptions): Fields {
  const { spec } = app;
  return {
    Job: {
      ID: id,
      Name: spec.name,
      Type: spec.kind === 'app' ? 'service' : 'batch',
      Datacenters: ['*'],
      ...(spec.kind === 'app' && { Update: update(app) }),
      ...periodic(app),
      TaskGroups: [
        {
          Name: id,
          Count: spec.share.instances ?? 1,
          RestartPolicy: restartPolicy(app),
          ...(networks(spec).length > 0 && { Networks: networks(spec) }),
          ...(services(spec).length > 0 && { Services: services(spec) }),
          Tasks: [task(app, id, options)],
        },
      ],
    },
  };
}

/** Which of its count a task is, as Nomad puts it in place. */
const allocIndex = `\${NOMAD_ALLOC_INDEX}`;

function task(app: Outgoing, id: string, { owner }: JobOptions): Fields {
  const { spec, env, path } = app;
  const user = spec.user?.name ?? owner;
  const all = new Map([...(path !== null && !env.has('PATH') ? [['PATH', path] as const] : []), ...env]);
  if (spec.share.instances !== null) {
    all.set('NODE_APP_INSTANCE', allocIndex);
    all.set('STEAD_INSTANCE', allocIndex);
  }
  const secrets = secretTemplates(app, id);
  return {
    Name: id,
    Driver: 'raw_exec',
    ...(user !== null && { User: user }),
    Config: rawExec(app),
    ...(all.size > 0 && { Env: Object.fromEntries(all) }),
    ...(secrets.length > 0 && { Templates: secrets }),
    ...resources(app),
    KillSignal: spec.stopSignals[0]?.signal ?? 'SIGTERM',
    KillTimeout: nanoseconds(Math.max(1, stopTotalMs(spec))),
    LogConfig: logConfig(app),
  };
}

/** Secrets are variables of Nomad, kept under the job's own path. */
function secretTemplates({ spec, withheld }: Outgoing, id: string): Fields[] {
  const names = [...new Set([...Object.keys(spec.secrets), ...withheld])].filter((name) => /^[A-Za-z_]\w*$/.test(name));
  if (names.length === 0) return [];
  const lines = names.map((name) => `${name}={{ .${name} | toJSON }}`);
  return [
    {
      EmbeddedTmpl: `{{ with nomadVar "nomad/jobs/${id}" }}\n${lines.join('\n')}\n{{ end }}\n`,
      DestPath: 'secrets/env',
      Envvars: true,
      ChangeMode: 'restart',
      Perms: '0600',
    },
  ];
}

/** What a task has unless it says otherwise; it must say both. */
const usualMhz = 100;
const usualMegabytes = 300;
const oneCoreMhz = 1000;

function resources({ spec: { maxMemory, cpuQuota } }: Outgoing): Fields {
  if (maxMemory === null && cpuQuota === null) return {};
  return {
    Resources: {
      CPU: cpuQuota === null ? usualMhz : Math.max(1, Math.round((cpuQuota / 100) * oneCoreMhz)),
      MemoryMB: maxMemory === null ? usualMegabytes : Math.max(10, Math.ceil(maxMemory / 1024 ** 2)),
    },
  };
}

const usualWindowMs = 60_000;

/** Without a limit it waits for the next interval, and goes on. */
function restartPolicy({ spec }: Outgoing): Fields {
  const { restart, maxRestarts, restartWindowMs, backoff } = spec;
  if (restart === 'no') return { Attempts: 0, Mode: 'fail' };
  const window = restartWindowMs ?? Math.max(usualWindowMs, (maxRestarts ?? 0) * backoff.maxMs);
  return {
    Attempts: maxRestarts ?? Math.max(1, Math.floor(window / Math.max(1000, backoff.minMs))),
    Interval: nanoseconds(window),
    Delay: nanoseconds(Math.max(1000, backoff.minMs)),
    Mode: maxRestarts === null ? 'delay' : 'fail',
  };
}

/** One at a time, and back if it fails: what stead reload does. */
function update({ spec }: Outgoing): Fields {
  return {
    MaxParallel: 1,
    HealthCheck: services(spec).some((service) => service.Checks !== undefined) ? 'checks' : 'task_states',
    MinHealthyTime: nanoseconds(Math.min(spec.stableAfterMs, spec.readyTimeoutMs)),
    HealthyDeadline: nanoseconds(spec.readyTimeoutMs + spec.stableAfterMs),
    ProgressDeadline: nanoseconds(2 * (spec.readyTimeoutMs + spec.stableAfterMs)),
    AutoRevert: true,
  };
}

/** Five fields; six begin with the minute there, and end with the year. */
export function periodicSpec({ spec: { schedule } }: Outgoing): string | null {
  const pattern = schedule === null ? null : parseCron(schedule.pattern);
  return pattern === null ? null : fiveFields(pattern);
}

function periodic(app: Outgoing): Fields {
  const { schedule, kind } = app.spec;
  const spec = kind === 'job' ? periodicSpec(app) : null;
  if (spec === null) return {};
  return {
    Periodic: {
      Enabled: app.idle === null,
      SpecType: 'cron',
      Spec: spec,
      // Nomad's own is UTC, stead's that of the machine.
      TimeZone: schedule!.zone ?? 'Local',
      ProhibitOverlap: true,
    },
  };
}

const usualFileMegabytes = 10;

function logConfig({ spec: { log } }: Outgoing): Fields {
  const size = log.maxSize === null ? usualFileMegabytes : Math.max(1, Math.round(log.maxSize / 1024 ** 2));
  return { MaxFiles: Math.max(1, log.keep + 1), MaxFileSizeMB: size };
}

/** Apps as pm2 has them: one process for each instance. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AppDetail, AppView, InstanceView } from '../../protocol/api.ts';
import type { Book } from './book.ts';

export interface Process {
  readonly id: number;
  readonly app: AppView;
  readonly instance: InstanceView;
}

/** By their numbers. */
export function processesOf(apps: readonly AppView[], book: Book): readonly Process[] {
  return apps
    .flatMap((app) =>
      app.instances
        .filter(({ role }) => role === undefined)
        .map((instance) => ({ id: book.idOf(app, instance.index), app, instance })),
    )
    .toSorted((a, b) => a.id - b.id);
}

/** pm2's word for a state. */
export function statusOf({ state }: Pick<InstanceView, 'state'>): string {
  const words: Readonly<Record<string, string>> = {
    running: 'online',
    starting: 'launching',
    stopping: 'stopping',
    backoff: 'waiting restart',
    failed: 'errored',
    stuck: 'errored',
  };
  return words[state] ?? 'stopped';
}

export const isUp = ({ state }: Pick<InstanceView, 'state'>): boolean =>
  ['running', 'starting', 'stopping', 'backoff'].includes(state);

/** One entry of `jlist`. */
export function entryOf({ id, app, instance }: Process, detail: AppDetail, book: Book): Record<string, unknown> {
  const { spec } = detail;
  const script = scriptOf(detail);
  const since = instance.since === null ? null : Date.parse(instance.since);
  const env = Object.fromEntries(
    detail.env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  const logs = filesOf(detail, instance.index);
  return {
    pid: instance.pid ?? 0,
    name: app.name,
    pm2_env: {
      name: app.name,
      pm_id: id,
      status: statusOf(instance),
      pm_uptime: since ?? Date.parse(app.createdAt),
      created_at: Date.parse(app.createdAt),
      restart_time: instance.restarts + book.askedFor(app, instance.index),
      unstable_restarts: instance.state === 'backoff' || instance.state === 'failed' ? instance.restarts : 0,
      pm_cwd: spec.cwd,
      pm_exec_path: script,
      exec_interpreter: spec.program.interpreter?.name ?? 'none',
      exec_mode: modeOf(detail),
      instances: app.instances.filter(({ role }) => role === undefined).length,
      namespace: app.group ?? 'default',
      args: spec.program.words.slice(1),
      node_args: spec.program.interpreter?.args ?? [],
      watch: spec.watch === null ? false : spec.watch.paths.length > 0 ? spec.watch.paths : true,
      autostart: spec.autostart,
      autorestart: spec.restart !== 'no',
      wait_ready: spec.ready?.kind === 'ipc',
      treekill: true,
      merge_logs: false,
      instance_var: 'NODE_APP_INSTANCE',
      NODE_APP_INSTANCE: instance.index,
      pm_out_log_path: logs.out,
      pm_err_log_path: logs.err,
      kill_timeout: spec.stopTimeoutMs,
      ...(spec.maxMemory !== null && { max_memory_restart: spec.maxMemory }),
      ...(spec.schedule !== null && { cron_restart: spec.schedule.pattern }),
      version: versionOf(script),
      node_version: spec.program.interpreter?.name === 'node' ? process.versions.node : undefined,
      username: spec.user?.name ?? env.USER,
      unique_id: `${detail.id}-${instance.index}`,
      axm_actions: [],
      axm_monitor: {},
      axm_options: {},
      axm_dynamic: {},
      vizion_running: false,
      env,
    },
    pm_id: id,
    monit: { memory: instance.memory ?? 0, cpu: Math.round((instance.cpu ?? 0) * 10) / 10 },
  };
}

export const modeOf = ({ spec }: Pick<AppDetail, 'spec'>): 'cluster_mode' | 'fork_mode' =>
  spec.share.instances === null || spec.share.incrementVar !== null ? 'fork_mode' : 'cluster_mode';

/** The script or the program that is executed. */
export function scriptOf({ spec: { program } }: Pick<AppDetail, 'spec'>): string {
  return program.how === 'script' ? program.words[0]! : (program.interpreter?.path ?? program.words[0]!);
}

/** Of an instance, by the places of the first one. */
export function filesOf({ logs, spec }: AppDetail, index: number): { readonly out: string; readonly err: string } {
  const numbered = (path: string, said: string | null) => {
    if (index === 0 || path === '/dev/null') return path;
    return said === null
      ? path.replace(/(^|\/)0(?=\.(?:out|err)\.log$)/, `$1${index}`)
      : path.replace(/(\.[^./]+)?$/, (ending) => `-${index}${ending}`);
  };
  return {
    out: numbered(logs.out, spec.log.out),
    err: numbered(logs.err, spec.log.merge ? spec.log.out : spec.log.err),
  };
}

/** Of the package that a script belongs to. */
export function versionOf(script: string): string {
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    try {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        readonly version?: unknown;
      };
      return typeof version === 'string' ? version : 'N/A';
    } catch {
      if (folder === dirname(folder) || !folder.startsWith('/')) return 'N/A';
    }
  }
}

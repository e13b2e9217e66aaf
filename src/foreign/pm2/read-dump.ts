/**
 * What `pm2 save` keeps, dump.pm2: a JSON list with an entry for each process → apps of ours. An entry is flat: the fields of the app, those of the process, and each
 * variable of its environment once more. Source: pm2 7.0.4 as it behaves.
 */
import { basename, join } from 'node:path';
import { quote } from '../../config/values.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Foreign, ForeignApp } from '../model.ts';
import { dumpedEnvironment } from './dump-environment.ts';
import type { Values } from './fields.ts';
import { readEcosystem } from './read-ecosystem.ts';
import type { EcosystemContext } from './reading.ts';

export interface DumpContext extends Omit<EcosystemContext, 'only' | 'profile'> {
  /** PM2_HOME: what lies there as pm2 put it is not taken over. */
  readonly pm2Home: string;
  /** All of the environment that a process was started with, in place of what the shell doesn't have. */
  readonly isWholeEnv: boolean;
}

/** Throws CONFIG_INVALID for what is no dump. */
export function readDump(text: string, context: DumpContext): Foreign {
  return readProcesses(parseDump(text, context.file), context);
}

export function parseDump(text: string, file: string): readonly Values[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SteadError('CONFIG_INVALID', `${quote(file)} can't be read: ${(error as Error).message}`, {
      hint: 'pm2 save writes it anew',
    });
  }
  if (Array.isArray(value) && value.every(isEntry)) return value;
  throw new SteadError('CONFIG_INVALID', `${quote(file)} is no dump of pm2's: it must be a list of processes`, {
    hint: 'pm2 save writes ~/.pm2/dump.pm2',
  });
}

const isEntry = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && typeof (value as Values).pm_exec_path === 'string';

/** Whether a value is the list of a dump rather than one of apps. */
export const isDump = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isEntry);

/** Processes as a dump has them, or as pm2 tells of those that run. Modules of pm2's are left out. */
export function readProcesses(entries: readonly Values[], context: DumpContext): Foreign {
  const groups = grouped(entries.filter(({ pmx_module: isModule }) => isModule !== true));
  const modules = entries.filter(({ pmx_module: isModule }) => isModule === true).map(({ name }) => String(name));
  const written = groups.map((group) => appOf(group, context));
  const { apps, notes } = readEcosystem(
    { apps: written.map(({ app }) => app) },
    { ...context, only: null, profile: null },
  );
  return {
    apps: apps.map((app, at): ForeignApp => ({ ...app, notes: [...written[at]!.notes, ...app.notes] })),
    notes: [...notes, ...(modules.length === 0 ? [] : [`Modules of pm2 are left out: ${modules.join(', ')}.`])],
  };
}

/** Those of one app, in the order in which the first of each comes. */
export function grouped(entries: readonly Values[]): readonly (readonly Values[])[] {
  const groups = new Map<string, Values[]>();
  for (const entry of entries) {
    const key = JSON.stringify([entry.name, entry.pm_exec_path, entry.exec_mode]);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups.values()];
}

/** Fields that stand in an entry as they were said. */
const sameFields = [
  ...['name', 'namespace', 'args', 'node_args', 'exec_mode', 'max_memory_restart', 'min_uptime', 'max_restarts'],
  ...['cron_restart', 'watch', 'ignore_watch', 'watch_delay', 'autorestart', 'stop_exit_codes', 'restart_delay'],
  ...[
    'exp_backoff_restart_delay',
    'kill_timeout',
    'listen_timeout',
    'wait_ready',
    'shutdown_with_message',
    'uid',
    'gid',
  ],
  ...['increment_var', 'log_type', 'log_date_format'],
];

function appOf(
  group: readonly Values[],
  context: DumpContext,
): { readonly app: Values; readonly notes: readonly string[] } {
  const [first] = group as readonly [Values];
  const isCluster = String(first.exec_mode).startsWith('cluster');
  const isStopped = group.every(({ status }) => status === 'stopped');
  const isErrored = group.every(({ status }) => status === 'stopped' || status === 'errored') && !isStopped;
  const profiles = Object.entries(first).filter(([key, value]) => /^env_./.test(key) && typeof value === 'object');
  const { env, left } = dumpedEnvironment(first, context);
  const app: Record<string, unknown> = {
    ...Object.fromEntries(sameFields.flatMap((key) => (isSaid(key, first[key]) ? [[key, first[key]]] : []))),
    ...program(first),
    cwd: first.pm_cwd,
    ...((isCluster || group.length > 1) && { instances: group.length }),
    ...(first.instance_var !== undefined &&
      first.instance_var !== 'NODE_APP_INSTANCE' && { instance_var: first.instance_var }),
    ...(first.treekill === false && { treekill: false }),
    ...files(first, context),
    ...((isStopped || isErrored || first.autostart === false) && { autostart: false }),
    ...(Object.keys(env).length > 0 && { env }),
    ...Object.fromEntries(profiles),
  };
  const notes = [
    ...(isStopped ? ['It was stopped: it is not started with the others.'] : []),
    ...(isErrored
      ? ['pm2 had given it up (errored): it is not started with the others. stead start NAME tries it.']
      : []),
    ...(left.length === 0
      ? []
      : [`Of its environment these were the shell's: ${left.slice(0, 12).join(', ')}${left.length > 12 ? ' …' : ''}.`]),
  ];
  return { app, notes };
}

/** Empty lists and what is switched off were not said. */
const isSaid = (key: string, value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  (value !== false || key === 'autorestart') &&
  !(Array.isArray(value) && value.length === 0) &&
  !(key === 'autorestart' && value === true);

/** A line for the shell is kept as the shell with that line. */
function program({ pm_exec_path: path, exec_interpreter: interpreter, args }: Values): Values {
  const isShellLine =
    interpreter === 'none' &&
    /^(ba|da)?sh$/.test(basename(String(path))) &&
    Array.isArray(args) &&
    args.length === 2 &&
    args[0] === '-c';
  if (isShellLine && /\s/.test(String(args[1]))) return { script: args[1], args: undefined };
  return { script: path, ...(interpreter !== undefined && { interpreter }) };
}

/** Logs and pid files that are elsewhere than where pm2 puts them by itself. */
function files(entry: Values, { pm2Home }: DumpContext): Values {
  const own = (key: string, ending: string): string | undefined => {
    const path = entry[key];
    if (typeof path !== 'string' || path === '') return undefined;
    if (path.startsWith(join(pm2Home, 'logs/')) || path.startsWith(join(pm2Home, 'pids/'))) return undefined;
    // Each process has its number in the name, unless they are said to have one file.
    return entry.merge_logs === true && ending === 'log'
      ? path
      : path.replace(new RegExp(`-\\d+(?=\\.${ending}$)`), '');
  };
  const found = {
    out_file: own('pm_out_log_path', 'log'),
    error_file: own('pm_err_log_path', 'log'),
    log_file: own('pm_log_path', 'log'),
    pid_file: own('pm_pid_path', 'pid'),
    merge_logs: entry.merge_logs === true ? true : undefined,
  };
  const said = Object.entries(found).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said.length === 1 && said[0]![0] === 'merge_logs' ? [] : said);
}

/** One of `processes` → an app or a job. */

import { resolve } from 'node:path';
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';
import { cwdFrom, type ForeignContext, logFrom, pathFrom } from '../context.ts';
import type { Draft } from '../draft.ts';
import { putEnv } from '../env-file.ts';
import { own } from '../own.ts';
import { commandOf } from '../shell-words.ts';
import { isFields, type Reader } from './fields.ts';
import { availabilityKeys, probeKeys, processKeys, scheduleKeys, shutdownKeys } from './keys.ts';
import { putLogs } from './logs.ts';
import { putLiveness, putReadiness } from './probes.ts';
import { putSchedule } from './schedule.ts';
import { render, type Vars } from './variables.ts';
import { putWatch } from './watch.ts';

export interface ProcessContext extends ForeignContext {
  /** The directory in which process-compose is run. */
  readonly directory: string;
  readonly shell: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `environment` of all. */
  readonly common: readonly string[];
  readonly envFiles: readonly string[];
  readonly vars: Vars;
  readonly logConfiguration: Reader | undefined;
  /** The names of ours by those of theirs; several for one that was taken apart. */
  readonly namesOf: (name: string) => readonly string[];
  mistake(key: string, text: string): void;
}

export function putProcess(draft: Draft, process: Reader, context: ProcessContext): void {
  const rendered = (text: string) =>
    render(text, context.vars, (template) =>
      draft.note(`${template}: a template that is not understood; it stands as it is.`),
    );
  const description = process.text('description');
  if (description !== undefined) draft.note(rendered(description));
  const schedule = process.fields('schedule');
  const isJob = schedule !== undefined;
  if (isJob) draft.put('job', true);
  putCommand(draft, process, { ...context, rendered });
  const directory = resolve(context.directory, rendered(process.text('working_dir') ?? '.'));
  draft.put('cwd', cwdFrom(context.base, directory));
  const namespace = process.text('namespace');
  if (namespace !== undefined && namespace !== 'default') draft.put('group', namespace);
  putVariables(draft, process, context);
  putAvailability(draft, process.fields('availability'), isJob);
  putShutdown(draft, process.fields('shutdown'), rendered);
  putDependencies(draft, process, context);
  if (isJob) putSchedule(draft, schedule);
  else putAppsOnly(draft, process, { rendered, directory, context });
  putLogs(draft, process, context.logConfiguration, (text) =>
    logFrom(context.base, resolve(context.directory, rendered(text))),
  );
  sayTheRest(draft, process, isJob);
}

type Rendering = ProcessContext & { readonly rendered: (text: string) => string };

function putCommand(draft: Draft, process: Reader, { rendered, shell, mistake }: Rendering): void {
  const entrypoint = process.texts('entrypoint').map(rendered);
  const command = process.text('command');
  if (entrypoint.length > 0) draft.put('command', entrypoint);
  else if (command === undefined || command.trim() === '')
    mistake('command', 'it has neither "command" nor "entrypoint"');
  else draft.put('command', commandOf(rendered(command), shell));
}

function putVariables(draft: Draft, process: Reader, context: ProcessContext): void {
  const own = process.raw.environment;
  const texts = isFields(own)
    ? Object.entries(own).map(([name, value]) => `${name}=${String(value ?? '')}`)
    : process.texts('environment');
  const entries = [...context.common, ...texts].map((text) => {
    const at = text.indexOf('=');
    if (at < 1) draft.note(`environment: ${quote(text)} is no NAME=value: left out.`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  const isOff = process.flag('is_dotenv_disabled') === true;
  putEnv(draft, Object.fromEntries(entries.filter(([name]) => name !== '')));
  const files = [
    ...(isOff ? [] : context.envFiles),
    ...process.texts('env_file').map((path) => pathFrom(context.base, resolve(context.directory, path))),
  ];
  if (files.length > 0) draft.put('env_file', files);
}

const policies: Readonly<Record<string, string>> = {
  no: 'no',
  false: 'no',
  always: 'always',
  on_failure: 'on-failure',
  exit_on_failure: 'no',
};

/** Nothing is restarted there unless it is said. */
function putAvailability(draft: Draft, availability: Reader | undefined, isJob: boolean): void {
  const said = availability?.text('restart') ?? 'no';
  const policy = own(policies, said);
  if (policy === undefined) draft.note(`availability.restart: ${said} is no policy: left out.`);
  if (!(isJob && policy === 'no')) draft.put('restart', policy ?? 'no');
  if (said === 'exit_on_failure')
    draft.note('restart: exit_on_failure: the others run on; on: {fail: stead stop all} ends them.');
  if (availability?.flag('exit_on_end') === true)
    draft.note('exit_on_end: the others run on; on: {exit: stead stop all} ends them, stead wait gives its exit code.');
  if (availability?.flag('exit_on_skipped') === true) draft.note('exit_on_skipped: has no equal.');
  const seconds = availability?.number('backoff_seconds');
  if (seconds !== undefined && policy !== 'no') {
    for (const key of ['backoff_min', 'backoff_max']) draft.put(key, `${Math.max(1, seconds)}s`, 'backoff_seconds');
    draft.put('backoff_factor', 1);
  }
  const most = availability?.number('max_restarts');
  if (most !== undefined && most > 0 && policy !== 'no') draft.put('max_restarts', most, 'max_restarts');
}

function putShutdown(draft: Draft, shutdown: Reader | undefined, rendered: (text: string) => string): void {
  if (shutdown === undefined) return;
  const command = shutdown.text('command');
  draft.put('stop_command', command === undefined ? undefined : rendered(command), 'shutdown.command');
  const signal = shutdown.number('signal');
  draft.put('stop_signal', signal === undefined ? undefined : String(signal), `shutdown.signal: ${signal}`);
  const seconds = shutdown.number('timeout_seconds');
  if (seconds !== undefined) draft.put('stop_timeout', `${seconds}s`, 'shutdown.timeout_seconds');
  if (shutdown.flag('parent_only') === true)
    draft.note('shutdown.parent_only: a stop ends all that the program started, here in any case.');
}

const states: Readonly<Record<string, string>> = {
  process_started: 'started',
  process_healthy: 'ready',
  process_log_ready: 'ready',
  process_completed: 'completed',
  process_completed_successfully: 'completed',
};

function putDependencies(draft: Draft, process: Reader, { namesOf, mistake }: ProcessContext): void {
  const raw = process.raw.depends_on;
  const entries = isFields(raw)
    ? Object.entries(raw)
    : process.texts('depends_on').map((name) => [name, undefined] as const);
  const all = entries.flatMap(([name, value]) => {
    const condition = String((isFields(value) ? value.condition : value) ?? 'process_started');
    const others = namesOf(name);
    if (others.length === 0) mistake('depends_on', `depends_on names ${quote(name)}, and there is no such process`);
    if (own(states, condition) === undefined) mistake('depends_on', `depends_on: ${quote(condition)} is no condition`);
    if (condition === 'process_completed')
      draft.note(`depends_on ${name}: process_completed is any end there, and a good one here.`);
    return others.map((other) => [other, own(states, condition) ?? 'started'] as const);
  });
  if (all.length > 0) draft.put('depends_on', Object.fromEntries(all));
}

/** What a job does not have. */
function putAppsOnly(
  draft: Draft,
  process: Reader,
  {
    rendered,
    directory,
    context,
  }: { readonly rendered: (text: string) => string; readonly directory: string; readonly context: ProcessContext },
): void {
  const isRestarted = draft.get('restart') !== 'no';
  const liveness = process.fields('liveness_probe');
  putReadiness(draft, process.fields('readiness_probe'), liveness !== undefined, { rendered, isRestarted });
  putLiveness(draft, liveness, { rendered, isRestarted });
  const line = process.text('ready_log_line');
  if (line !== undefined) draft.put('ready', `log:${line}`, 'ready_log_line');
  if (process.flag('disabled') === true || process.flag('is_foreground') === true) draft.put('autostart', false);
  if (
    process.flag('is_tty') === true ||
    process.flag('is_foreground') === true ||
    process.flag('is_interactive') === true
  )
    draft.put('tty', true);
  putWatch(draft, process.fields('watch'), { base: context.base, directory });
}

function sayTheRest(draft: Draft, process: Reader, isJob: boolean): void {
  if (process.flag('is_daemon') === true)
    draft.note(
      'is_daemon: only a program that stays in the foreground is followed; leave out what puts it in the background (docker run without -d).',
    );
  if (process.flag('is_elevated') === true)
    draft.note('is_elevated: a stead that root runs, with user: for the others.');
  if (process.flag('disabled') === true && isJob)
    draft.note('disabled: a job has no autostart: false, so leave it out until it is wanted.');
  const codes = process.texts('success_exit_codes').filter((code) => code !== '0');
  if (codes.length > 0) draft.put('stop_exit_codes', codes, 'success_exit_codes');
  const others = ['disable_ansi_colors', 'launch_timeout_seconds', 'mcp'].filter((key) => process.has(key));
  if (others.length > 0) draft.note(`Without an equal: ${others.join(', ')}.`);
  const nested = {
    availability: availabilityKeys,
    shutdown: shutdownKeys,
    liveness_probe: probeKeys,
    readiness_probe: probeKeys,
    schedule: scheduleKeys,
  };
  sayUnknown(draft, process, processKeys, '');
  for (const [key, known] of Object.entries(nested)) {
    const inner = process.fields(key);
    if (inner !== undefined) sayUnknown(draft, inner, known, `${key}.`);
  }
}

function sayUnknown(draft: Draft, { keys }: Reader, known: readonly string[], before: string): void {
  for (const key of keys) {
    if (known.includes(key) || key.startsWith('x-')) continue;
    const near = nearest(key, known);
    draft.note(
      `${before}${key}: process-compose has no such key${near === undefined ? '' : `; ${near} was meant?`} Left out.`,
    );
  }
}

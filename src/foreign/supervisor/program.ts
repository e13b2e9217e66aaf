/** One `[program:x]` (or `[fcgi-program:x]`) → the apps that it makes; http://supervisord.org/configuration.html#program-x-section-settings. */
import { resolve } from 'node:path';
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';
import { cwdFrom, type ForeignContext, logFrom } from '../context.ts';
import type { Draft, Names } from '../draft.ts';
import { putEnv } from '../env-file.ts';
import type { ForeignApp } from '../model.ts';
import { splitWords } from '../shell-words.ts';
import { type Expansions, expand, readEnvironment } from './expand.ts';
import type { Section } from './ini.ts';
import { logKeys, putLogs } from './logs.ts';
import { listensOn, socketKeys } from './socket.ts';

const known = [
  ...'command process_name numprocs numprocs_start priority autostart autorestart startsecs startretries exitcodes stopsignal'.split(
    ' ',
  ),
  ...'stopwaitsecs stopasgroup killasgroup user redirect_stderr environment directory umask serverurl'.split(' '),
  ...logKeys,
];

export interface ProgramContext extends ForeignContext {
  readonly names: Names;
  /** Of its `[group:x]`. */
  readonly group: string | null;
  /** ENV_…, here, host_node_name. */
  readonly expansions: Expansions;
  /** What `[supervisord]` says for all. */
  readonly common: {
    readonly env: Readonly<Record<string, string>>;
    readonly umask?: string;
    readonly user?: string;
    readonly directory: string;
  };
  /** Says a mistake of this section. */
  mistake(key: string | null, text: string): void;
}

/** The value of a key, expanded; undefined if it isn't there, or is no value. */
export type Value = (key: string) => string | undefined;

/** Several where each process of it is another; one with `instances` where they are the same. */
export function readProgram(section: Section, context: ProgramContext): readonly ForeignApp[] {
  const [kind, name = ''] = section.name.split(/:(.*)/s) as [string, string?];
  const isSocketed = kind === 'fcgi-program';
  const { options } = section;
  const own = {
    ...context.expansions,
    program_name: name,
    group_name: context.group ?? name,
    process_num: 0,
    numprocs: 1,
  };
  const count = count_(expanded('numprocs', section, own, context), 1);
  const start = count_(expanded('numprocs_start', section, own, context), 0);
  if (!options.has('command')) context.mistake(null, `[${section.name}] has no command`);
  if (count === null || start === null || count < 1 || count > mostProcesses) {
    context.mistake('numprocs', `numprocs and numprocs_start take whole numbers, numprocs from 1 to ${mostProcesses}`);
    return [];
  }
  const differ =
    count > 1 && [...options].some(([key, { value }]) => key !== 'process_name' && value.includes('%(process_num)'));
  const copies = differ ? Array.from({ length: count }, (_, at) => start + at) : [start];
  return copies.map((number) => {
    const values = { ...own, process_num: number, numprocs: count };
    const value: Value = (key) => expanded(key, section, values, context);
    const wanted = differ ? (value('process_name') ?? `${name}_${number}`) : name;
    const draft = context.names.begin(wanted, number === start ? name : `${name}:${number}`);
    draft.put('group', context.group ?? (differ ? name : undefined));
    put(draft, value, context);
    if (!differ && count > 1) draft.put('instances', count, `numprocs=${count}`);
    if (isSocketed) listensOn(draft, value, context);
    for (const key of options.keys()) sayUnknown(draft, key, isSocketed);
    return draft.app();
  });
}

const mostProcesses = 200;
const count_ = (text: string | undefined, otherwise: number): number | null =>
  text === undefined ? otherwise : /^\d{1,9}$/.test(text.trim()) ? Number(text) : null;

function expanded(key: string, section: Section, values: Expansions, context: ProgramContext): string | undefined {
  const option = section.options.get(key);
  if (option === undefined) return undefined;
  try {
    return expand(option.value, values);
  } catch (error) {
    context.mistake(key, `${key}: ${(error as Error).message}`);
    return undefined;
  }
}

function put(draft: Draft, value: Value, context: ProgramContext): void {
  const command = value('command');
  const words = command === undefined ? [] : splitWords(command);
  if (words === null) context.mistake('command', 'command: a quote is not closed');
  else draft.put('command', words);
  const directory = value('directory');
  draft.put(
    'cwd',
    cwdFrom(
      context.base,
      directory === undefined ? context.common.directory : resolve(context.common.directory, home(directory, context)),
    ),
  );
  draft.put('umask', value('umask') ?? context.common.umask, `umask=${value('umask')}`);
  draft.put('user', value('user') ?? context.common.user, 'user');
  putEnvironment(draft, value('environment'), context);
  putRestart(draft, value, context);
  putStop(draft, value, context);
  putLogs(draft, value, {
    isTrue: (key) => isTrue(value(key), key, context),
    path: (text) => logFrom(context.base, resolve(context.common.directory, home(text, context))),
  });
  if (isTrue(value('autostart'), 'autostart', context) === false) draft.put('autostart', false);
  if (value('serverurl') !== undefined && value('serverurl') !== 'AUTO')
    draft.note('serverurl: there is no such server; the socket of stead is $STEAD_HOME/stead.sock.');
}

const home = (path: string, { userHome }: ForeignContext): string => path.replace(/^~(?=\/|$)/, userHome);

function putEnvironment(draft: Draft, text: string | undefined, { common, mistake }: ProgramContext): void {
  try {
    putEnv(draft, { ...common.env, ...(text === undefined ? {} : readEnvironment(text)) });
  } catch (error) {
    mistake('environment', `environment: ${(error as Error).message}`);
  }
}

/** `unexpected`: started again unless it ended with one of the exit codes. */
function putRestart(draft: Draft, value: Value, context: ProgramContext): void {
  const policy = value('autorestart')?.toLowerCase() ?? 'unexpected';
  const isUnexpected = policy === 'unexpected';
  const isAlways = !isUnexpected && isTrue(policy, 'autorestart', context) === true;
  if (!isUnexpected && !isAlways) draft.put('restart', 'no');
  else if (isAlways) draft.put('restart', 'always');
  if (isUnexpected) putExpected(draft, value('exitcodes'));
  else if (value('exitcodes') !== undefined) draft.note(`exitcodes mean nothing with autorestart=${policy}: left out.`);
  const retries = value('startretries');
  const seconds = value('startsecs');
  if (retries !== undefined && policy !== 'false' && (isUnexpected || isAlways))
    draft.put('max_restarts', Number(retries), `startretries=${retries}`);
  if (seconds === '0')
    draft.note('startsecs=0: a program that ends at once is started again with back-off all the same.');
  else if (seconds !== undefined || draft.has('max_restarts'))
    draft.put('stable_after', `${seconds ?? 1}s`, `startsecs=${seconds}`);
}

function putExpected(draft: Draft, text = '0'): void {
  const codes = text.split(',').map((code) => code.trim());
  const isZero = codes.includes('0');
  draft.put('restart', isZero ? 'on-failure' : 'always');
  const others = codes.filter((code) => code !== '0' && code !== '');
  if (others.length > 0) draft.put('stop_exit_codes', others.map(Number), `exitcodes=${text}`);
}

function putStop(draft: Draft, value: Value, context: ProgramContext): void {
  draft.put('stop_signal', value('stopsignal'), `stopsignal=${value('stopsignal')}`);
  const seconds = value('stopwaitsecs');
  if (seconds !== undefined) draft.put('stop_timeout', `${seconds}s`, `stopwaitsecs=${seconds}`);
  for (const key of ['stopasgroup', 'killasgroup'])
    if (isTrue(value(key), key, context) === false)
      draft.note(`${key}=false: a stop ends all that the program started, here in any case.`);
}

function isTrue(text: string | undefined, key: string, { mistake }: ProgramContext): boolean | undefined {
  if (text === undefined) return undefined;
  const word = text.trim().toLowerCase();
  if (['yes', 'true', 'on', '1'].includes(word)) return true;
  if (!['no', 'false', 'off', '0'].includes(word)) mistake(key, `${key} is true or false, not ${quote(text)}`);
  return false;
}

function sayUnknown(draft: Draft, key: string, isSocketed: boolean): void {
  const keys = isSocketed ? [...known, ...socketKeys] : known;
  if (keys.includes(key)) return;
  const near = nearest(key, keys);
  draft.note(`${key}: supervisord has no such key${near === undefined ? '' : `; ${near} was meant?`} Left out.`);
}

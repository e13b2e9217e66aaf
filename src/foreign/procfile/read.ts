/**
 * Procfile → apps. The format is what foreman, overmind and honcho have in common: `name: command` per line, `#` comments. PORT is 5000 for the first process
 * and 100 more for each that follows, one more for each instance of it; https://github.com/ddollar/foreman, https://github.com/DarthSim/overmind.
 */

import { dirname, join, resolve } from 'node:path';
import { quote } from '../../config/values.ts';
import { cwdFrom, type ForeignContext } from '../context.ts';
import { type Draft, listed, Names } from '../draft.ts';
import { type EnvFile, type Placed, placeEnvFiles, putEnv } from '../env-file.ts';
import { Mistakes, mistaken } from '../mistakes.ts';
import type { Foreign } from '../model.ts';
import { own } from '../own.ts';
import { commandOf } from '../shell-words.ts';
import { readForemanEnv } from './env.ts';
import { foremanOptions, type Said, type Settings, settingsOf } from './settings.ts';

export interface ProcfileSaid extends Said {
  /** In place of `.env`; absolute. */
  readonly envFiles?: readonly string[] | undefined;
}

interface Entry {
  readonly name: string;
  readonly command: string;
  readonly line: number;
  /** That of its Procfile. */
  readonly directory: string;
}

/** Throws CONFIG_INVALID that lists every line that is no process. */
export function readProcfile(text: string, context: ForeignContext, said: ProcfileSaid = {}): Foreign {
  const directory = dirname(context.file);
  const foremanPath = join(directory, '.foreman');
  const foreman = foremanOptions(context.files.read(foremanPath) ?? '', foremanPath);
  const files = envFiles(
    context,
    said.envFiles ?? foreman.env?.split(',').map((path) => resolve(directory, path.trim())),
  );
  const env = { ...context.env, ...overmindEnv(context), ...Object.assign({}, ...files.map(({ values }) => values)) };
  const settings = settingsOf({ said, env, foreman });
  const placed = placeEnvFiles(files, context.base);
  const entries = readEntries(text, context);
  const names = new Names();
  return {
    apps: entries.map((entry, at) =>
      appOf({ ...entry, directory: rootOf(entry, foreman.root, directory) }, at, { names, settings, placed, context }),
    ),
    notes: notesOf(settings, placed, files),
  };
}

/** `root` of `.foreman` is for the processes of its own Procfile. */
const rootOf = (entry: Entry, root: string | undefined, directory: string): string =>
  root === undefined || entry.directory !== directory ? entry.directory : resolve(directory, root);

function readEntries(text: string, context: ForeignContext, depth = 0): readonly Entry[] {
  const mistakes = new Mistakes(context.file);
  const entries: Entry[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = at + 1;
    const said = raw.trimEnd();
    if (/^(#|$)/.test(said.trimStart())) continue;
    const [, other] = /^-f\s+(\S.*)$/.exec(said) ?? [];
    const [, name, command] = /^([A-Za-z0-9_-]+):\s*(\S.*)$/.exec(said) ?? [];
    if (other !== undefined) entries.push(...nested(resolve(dirname(context.file), other), { context, depth, line }));
    else if (name === undefined) mistakes.say(line, `${quote(said.trim())} is no process; a line is NAME: COMMAND`);
    else entries.push({ name, command: command!, line, directory: dirname(context.file) });
  }
  for (const [at, { name, line }] of entries.entries()) {
    const before = entries.findIndex((entry) => entry.name === name);
    if (before < at)
      mistakes.say(line, `a second process is called ${quote(name)}; the first is in line ${entries[before]!.line}`);
  }
  mistakes.check();
  return entries;
}

const deepest = 5;

/** `-f other/Procfile`, as overmind has it. */
function nested(
  file: string,
  { context, depth, line }: { readonly context: ForeignContext; readonly depth: number; readonly line: number },
): readonly Entry[] {
  const text = depth >= deepest ? null : context.files.read(file);
  if (text !== null) return readEntries(text, { ...context, file }, depth + 1);
  const why = depth >= deepest ? `files are nested more than ${deepest} deep` : `there is no file ${quote(file)}`;
  throw mistaken(context.file, why, line);
}

interface ReadFile extends EnvFile {
  readonly passedOver: readonly number[];
}

/** `.env` beside the Procfile, or what was said in its place; overmind's own on top. */
function envFiles(context: ForeignContext, said: readonly string[] | undefined): readonly ReadFile[] {
  const directory = dirname(context.file);
  const { OVERMIND_SKIP_ENV: skip, OVERMIND_ENV: more } = { ...context.env, ...overmindEnv(context) };
  const usual = skip === undefined || ['', '0', 'false'].includes(skip) ? [join(directory, '.env')] : [];
  const asked = [
    ...(said ?? []),
    ...(more === undefined ? [] : more.split(',').map((path) => resolve(directory, path))),
  ];
  return [...(said === undefined ? usual : []), ...asked].flatMap((path) => {
    const text = context.files.read(path);
    if (text === null && asked.includes(path)) throw mistaken(path, 'there is no such file');
    return text === null ? [] : [{ path, text, ...readForemanEnv(text) }];
  });
}

/** `.overmind.env` at home and here holds settings of overmind; what else is in it is for the programs, too. */
function overmindEnv(context: ForeignContext): Readonly<Record<string, string>> {
  const paths = [join(context.userHome, '.overmind.env'), join(dirname(context.file), '.overmind.env')];
  return Object.assign({}, ...paths.map((path) => readForemanEnv(context.files.read(path) ?? '').values)) as Record<
    string,
    string
  >;
}

interface Surroundings {
  readonly names: Names;
  readonly settings: Settings;
  readonly placed: Placed;
  readonly context: ForeignContext;
}

function appOf({ name, command, directory }: Entry, at: number, { names, settings, placed, context }: Surroundings) {
  const draft = names.begin(name);
  const isJob = name === 'release';
  const count = isRun(name, settings) ? (own(settings.formation, name) ?? settings.others) : 0;
  if (isJob) {
    draft.put('job', true);
    draft.note('release is what Heroku runs once before a deploy, so it is a job here: stead apply runs it once.');
  }
  draft.put('command', commandOf(command));
  draft.put('cwd', cwdFrom(context.base, directory));
  draft.put('env_file', placed.envFiles.length > 0 ? placed.envFiles : undefined);
  const port = settings.port === null ? null : settings.port + at * settings.portStep;
  putEnv(draft, {
    ...ownVariables(context),
    ...placed.env,
    ...(port !== null && { PORT: String(port) }),
    ...(/\$(PS\b|\{PS\})/.test(command) && { PS: `${name}.1` }),
  });
  if (count === 0) notRun(draft, isJob);
  if (count > 1) several(draft, { count, isJob, hasPort: port !== null });
  restartOf(draft, name, settings, isJob);
  const signal = own(settings.signals, name) ?? settings.signals.all;
  draft.put('stop_signal', signal, `OVERMIND_STOP_SIGNALS=${name}=${signal}`);
  if (settings.timeout !== null) draft.put('stop_timeout', `${settings.timeout}s`);
  return draft.app();
}

const isRun = (name: string, { only, ignored }: Settings): boolean =>
  (only === null || only.length === 0 || only.includes(name)) && !ignored.includes(name);

/** What `.overmind.env` sets besides overmind's own settings. */
const ownVariables = (context: ForeignContext): Record<string, string> =>
  Object.fromEntries(Object.entries(overmindEnv(context)).filter(([name]) => !name.startsWith('OVERMIND_')));

function notRun(draft: Draft, isJob: boolean): void {
  if (isJob)
    draft.note('None of it was to be run there; a job has no autostart: false, so leave it out if you do not want it.');
  else {
    draft.put('autostart', false);
    draft.note('None of it was to be run there: stead start NAME starts it.');
  }
}

/** Each instance of foreman's has a PORT that is one higher. */
function several(
  draft: Draft,
  { count, isJob, hasPort }: { readonly count: number; readonly isJob: boolean; readonly hasPort: boolean },
): void {
  if (isJob) draft.note(`It was to be run ${count} times; a job is run once.`);
  else if (draft.put('instances', count, `formation: ${count}`) && hasPort) draft.put('increment_var', 'PORT');
}

function restartOf(draft: Draft, name: string, { tool, canDie, restarted }: Settings, isJob: boolean): void {
  if (tool !== 'overmind' || isJob) return;
  const has = (list: readonly string[]) => list.includes(name) || list.includes('all');
  if (has(canDie) && !(restarted !== null && has(restarted))) draft.put('restart', 'no');
}

function notesOf({ leftOut }: Settings, placed: Placed, files: readonly ReadFile[]): string[] {
  return [
    'There all processes are ended when one ends; here each is restarted by itself (restart: always), later each time.',
    ...placed.notes,
    ...files
      .filter(({ passedOver }) => passedOver.length > 0)
      .map(
        ({ path, passedOver }) =>
          `${quote(path)}: line ${listed(passedOver.map(String))} is no NAME=value, as foreman reads it: left out.`,
      ),
    ...(leftOut.length > 0 ? [`Without an equal here: ${listed(leftOut)}.`] : []),
  ];
}

/** process-compose.yaml → apps; https://f1bonacc1.github.io/process-compose/. Several files are merged, the later ones over the earlier. */
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';
import type { ForeignContext } from '../context.ts';
import { listed, Names } from '../draft.ts';
import { placeEnvFiles } from '../env-file.ts';
import { Mistakes, mistaken } from '../mistakes.ts';
import type { Foreign } from '../model.ts';
import { readYaml, type YamlText } from '../yaml-text.ts';
import { type Fields, isFields, type Reader, readerOf } from './fields.ts';
import { projectKeys } from './keys.ts';
import { type ProcessContext, putProcess } from './process.ts';
import { type Expanded, expandVariables } from './variables.ts';

export interface ComposeFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** Throws CONFIG_INVALID that lists every mistake. Directories are relative to that of the first file. */
export function readProcessCompose(files: readonly ComposeFile[], context: Omit<ForeignContext, 'file'>): Foreign {
  const [first] = files;
  const directory = dirname(first!.path);
  const dotenv = dotenvOf(directory, context);
  const env = { ...dotenv?.values, ...context.env };
  const read = files.map(({ path, text }) => readOne(path, text, env));
  const merged = read.map(({ fields }) => fields).reduce(merge);
  const mistakes = new Mistakes(first!.path);
  const lineOf = (path: readonly string[]) => (files.length === 1 ? read[0]!.yaml.lineOf(path) : null);
  const mistake = (path: readonly string[], text: string) => mistakes.say(lineOf(path), text);
  const project = readerOf(merged, [], mistake);
  const isOff = project.flag('is_dotenv_disabled') === true;
  const placed = dotenv === null || isOff ? null : placeEnvFiles([dotenv], context.base);
  const processes = project.fields('processes');
  if (processes === undefined || processes.keys.length === 0) mistake([], 'it has no processes');
  const apps =
    processes === undefined
      ? []
      : readProcesses(processes, project, {
          ...context,
          file: first!.path,
          directory,
          env,
          envFiles: placed?.envFiles ?? [],
          mistake,
        });
  mistakes.check();
  return {
    apps,
    notes: notesOf(
      project,
      read.map(({ expanded }) => expanded),
    ),
  };
}

/** `.env` of where it is run, which is where its file is. */
function dotenvOf(directory: string, { files }: Omit<ForeignContext, 'file'>) {
  const path = join(directory, '.env');
  const text = files.read(path);
  return text === null ? null : { path, text, values: parseEnv(text) as Record<string, string> };
}

interface ReadFile {
  readonly fields: Fields;
  readonly yaml: YamlText;
  readonly expanded: Expanded | null;
}

function readOne(path: string, text: string, env: ForeignContext['env']): ReadFile {
  const isOff = /^disable_env_expansion:\s*(true|yes|on)\b/m.test(text);
  const expanded = isOff ? null : expandVariables(text, env);
  const yaml = readYaml(expanded?.text ?? text, path);
  if (!isFields(yaml.value)) throw mistaken(path, 'it must hold a map with "processes"');
  return { fields: yaml.value, yaml, expanded };
}

/** Maps grow, lists of variables grow, everything else is replaced. */
function merge(base: Fields, over: Fields): Fields {
  const sum: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = Object.hasOwn(sum, key) ? sum[key] : undefined;
    if (isFields(before) && isFields(value)) sum[key] = merge(before, value);
    else if (key === 'environment' && Array.isArray(before) && Array.isArray(value)) sum[key] = [...before, ...value];
    else sum[key] = value;
  }
  return sum;
}

type Surroundings = Pick<ProcessContext, 'directory' | 'env' | 'envFiles' | 'file'> &
  Omit<ForeignContext, 'file'> & { readonly mistake: (path: readonly string[], text: string) => void };

const mostReplicas = 200;

function readProcesses(processes: Reader, project: Reader, context: Surroundings): Foreign['apps'] {
  const names = new Names();
  const shell = project.fields('shell');
  const copies = processes.keys.flatMap((name) => {
    const process = processes.fields(name);
    return process === undefined ? [] : copiesOf(name, process, context);
  });
  const drafts = copies.map((copy) => ({ ...copy, draft: names.begin(copy.called) }));
  const namesOf = (name: string) =>
    drafts.filter((copy) => copy.name === name).map(({ draft }) => draft.get('name') as string);
  return drafts.map(({ name, process, number, draft, count }) => {
    putProcess(draft, process, {
      ...context,
      shell: [
        shell?.text('shell_command') ?? context.env.COMPOSE_SHELL ?? 'bash',
        shell?.text('shell_argument') ?? '-c',
      ],
      common: [
        ...project.texts('environment'),
        ...(JSON.stringify(process.raw).includes('PC_PROC_NAME') ? [`PC_PROC_NAME=${name}`] : []),
      ],
      vars: { ...project.fields('vars')?.raw, ...process.fields('vars')?.raw, PC_REPLICA_NUM: number },
      logConfiguration: project.fields('log_configuration'),
      namesOf,
      mistake: (key, text) => context.mistake(['processes', name, key], `${name}: ${text}`),
    });
    if (count > 1 && draft.has('job')) draft.note(`replicas: ${count}: a job is run once.`);
    else if (count > 1 && draft.put('instances', count, `replicas: ${count}`))
      draft.put('increment_var', 'PC_REPLICA_NUM');
    if (draft.has('instances') && draft.has('tty')) {
      draft.remove('tty');
      draft.note('is_tty: several instances have no terminal each.');
    }
    return draft.app();
  });
}

interface Copy {
  readonly name: string;
  readonly called: string;
  readonly process: Reader;
  readonly number: number;
  /** How many instances this one stands for. */
  readonly count: number;
}

/** Replicas of which each is another are taken apart; others are instances. */
function copiesOf(name: string, process: Reader, { mistake }: Surroundings): readonly Copy[] {
  const count = process.number('replicas') ?? 1;
  if (!Number.isInteger(count) || count > mostReplicas) {
    mistake(['processes', name, 'replicas'], `${name}: replicas takes a whole number up to ${mostReplicas}`);
    return [];
  }
  const differ = count > 1 && /\{\{[^{}]*\.PC_REPLICA_NUM/.test(JSON.stringify(process.raw));
  if (!differ) return [{ name, called: name, process, number: 0, count }];
  const width = String(count).length;
  return Array.from({ length: count }, (_, number) => ({
    name,
    called: `${name}-${String(number).padStart(width, '0')}`,
    process,
    number,
    count: 1,
  }));
}

function notesOf(project: Reader, expanded: readonly (Expanded | null)[]): string[] {
  const used = [...new Set(expanded.flatMap((each) => each?.used ?? []))];
  const missing = [...new Set(expanded.flatMap((each) => each?.missing ?? []))];
  const commands = project.fields('env_cmds')?.keys ?? [];
  const unknown = project.keys.filter((key) => !projectKeys.includes(key) && !key.startsWith('x-'));
  return [
    ...(used.length > 0
      ? [
          `Put in from .env and the environment, as it was when this was made: ${listed(used.map((name) => `$${name}`))}.`,
        ]
      : []),
    ...(missing.length > 0
      ? [
          `Nothing sets ${listed(missing.map((name) => `$${name}`))}, so ${missing.length > 1 ? 'they are' : 'it is'} empty, as there; $$NAME is for the program's shell.`,
        ]
      : []),
    ...(commands.length > 0 ? [`env_cmds: not run; set ${listed(commands)} before stead apply, or by env.`] : []),
    ...(project.has('extends')
      ? [
          `extends: ${quote(project.text('extends') ?? '')} is not read; name both: stead import process-compose BASE FILE.`,
        ]
      : []),
    ...(project.has('log_location')
      ? ['log_location of all: each app has a log of its own; stead logs shows all in the order of time.']
      : []),
    ...(project.has('mcp_server') ? ['mcp_server: has no equal.'] : []),
    ...unknown.map((key) => {
      const near = nearest(key, projectKeys);
      return `${key}: process-compose has no such key${near === undefined ? '' : `; ${near} was meant?`} Left out.`;
    }),
  ];
}

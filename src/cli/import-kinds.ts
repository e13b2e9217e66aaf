/** Whose files `stead import` reads: one row per kind, with its loader. */
import { hostname, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Value } from '../config/values.ts';
import type { ForeignContext } from '../foreign/context.ts';
import { Names } from '../foreign/draft.ts';
import { diskFiles } from '../foreign/files.ts';
import { foreverApp } from '../foreign/forever/app.ts';
import { readForeverLine } from '../foreign/forever/line.ts';
import { livingProcesses } from '../foreign/forever/proc.ts';
import { foreverNotes, readForever } from '../foreign/forever/read.ts';
import { readRunningForever } from '../foreign/forever/running.ts';
import { joinForeign } from '../foreign/join.ts';
import type { Foreign } from '../foreign/model.ts';
import { readProcessCompose } from '../foreign/process-compose/read.ts';
import { readProcfile } from '../foreign/procfile/read.ts';
import { foremanOptions } from '../foreign/procfile/settings.ts';
import { readSupervisor } from '../foreign/supervisor/read.ts';
import { readSystemd } from '../foreign/systemd/reading/read.ts';
import { SteadError } from '../protocol/errors.ts';
import { importPm2 } from './import-pm2.ts';
import { besideUnits, findUnit } from './import-units.ts';
import { takeOverPm2 } from './take-over-pm2.ts';

export interface ImportCall {
  /** After the kind. */
  readonly words: readonly string[];
  /** After `--`; null without it. */
  readonly rest: readonly string[] | null;
  readonly values: Readonly<Record<string, Value>>;
  /** The directory in which the result will stand, absolute. */
  readonly base: string;
}

export interface Loaded extends Foreign {
  /** What was read, for the head of the result. */
  readonly sources: readonly string[];
  /** It holds what a process has in its environment: for its owner alone. */
  readonly isPrivate?: boolean;
}

export interface ImportKind {
  /** What it reads where no file is named. */
  readonly usual: string;
  /** Takes a command line after `--`. */
  readonly takesLine?: boolean;
  /** Does something else than to read. Null: it is to read. */
  act?(call: ImportCall & { readonly home: string }): Promise<number> | null;
  /** Its own flags. */
  readonly flags?: readonly string[];
  load(call: ImportCall): Loaded | Promise<Loaded>;
}

export const importKinds: Readonly<Record<string, ImportKind>> = {
  pm2: {
    usual: 'what pm2 save has kept, or an ecosystem file that is named',
    flags: ['take-over', 'only', 'whole-env'],
    load: loadPm2,
    act: moveFromPm2,
  },
  forever: { usual: 'forever.json, else what runs under FOREVER_ROOT', takesLine: true, load: loadForever },
  procfile: { usual: 'Procfile', flags: ['formation', 'port', 'env-file'], load: loadProcfile },
  supervisor: { usual: 'supervisord.conf, here or in /etc', load: loadSupervisor },
  systemd: { usual: 'none: files, or names of units', load: loadSystemd },
  'process-compose': { usual: 'process-compose.yaml', load: loadProcessCompose },
};

async function loadPm2({ words, values }: ImportCall): Promise<Loaded> {
  if (words.length > 1) throw new SteadError('USAGE', 'stead import pm2 takes one file at a time');
  return importPm2(words[0], { cwd: process.cwd(), env: process.env, isWholeEnv: values['whole-env'] === true });
}

function moveFromPm2({ words, values, home }: ImportCall & { readonly home: string }): Promise<number> | null {
  if (values['take-over'] !== true) {
    if (values.only === undefined) return null;
    throw new SteadError('USAGE', '--only goes with --take-over', { hint: 'what is printed can be edited' });
  }
  if (words.length > 0)
    throw new SteadError('USAGE', '--take-over moves what runs, and takes no file', { hint: '--only NAME,NAME' });
  const only = ((values.only as readonly string[] | undefined) ?? [])
    .flatMap((text) => text.split(','))
    .filter(Boolean);
  return takeOverPm2({ home, only, cwd: process.cwd(), env: process.env, isWholeEnv: values['whole-env'] === true });
}

type Surroundings = Omit<ForeignContext, 'file'>;

function surroundings({ base }: ImportCall): Surroundings {
  const { user, userHome } = whoAmI();
  return { base, user, userHome, env: { ...process.env }, hostName: hostname(), files: diskFiles };
}

/** A user id may have no entry in the user database. */
function whoAmI(): { readonly user: string; readonly userHome: string } {
  const { HOME, USER } = process.env;
  try {
    const { username, homedir } = userInfo();
    return { user: username, userHome: HOME ?? homedir };
  } catch {
    return { user: USER ?? String(process.getuid?.() ?? 0), userHome: HOME ?? '/' };
  }
}

interface ReadFile {
  readonly path: string;
  readonly text: string;
}

/** Throws CONFIG_NOT_FOUND. */
function readNamed(word: string): ReadFile {
  const path = resolve(word);
  const text = diskFiles.read(path);
  if (text !== null) return { path, text };
  throw new SteadError('CONFIG_NOT_FOUND', `There is no file ${JSON.stringify(word)}`, { hint: 'stead help import' });
}

/** Those that are named, else the first usual one that is there. */
function filesOf(words: readonly string[], usual: readonly string[], kind: string): readonly ReadFile[] {
  if (words.length > 0) return words.map(readNamed);
  for (const name of usual) {
    const text = diskFiles.read(resolve(name));
    if (text !== null) return [{ path: resolve(name), text }];
  }
  throw new SteadError('CONFIG_NOT_FOUND', `There is no ${usual.join(', ')}`, { hint: `stead import ${kind} <file>` });
}

const sourcesOf = (files: readonly { readonly path: string }[]): readonly string[] => files.map(({ path }) => path);

function loadForever(call: ImportCall): Loaded {
  const { words, rest } = call;
  const context = { ...surroundings(call), directory: process.cwd(), root: foreverRoot() };
  if (rest !== null) {
    if (words.length > 0) throw new SteadError('USAGE', 'stead import forever takes files, or a command line after --');
    const { script, ...said } = readForeverLine(rest);
    if (/\.json$/.test(script)) {
      const file = readNamed(script);
      return { ...readForever(file.text, file.path, context, said), sources: [file.path] };
    }
    const app = foreverApp({ ...said, script }, { ...context, names: new Names() });
    return { apps: [app], notes: foreverNotes, sources: [`forever ${rest.join(' ')}`] };
  }
  if (words.length === 0 && diskFiles.read(resolve('forever.json')) === null) {
    const running = readRunningForever(context, livingProcesses);
    if (running.apps.length > 0) return { ...running, sources: [context.root], isPrivate: true };
    throw new SteadError(
      'CONFIG_NOT_FOUND',
      `There is no forever.json here, and nothing of forever runs under ${context.root}`,
      {
        hint: 'stead import forever <file>, or stead import forever -- start -m 5 app.js',
      },
    );
  }
  const files = filesOf(words, ['forever.json'], 'forever');
  const read = files.map(({ path, text }) => readForever(text, path, { ...context, directory: dirname(path) }));
  return { ...joinForeign(read), sources: sourcesOf(files) };
}

const foreverRoot = (): string => resolve(process.env.FOREVER_ROOT ?? join(whoAmI().userHome, '.forever'));

function loadProcfile(call: ImportCall): Loaded {
  const { words, values } = call;
  const foreman = foremanOptions(diskFiles.read(resolve('.foreman')) ?? '', '.foreman');
  const usual = process.env.OVERMIND_PROCFILE ?? foreman.procfile ?? 'Procfile';
  const files = filesOf(words, [usual], 'procfile');
  const said = {
    formation: values.formation as string | undefined,
    port: values.port as number | undefined,
    envFiles: (values['env-file'] as readonly string[] | undefined)?.map((path) => resolve(path)),
  };
  const read = files.map(({ path, text }) => readProcfile(text, { ...surroundings(call), file: path }, said));
  return { ...joinForeign(read), sources: sourcesOf(files) };
}

/** Where supervisord itself looks. */
const usualSupervisor = [
  'supervisord.conf',
  'etc/supervisord.conf',
  '/etc/supervisord.conf',
  '/etc/supervisor/supervisord.conf',
];

function loadSupervisor(call: ImportCall): Loaded {
  const files = filesOf(call.words, usualSupervisor, 'supervisor');
  const read = files.map(({ path, text }) => readSupervisor(text, { ...surroundings(call), file: path }));
  return { ...joinForeign(read), sources: sourcesOf(files) };
}

function loadSystemd(call: ImportCall): Loaded {
  if (call.words.length === 0)
    throw new SteadError('USAGE', 'stead import systemd needs unit files, or names of units', {
      hint: 'stead import systemd nginx.service ./web.service ./web.timer',
    });
  const context = surroundings(call);
  const units = call.words.map((word) => findUnit(word, context));
  const read = readSystemd(units, context);
  const beside = besideUnits(units, context.files).map(
    (name) => `${name} lies beside its service, and was not read: name it as well if it is used.`,
  );
  return { apps: read.apps, notes: [...read.notes, ...beside], sources: sourcesOf(units) };
}

const usualProcessCompose = ['process-compose.yaml', 'process-compose.yml'];

function loadProcessCompose(call: ImportCall): Loaded {
  const files = filesOf(call.words, usualProcessCompose, 'process-compose');
  // As process-compose itself does where no file is named.
  const [first] = files;
  const over = basename(first!.path).replace(/^(.*)(\.ya?ml)$/, '$1.override$2');
  const text = call.words.length === 0 ? diskFiles.read(join(dirname(first!.path), over)) : null;
  const all = text === null ? files : [...files, { path: join(dirname(first!.path), over), text }];
  return { ...readProcessCompose(all, surroundings(call)), sources: sourcesOf(all) };
}

/** supervisord.conf → apps; http://supervisord.org/configuration.html. */
import { dirname, resolve } from 'node:path';
import { quote } from '../../config/values.ts';
import type { ForeignContext } from '../context.ts';
import { listed, Names } from '../draft.ts';
import { globFiles } from '../glob.ts';
import { Mistakes } from '../mistakes.ts';
import type { Foreign, ForeignApp } from '../model.ts';
import { type Expansions, expand, readEnvironment } from './expand.ts';
import { readIni, type Section } from './ini.ts';
import { listenerNote } from './listeners.ts';
import { type ProgramContext, readProgram } from './program.ts';

/** As many as a config file may have. */
const mostApps = 10_000;

/** Throws CONFIG_INVALID that lists every mistake. */
export function readSupervisor(text: string, context: ForeignContext): Foreign {
  const mistakes = new Mistakes(context.file);
  const say = (section: Pick<Section, 'file'>, line: number, what: string) =>
    mistakes.say(
      section.file === context.file ? line : null,
      section.file === context.file ? what : `${section.file}, line ${line}: ${what}`,
    );
  const expansions = expansionsOf(context);
  const sections = allSections(text, { context, expansions, say });
  const groups = groupsOf(sections, say);
  const names = new Names();
  const common = commonOf(sections, { context, expansions, say });
  const programs = sections.filter(({ name }) => /^(program|fcgi-program):/.test(name)).slice(0, mostApps + 1);
  const apps = programs.flatMap((section): readonly ForeignApp[] => {
    const group = groups.get(nameOf(section.name)) ?? null;
    const mistake: ProgramContext['mistake'] = (key, what) =>
      say(section, section.options.get(key ?? '')?.line ?? section.line, what);
    return readProgram(section, { ...context, names, group, expansions, common, mistake });
  });
  if (programs.length === 0) mistakes.say(null, 'it has no [program:x]');
  if (apps.length > mostApps) mistakes.say(null, `its ${apps.length} programs are more than ${mostApps}`);
  mistakes.check();
  return { apps, notes: [...common.notes, ...notesOf(sections, programs)] };
}

/** Of `[program:x]` x. */
const nameOf = (section: string): string => section.replace(/^[^:]*:/, '');

type Say = (section: Pick<Section, 'file'>, line: number, what: string) => void;
interface Reading {
  readonly context: ForeignContext;
  readonly expansions: Expansions;
  readonly say: Say;
}

const expansionsOf = ({ env, file, hostName }: ForeignContext): Expansions => ({
  ...Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[`ENV_${name}`, value]])),
  ),
  here: dirname(file),
  host_node_name: hostName,
});

/** Those of the file, and of what its `[include]` names; not further. */
function allSections(text: string, { context, expansions, say }: Reading): readonly Section[] {
  const own = sectionsOf(text, context.file, say);
  const include = own.find(({ name }) => name === 'include');
  const files = include?.options.get('files');
  if (include === undefined || files === undefined) return own;
  try {
    const patterns = expand(files.value, expansions)
      .split(/\s+/)
      .filter((word) => word !== '');
    const paths = patterns.flatMap((pattern) => globFiles(resolve(dirname(context.file), pattern), context.files));
    return [...own, ...paths.flatMap((path) => sectionsOf(context.files.read(path) ?? '', path, say))];
  } catch (error) {
    if ((error as { code?: string }).code !== undefined) throw error;
    say(include, files.line, `files: ${(error as Error).message}`);
    return own;
  }
}

function sectionsOf(text: string, file: string, say: Say): readonly Section[] {
  const { sections, faults } = readIni(text, file);
  for (const fault of faults) say({ file }, fault.line, fault.text);
  return sections;
}

/** Names of programs → the name of their group. */
function groupsOf(sections: readonly Section[], say: Say): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  const known = new Set(
    sections.filter(({ name }) => /^(program|fcgi-program|eventlistener):/.test(name)).map(({ name }) => nameOf(name)),
  );
  for (const section of sections) {
    const [, group] = /^group:(.+)$/.exec(section.name) ?? [];
    if (group === undefined) continue;
    const programs = section.options.get('programs');
    for (const name of (programs?.value ?? '').split(',').map((word) => word.trim())) {
      if (!known.has(name))
        say(
          section,
          programs?.line ?? section.line,
          `[${section.name}] names ${quote(name)}, and there is no such program`,
        );
      groups.set(name, group);
    }
  }
  return groups;
}

/** What `[supervisord]` says that is for the programs, too. */
function commonOf(
  sections: readonly Section[],
  { context, expansions, say }: Reading,
): ProgramContext['common'] & { readonly notes: readonly string[] } {
  const section = sections.find(({ name }) => name === 'supervisord');
  const value = (key: string): string | undefined => {
    const option = section?.options.get(key);
    if (section === undefined || option === undefined) return undefined;
    try {
      return expand(option.value, expansions);
    } catch (error) {
      say(section, option.line, `${key}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const [environment, umask, user, directory] = ['environment', 'umask', 'user', 'directory'].map(value);
  const isOfSystem = context.file.startsWith('/etc/');
  const limits = ['minfds', 'minprocs'].filter((key) => section?.options.has(key));
  return {
    env: environment === undefined ? {} : environmentOf(environment, section!, say),
    ...(umask !== undefined && { umask }),
    ...(user !== undefined && user !== 'root' && { user }),
    directory:
      directory === undefined ? (isOfSystem ? '/' : dirname(context.file)) : resolve(dirname(context.file), directory),
    notes: [
      ...(isOfSystem && directory === undefined
        ? ['Programs without a directory run in /, as those of a supervisord that was started at boot.']
        : []),
      ...(limits.length > 0
        ? [`[supervisord] ${listed(limits)}: limit: {nofile: N, nproc: N} of an app sets its own.`]
        : []),
    ],
  };
}

function environmentOf(text: string, section: Section, say: Say): Readonly<Record<string, string>> {
  try {
    return readEnvironment(text);
  } catch (error) {
    say(section, section.options.get('environment')!.line, `environment: ${(error as Error).message}`);
    return {};
  }
}

function notesOf(sections: readonly Section[], programs: readonly Section[]): string[] {
  const own = sections.filter(({ name }) =>
    /^(unix_http_server|inet_http_server|supervisorctl|rpcinterface:.*|ctlplugin:.*)$/.test(name),
  );
  const listeners = sections.filter(({ name }) => name.startsWith('eventlistener:'));
  const ordered = programs
    .map((section) => ({
      name: nameOf(section.name),
      priority: Number(section.options.get('priority')?.value ?? 999),
    }))
    .sort((a, b) => a.priority - b.priority);
  const isOrdered = new Set(ordered.map(({ priority }) => priority)).size > 1;
  return [
    'supervisord gives a program up after startretries (3) failed starts in a row; here it is tried for ever, later each time, unless max_restarts is said.',
    ...(own.length > 0
      ? [`Of supervisord itself, and not needed here: ${listed(own.map(({ name }) => `[${name}]`))}.`]
      : []),
    ...(isOrdered
      ? [
          `The order of priority was ${ordered.map(({ name, priority }) => `${name} (${priority})`).join(', ')}; here all start at once. What must be there first is said by depends_on: {db: ready}.`,
        ]
      : []),
    ...listeners.map(listenerNote),
  ];
}

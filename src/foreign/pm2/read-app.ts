/** One app of an ecosystem file → a stanza of ours, in the order in which a person would write it. */

import { dirname, resolve } from 'node:path';
import { passingName } from '../../config/app-name.ts';
import { optionsTable } from '../../config/options.ts';
import type { ForeignApp, Stanza } from '../model.ts';
import { readReadiness, readStop, readUser } from './endings.ts';
import { readEnvironment, readProfiles } from './environment.ts';
import { sortFields, type Values } from './fields.ts';
import { readInstances } from './instances.ts';
import { readLogs, readPidFile } from './logs.ts';
import { readOthers } from './others.ts';
import { defaultName, type ProgramPart, readProgram } from './program.ts';
import { type AppReading, type EcosystemContext, joinParts, type Part, text } from './reading.ts';
import { readAutostart, readRestarts, readSchedule } from './restarts.ts';
import { readWatch } from './watching.ts';

export interface ReadApp extends ForeignApp {
  /** As the file has it, or as pm2 would call it: what `--only` goes by. */
  readonly pm2Name: string;
  /** Each of them refuses the file. */
  readonly mistakes: readonly string[];
  /** What is ours where nothing is said. */
  readonly defaults: readonly string[];
}

export interface AppSurroundings {
  readonly context: EcosystemContext;
  /** `deploy.NAME.env` by NAME. */
  readonly deployments: ReadonlyMap<string, Values>;
}

export function readApp(written: Values, { context, deployments }: AppSurroundings): ReadApp {
  const { values, environments, notes, mistakes } = sortFields(written);
  const said = text(values, 'name');
  const script = text(values, 'script') ?? '';
  const own = said !== undefined && said !== '' ? said : defaultName(script) || 'app';
  const isAppended = values.append_env_to_name === true && context.profile !== null;
  const pm2Name = isAppended ? `${own}-${context.profile}` : own;
  const { cwd, isBesideFile } = placeOf(values, context);
  const app: AppReading = { name: pm2Name, cwd, values, environments, context };
  const program = readProgram(app);
  const { mode, ...instances } = readInstances(app, program);
  const schedule = readSchedule(app);
  const parts: readonly Part[] = [
    program,
    readEnvironment(app, deployments),
    instances,
    readReadiness(app),
    schedule,
    schedule.isJob ? withoutRestart(readRestarts(app)) : readRestarts(app),
    readAutostart(app),
    readStop(app),
    readUser(app),
    readLogs(app, mode),
    readPidFile(app),
    readWatch(app),
    readOthers(app),
  ];
  const joined = joinParts(parts);
  const name = passingName(pm2Name);
  const group = text(values, 'namespace') ?? 'default';
  const stanza: Stanza = {
    name,
    ...(schedule.isJob && { job: true }),
    ...joined.stanza,
    cwd,
    ...(group !== 'default' && group !== '' && { group }),
    ...environmentOf(parts),
    ...readProfiles(app, deployments),
  };
  return {
    pm2Name,
    ...(schedule.isJob ? asJob(stanza, program) : { stanza, notes: [] }),
    notes: [
      ...(name === pm2Name
        ? []
        : [
            `It is called ${JSON.stringify(pm2Name)} in pm2; a name has letters, digits, dots and hyphens, and is no number.`,
          ]),
      ...(isBesideFile
        ? ['Its paths are taken from the directory of the file, as its script is there (pm2: from where you are).']
        : []),
      ...notes,
      ...joined.notes,
      ...(schedule.isJob ? asJob(stanza, program).notes : []),
    ],
    mistakes: [...mistakes, ...joined.mistakes],
    defaults: joined.defaults,
  };
}

/** Where you are, as pm2 has it; but the script must be there. */
function placeOf(values: Values, context: EcosystemContext): { readonly cwd: string; readonly isBesideFile: boolean } {
  const said = (text(values, 'cwd') ?? '.').replace(/^~(?=\/|$)/, context.env.HOME ?? '~');
  const script = text(values, 'script') ?? '';
  const [here, beside] = [context.cwd, dirname(context.file)].map((base) => resolve(base, said)) as [string, string];
  const isThere = (cwd: string) => context.lookAt(resolve(cwd, script)) !== null;
  const isBesideFile = beside !== here && !isThere(here) && isThere(beside);
  return { cwd: isBesideFile ? beside : here, isBesideFile };
}

/** What several parts say of the environment is joined; the app's own word is the last. */
function environmentOf(parts: readonly Part[]): Stanza {
  const env = Object.assign(
    {},
    ...parts.toReversed().map(({ stanza }) => stanza?.env ?? {}),
    parts[1]!.stanza?.env ?? {},
  );
  return Object.keys(env).length === 0 ? {} : { env };
}

/** That a job is not restarted goes without saying. */
function withoutRestart({ stanza = {}, ...rest }: Part): Part {
  const { restart: _, ...others } = stanza;
  return { ...rest, stanza: others };
}

/** A job is a command line, and has no options of apps. */
function asJob(stanza: Stanza, { words }: ProgramPart): ForeignApp {
  const forApps = (key: string) => optionsTable.some((option) => option.key === key && !option.verbs.includes('run'));
  const { script, args = [], interpreter: _, interpreter_args: __, ...rest } = stanza;
  const kept = Object.entries(rest).filter(([key]) => !forApps(key));
  const left = Object.keys(rest).filter(forApps);
  const command = rest.command ?? words ?? [script, ...(args as readonly string[])];
  const { name, job, ...others } = Object.fromEntries(kept);
  return {
    stanza: { name, job, command, ...others },
    notes: left.length === 0 ? [] : [`${left.join(', ')}: of no use to a job.`],
  };
}

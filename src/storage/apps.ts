/**
 * What is kept of each app: `spec.json` (what was asked for), `state.json` (want, counters, the automaton's state), `exits.jsonl` (how its
 * runs ended). One directory per app, so that one bad file harms one app.
 *
 * A file that does not parse is moved aside as `*.corrupt-<time>` and the generation before it is taken. Reading for a list leaves
 * everything as it is. An app with a file of a later format is a newer stead's: nothing of it is used, moved or written over.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { appendLine, errnoOf, readIfThere, replaceFile, syncDirectory } from '../host/files.ts';
import type { Role } from '../lifecycle/state.ts';
import type { ExitView, Keeper, Want } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import { type AppSpec, specFormat } from '../protocol/spec.ts';
import { appDirectory, appsDirectory, nameOfDirectory, runsDirectory } from './layout.ts';
import { migrateSpec, migrateState } from './migrate.ts';
import { formatProblem, type Problem, specProblem, stateFormat, stateProblem } from './problems.ts';
import { formerNames } from './rename.ts';

export { stateFormat };

/** `Model` is the automaton's; storage does not look into it. */
export interface StoredInstance<Model = unknown> {
  readonly index: number;
  /** During a reload there are two runs of one index; else all are `main`. */
  readonly role: Role;
  /** Of the runs of one index that are there at the same time each has its own: 0, 1, … */
  readonly lane: number;
  readonly model: Model;
  /** Since when it is in its state, milliseconds since the epoch. */
  readonly sinceWall: number;
  /** The app's name when the run that is under way was launched, where it has another one now: what the run has of it stays as it was. */
  readonly launchedAs?: string;
}

export interface StoredState<Model = unknown> {
  readonly format: typeof stateFormat;
  readonly id: number;
  readonly want: Want;
  /** Who wanted it last: the command, for the record. */
  readonly by: string;
  readonly createdAt: string;
  /** The boot in which the models' times and pids mean something. */
  readonly bootId: string;
  readonly instances: readonly StoredInstance<Model>[];
  /** The reload that is under way; null: none is. */
  readonly rollout: Rollout | null;
  /** Who keeps it; absent: stead. */
  readonly keeper?: Keeper;
}

/** A reload: what is left of it to do, for whoever goes on with it. */
export interface Rollout {
  /** Indexes whose turn has not come. */
  readonly pending: readonly number[];
  readonly done: readonly number[];
  /** How many at a time. */
  readonly parallel: number;
  /** After so many it waits to be told to go on; null: it does not, or no more. */
  readonly canary: number | null;
  /** Told to put back what was replaced. */
  readonly isAborted: boolean;
  readonly by: string;
}

export interface StoredApp<Model = unknown> {
  readonly spec: AppSpec;
  readonly state: StoredState<Model>;
}

/** What was wrong with an app's files, for the log and for `doctor`. */
export interface Damage {
  readonly name: string;
  readonly file: string;
  readonly problem: string;
  readonly isMovedAside: boolean;
}

export interface LoadedApps<Model> {
  /** By id. */
  readonly apps: StoredApp<Model>[];
  /** What was asked for of apps whose state was there and can't be read, in no generation. */
  readonly stateless: AppSpec[];
  /** Apps of which it can't be read what was asked for, in no generation: something of them may run. */
  readonly specless: Specless<Model>[];
  readonly damages: Damage[];
}

export interface Specless<Model> {
  readonly name: string;
  /** Null if that can't be read, either. */
  readonly state: StoredState<Model> | null;
}

interface Loading<Model> extends LoadedApps<Model> {
  /** Texts and small objects that many specs have alike: kept once in memory. */
  readonly shared: Map<string, unknown>;
}

/** Every app on disk. With `mend`, bad files are moved aside; without, nothing is touched. */
export function loadApps<Model>(home: string, { mend }: { readonly mend: boolean }): LoadedApps<Model> {
  const loaded: Loading<Model> = { apps: [], stateless: [], specless: [], damages: [], shared: new Map() };
  const former = formerNames(home);
  for (const directory of appDirectories(home)) loadApp(home, nameOfDirectory(directory), { mend, former, to: loaded });
  const { apps, stateless, specless, damages } = loaded;
  apps.sort((a, b) => a.state.id - b.state.id);
  return { apps, stateless, specless, damages };
}

interface LoadOne<Model> {
  readonly mend: boolean;
  /** Of apps that were renamed: an old name, and the one that it is now. */
  readonly former: ReadonlyMap<string, string>;
  readonly to: Loading<Model>;
}

function loadApp<Model>(home: string, name: string, { mend, former, to }: LoadOne<Model>): void {
  const directory = appDirectory(home, name);
  const spec = readGenerations<AppSpec>(
    join(directory, 'spec.json'),
    (value) => specProblem(value, name),
    (value) => renamed(migrateSpec(value), name, former),
  );
  const state = readGenerations<StoredState<Model>>(join(directory, 'state.json'), stateProblem, migrateState);
  const bad = [...spec.bad, ...state.bad];
  const isLater = bad.some((each) => each.isLater);
  for (const { path, problem } of bad)
    to.damages.push({ name, file: path, problem, isMovedAside: mend && !isLater && setAside(path) });
  if (isLater) return;
  if (spec.value === null) {
    // Without any trace it is an app that was never made: what came first could not be written.
    if (spec.bad.length > 0 || state.value !== null || runNumbers(home, name, 0).length > 0)
      to.specless.push({ name, state: state.value });
    return;
  }
  shareEqualParts(spec.value, to.shared);
  if (state.value !== null) to.apps.push({ spec: spec.value, state: state.value });
  // Without a bad file it is an app that was never made whole: the disk was full.
  else if (state.bad.length > 0) to.stateless.push(spec.value);
}

/** The directory has its new name already, the file has not: the directory's counts. */
function renamed(spec: unknown, name: string, former: ReadonlyMap<string, string>): unknown {
  const written = (spec as Partial<AppSpec> | null)?.name;
  return typeof written === 'string' && former.get(written) === name ? { ...(spec as AppSpec), name } : spec;
}

/** A thousand apps of one caller have one environment and one set of limits: half of what a spec takes in memory. */
export function shareEqualParts(spec: AppSpec, shared: Map<string, unknown>): void {
  const once = <T>(key: string, value: T): T => {
    if (!shared.has(key)) shared.set(key, value);
    return shared.get(key) as T;
  };
  const parts = spec as { -readonly [K in keyof AppSpec]: AppSpec[K] };
  parts.env = once(
    JSON.stringify(spec.env),
    spec.env.map((entry) => once(entry, entry)),
  );
  parts.limits = once(JSON.stringify(spec.limits), spec.limits);
  parts.inherited = once(JSON.stringify(spec.inherited), spec.inherited);
}

/** Throws NAME_TAKEN if a newer stead keeps an app of this name: its files are not written over. */
export function refuseLaterApp(home: string, name: string): void {
  for (const [file, format] of [
    ['spec.json', specFormat],
    ['state.json', stateFormat],
  ] as const) {
    const { bad } = readGenerations(
      join(appDirectory(home, name), file),
      (value) => formatProblem(value, format),
      migrateSpec,
    );
    if (bad.some(({ isLater }) => isLater))
      throw new SteadError('NAME_TAKEN', `The name "${name}" is taken by an app that a newer stead keeps.`, {
        hint: 'use the newer stead (which -a stead), or choose another --name',
      });
  }
}

/** Writes a new app's files; durable when it returns. Throws NAME_TAKEN for one that a newer stead keeps. */
export function createApp(home: string, { spec, state }: StoredApp): void {
  refuseLaterApp(home, spec.name);
  const directory = appDirectory(home, spec.name);
  const specFile = join(directory, 'spec.json');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // A copy, not a link: what garbles one leaves the other whole.
  replaceFile(`${specFile}.prev`, json(spec));
  replaceFile(specFile, json(spec), { durable: true });
  replaceFile(join(directory, 'state.json'), json(state), { durable: true });
  syncDirectory(appsDirectory(home));
}

export function saveSpec(home: string, spec: AppSpec): void {
  replaceFile(join(appDirectory(home, spec.name), 'spec.json'), json(spec), { durable: true, keepPrevious: true });
}

/** `durable` for what was wanted; without it the content survives this process, which is all that an observed state needs. */
export function saveState(
  home: string,
  name: string,
  state: StoredState,
  { durable }: { readonly durable: boolean },
): void {
  replaceFile(join(appDirectory(home, name), 'state.json'), json(state), { durable, keepPrevious: durable });
}

/** Removes all that is kept of an app, its logs apart: from here on it is unknown, whatever is left of the directory. */
export function removeApp(home: string, name: string): void {
  const directory = appDirectory(home, name);
  // Beside it: the apps may be on a file system of their own.
  const condemned = join(appsDirectory(home), `.condemned-${process.pid}-${Date.now().toString(36)}`);
  try {
    renameSync(directory, condemned);
    syncDirectory(appsDirectory(home));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  rmSync(condemned, { recursive: true, force: true });
}

/** Removes what an interrupted `removeApp` left. */
export function removeCondemned(home: string): void {
  const apps = appsDirectory(home);
  for (const entry of existsSync(apps) ? readdirSync(apps) : []) {
    if (entry.startsWith('.')) rmSync(join(apps, entry), { recursive: true, force: true });
  }
}

const keptExits = 100;

export function appendExit(home: string, name: string, index: number, exit: ExitView): void {
  const path = exitsPath(home, name);
  appendLine(path, JSON.stringify({ index, ...exit }));
  const lines = readIfThere(path)?.split('\n').filter(Boolean) ?? [];
  if (lines.length > 2 * keptExits) replaceFile(path, `${lines.slice(-keptExits).join('\n')}\n`);
}

/** The last 100 exits, newest last. A line that does not parse is left out. */
export function readExits(home: string, name: string): (ExitView & { readonly index: number })[] {
  const lines = readIfThere(exitsPath(home, name))?.split('\n').filter(Boolean) ?? [];
  return lines.slice(-keptExits).flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/** The numbers of the run directories of an instance, ascending. */
export function runNumbers(home: string, name: string, index: number): number[] {
  try {
    return readdirSync(runsDirectory(home, name, index))
      .filter((entry) => /^\d{1,15}$/.test(entry))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

const exitsPath = (home: string, name: string) => join(appDirectory(home, name), 'exits.jsonl');
const json = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`;

function appDirectories(home: string): string[] {
  try {
    return readdirSync(appsDirectory(home), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

interface BadFile {
  readonly path: string;
  readonly problem: string;
  readonly isLater: boolean;
}

/** The newest good generation of a file, and what was wrong with those after it. */
function readGenerations<T>(
  path: string,
  check: (value: unknown) => Problem | null,
  migrate: (value: unknown) => unknown,
): { value: T | null; bad: readonly BadFile[] } {
  const bad: BadFile[] = [];
  for (const each of [path, `${path}.prev`]) {
    try {
      const text = readIfThere(each);
      if (text === null) continue;
      const value = migrate(JSON.parse(text));
      const problem = check(value);
      if (problem === null) return { value: value as T, bad };
      bad.push({ path: each, problem: problem.text, isLater: problem.isLater });
    } catch (error) {
      bad.push({ path: each, problem: (error as Error).message, isLater: false });
    }
  }
  return { value: null, bad };
}

/** Whether it was moved; else it stays where it is, and the next generation is written over it. */
function setAside(path: string): boolean {
  try {
    const aside = `${path}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    if (existsSync(aside)) return false;
    renameSync(path, aside);
    return true;
  } catch {
    return false;
  }
}

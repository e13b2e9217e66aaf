/**
 * What is kept of each app: `spec.json` (what was asked for), `state.json` (want, counters, the automaton's state), `exits.jsonl` (how its
 * runs ended). One directory per app, so that one bad file harms one app.
 *
 * A file that does not parse is moved aside as `*.corrupt-<time>` and the generation before it is taken. Reading for a list leaves
 * everything as it is.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { appendLine, errnoOf, readIfThere, replaceFile, syncDirectory } from '../host/files.ts';
import type { ExitView, Want } from '../protocol/api.ts';
import { type AppSpec, specFormat } from '../protocol/spec.ts';
import { appDirectory, appsDirectory, nameOfDirectory, runsDirectory } from './layout.ts';

export const stateFormat = 1;

/** `Model` is the automaton's; storage does not look into it. */
export interface StoredInstance<Model = unknown> {
  readonly index: number;
  readonly model: Model;
  /** Since when it is in its state, milliseconds since the epoch. */
  readonly sinceWall: number;
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
}

/** Every app on disk, by id. With `mend`, bad files are moved aside; without, nothing is touched. */
export function loadApps<Model>(
  home: string,
  { mend }: { readonly mend: boolean },
): { apps: StoredApp<Model>[]; damages: Damage[] } {
  const damages: Damage[] = [];
  const apps: StoredApp<Model>[] = [];
  for (const directory of appDirectories(home)) {
    const app = loadApp<Model>(home, nameOfDirectory(directory), { mend, damages });
    if (app !== null) apps.push(app);
  }
  apps.sort((a, b) => a.state.id - b.state.id);
  return { apps, damages };
}

export function loadApp<Model>(
  home: string,
  name: string,
  { mend, damages }: { readonly mend: boolean; readonly damages: Damage[] },
): StoredApp<Model> | null {
  const directory = appDirectory(home, name);
  const read = <T>(file: string, check: (value: unknown) => string | null): T | null => {
    for (const path of [join(directory, file), join(directory, `${file}.prev`)]) {
      const { value, problem } = readChecked<T>(path, check);
      if (value !== null) return value;
      if (problem === null) continue;
      damages.push({ name, file: path, problem });
      if (mend) setAside(path);
    }
    return null;
  };
  const spec = read<AppSpec>('spec.json', specProblem);
  const state = read<StoredState<Model>>('state.json', stateProblem);
  if (spec === null || state === null || spec.name !== name) return null;
  return { spec, state };
}

/** Writes a new app's files; durable when it returns. */
export function createApp(home: string, { spec, state }: StoredApp): void {
  const directory = appDirectory(home, spec.name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  replaceFile(join(directory, 'spec.json'), json(spec), { durable: true });
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
  const condemned = join(home, `condemned-${process.pid}-${Date.now().toString(36)}`);
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
  for (const entry of readdirSync(home)) {
    if (entry.startsWith('condemned-')) rmSync(join(home, entry), { recursive: true, force: true });
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
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function readChecked<T>(
  path: string,
  check: (value: unknown) => string | null,
): { value: T | null; problem: string | null } {
  try {
    const text = readIfThere(path);
    if (text === null) return { value: null, problem: null };
    const value: unknown = JSON.parse(text);
    const problem = check(value);
    return problem === null ? { value: value as T, problem: null } : { value: null, problem };
  } catch (error) {
    return { value: null, problem: (error as Error).message };
  }
}

function setAside(path: string): void {
  try {
    const aside = `${path}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    if (!existsSync(aside)) renameSync(path, aside);
  } catch {
    // It stays where it is; the next generation is written over it.
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string');

function specProblem(value: unknown): string | null {
  if (!isRecord(value)) return 'is no object';
  if (value.format !== specFormat) return `has format ${String(value.format)}, this version reads ${specFormat}`;
  for (const key of ['name', 'cwd', 'kind', 'restart', 'stopSignal'])
    if (typeof value[key] !== 'string') return `has no ${key}`;
  for (const key of ['stopTimeoutMs', 'stableAfterMs', 'umask'])
    if (typeof value[key] !== 'number') return `has no ${key}`;
  if (!isTexts(value.env)) return 'has no env';
  if (!isRecord(value.program) || !isTexts(value.program.words)) return 'has no program';
  return null;
}

function stateProblem(value: unknown): string | null {
  if (!isRecord(value)) return 'is no object';
  if (value.format !== stateFormat) return `has format ${String(value.format)}, this version reads ${stateFormat}`;
  if (typeof value.id !== 'number' || typeof value.want !== 'string' || typeof value.bootId !== 'string')
    return 'lacks id, want or bootId';
  if (!Array.isArray(value.instances) || value.instances.length === 0) return 'has no instances';
  const isModel = (model: unknown) =>
    isRecord(model) && isRecord(model.state) && typeof model.run === 'number' && typeof model.restarts === 'number';
  if (!value.instances.every((instance) => isRecord(instance) && isModel(instance.model)))
    return 'has a broken instance';
  return null;
}

/**
 * What the files tell while no daemon answers: what was asked for, and of each run whether its program lives or how it ended. Nothing is changed; the
 * next daemon acts on the same facts.
 */
import { bootId } from '../host/clock.ts';
import { isAlive, type ProcessId } from '../host/process.ts';
import { describeStatus, readNote, readRun } from '../launcher/records.ts';
import type { Model, State } from '../lifecycle/state.ts';
import { exitInWords } from '../lifecycle/words.ts';
import { logFiles } from '../logs/layout.ts';
import { CpuMeter } from '../metrics/cpu.ts';
import type { AppDetail, AppView, Keeper } from '../protocol/api.ts';
import { type Selectable, selectApps } from '../protocol/select.ts';
import type { AppSpec } from '../protocol/spec.ts';
import { loadApps, readExits, type StoredApp, type StoredInstance } from '../storage/apps.ts';
import { runDirectory } from '../storage/layout.ts';
import { newState } from '../storage/new-state.ts';
import { appView } from '../view/app-view.ts';
import { rebuildApp } from '../view/lost-app.ts';
import { lookAtTrees, type TreeToLookAt } from '../view/usage.ts';

/** The list as the files tell it. */
export async function listFromDisk(home: string): Promise<AppView[]> {
  return views(home, await appsOnDisk(home));
}

/** One app as the files tell it. Throws APP_NOT_FOUND. */
export async function showFromDisk(home: string, selector: string, { showEnv = false } = {}): Promise<AppDetail> {
  const apps = await appsOnDisk(home);
  const [{ stored }] = selectApps(
    apps.map((stored) => ({
      id: stored.state.id,
      name: stored.spec.name,
      group: stored.spec.group,
      instances: stored.state.instances,
      stored,
    })),
    [selector],
  ) as unknown as [{ stored: StoredApp<Model> }];
  const { spec } = stored;
  const env = showEnv ? spec.env : spec.env.map((entry) => entry.split('=', 1)[0]!);
  return {
    ...views(home, [stored])[0]!,
    spec: {
      ...spec,
      env,
      options: {
        ...spec.options,
        ...(spec.options.env && { env: spec.options.env.map((entry) => entry.split('=', 1)[0]!) }),
      },
    },
    by: stored.state.by,
    exits: readExits(home, spec.name),
    logs: logFiles(home, spec.name, 0, spec.log),
    sockets: [],
    env,
    processes: [],
  };
}

/** What was asked for of every app, for who writes it down, and whether it is to run. */
export async function specsFromDisk(home: string): Promise<readonly SpecOnDisk[]> {
  const apps = (await appsOnDisk(home)).filter(({ state }) => state.want !== 'deleted');
  return apps.map(({ spec, state }) => ({
    id: state.id,
    name: spec.name,
    group: spec.group,
    instances: state.instances,
    script: spec.program.how === 'script' ? spec.program.words[0] : undefined,
    spec,
    isWanted: state.want === 'running',
    keeper: state.keeper ?? null,
    isOver: state.instances.every(({ model }) => ['completed', 'failed', 'stopped'].includes(model.state.name)),
  }));
}

/** Can be selected. */
export interface SpecOnDisk extends Selectable {
  readonly spec: AppSpec;
  readonly isWanted: boolean;
  /** Null: stead. */
  readonly keeper: Keeper | null;
  /** None of its instances runs, or is about to. */
  readonly isOver: boolean;
}

/** Those, too, of which files are lost: the next daemon will know them as they are seen here. */
async function appsOnDisk(home: string): Promise<readonly StoredApp<Model>[]> {
  const { apps, stateless, specless } = loadApps<Model>(home, { mend: false });
  let id = Math.max(-1, ...apps.map(({ state }) => state.id)) + 1;
  const remade = stateless.map((spec) => ({ spec, state: newState(id++, 'found without its state') }));
  const rebuilt = [];
  for (const lost of specless) rebuilt.push(await rebuildApp(home, lost, id++));
  return [...apps, ...remade, ...rebuilt].sort((a, b) => a.state.id - b.state.id);
}

function views(home: string, apps: readonly StoredApp<Model>[]): AppView[] {
  const boot = bootId();
  const seen = apps.map(({ spec, state }) =>
    state.instances.map((stored) => see(home, { name: spec.name, stored, isThisBoot: state.bootId === boot })),
  );
  const trees = seen
    .flat()
    .flatMap(({ key, program }): TreeToLookAt[] => (program === null ? [] : [{ key, program, cgroup: null }]));
  const usages = lookAtTrees(trees, new CpuMeter());
  return apps.map(({ spec, state }, at) =>
    appView(
      spec,
      state,
      seen[at]!.map(({ stored, key, program, now }) => ({
        index: stored.index,
        role: stored.role,
        model: { ...stored.model, state: now },
        sinceWall: stored.sinceWall,
        pid: program?.pid ?? null,
        usage: usages.get(key) ?? null,
      })),
    ),
  );
}

interface Seen {
  readonly stored: StoredInstance<Model>;
  readonly key: string;
  /** Its program, if it lives. */
  readonly program: ProcessId | null;
  readonly now: State;
}

function see(
  home: string,
  { name, stored, isThisBoot }: { name: string; stored: StoredInstance<Model>; isThisBoot: boolean },
): Seen {
  const { state } = stored.model;
  const key = `${name}.${stored.index}+${stored.lane}`;
  if (!('run' in state)) return { stored, key, program: null, now: state };
  if (!isThisBoot)
    return { stored, key, program: null, now: { name: 'stopped', reason: 'the machine was restarted since' } };
  const directory = runDirectory(home, name, stored.index, state.run);
  const { program, exit } = readRun(directory);
  if (program !== null && exit === null && isAlive(program)) {
    const now: State =
      state.name === 'starting' && !state.isLaunched
        ? { name: 'running', run: state.run, since: state.since, until: null }
        : state;
    return { stored, key, program, now };
  }
  const ended =
    exit === null ? 'ended, and nobody saw how' : exitInWords(describeStatus(exit.status, readNote(directory)));
  return {
    stored,
    key,
    program: null,
    now: { name: 'stopped', reason: `${ended}; the daemon was not there to act on it` },
  };
}

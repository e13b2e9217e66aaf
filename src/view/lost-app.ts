/**
 * An app of which it can't be read any more what was asked for. It is known all the same, so that what runs of it can be looked at, stopped and deleted: while
 * its program lives, the program tells what it is, as of one that is adopted; else only the name is left, which can't be started.
 */
import { settle } from '../config/settle.ts';
import { limitsOf } from '../host/limits.ts';
import { isAlive } from '../host/process.ts';
import { readRun } from '../launcher/records.ts';
import { type Model, newModel } from '../lifecycle/state.ts';
import { programOf } from '../programs/of-process.ts';
import { SteadError } from '../protocol/errors.ts';
import { type AppSpec, type Inherited, specFormat } from '../protocol/spec.ts';
import { runNumbers, type Specless, type StoredApp, type StoredState } from '../storage/apps.ts';
import { runDirectory } from '../storage/layout.ts';
import { newState } from '../storage/new-state.ts';

export const lostReason = 'its spec.json could not be read, so it is not known any more what to start';

type Base = Pick<AppSpec, 'name' | 'program' | 'cwd' | 'env' | 'inherited'>;

/** What can be had of such an app. `id` is for one whose state is lost, too. */
export async function rebuildApp(
  home: string,
  { name, state: kept }: Specless<Model>,
  id: number,
): Promise<StoredApp<Model>> {
  const state = kept ?? newState(id, 'found without its files');
  const pid = livingOf(home, name, state);
  if (pid === null) return { spec: withDefaults(nameAlone(name)), state: atRest(home, name, state) };
  const found = await programOf(pid);
  const base: Base = found === null ? nameAlone(name) : { ...found, name, inherited: found };
  return { spec: withDefaults(base), state };
}

/** Throws for an app of which only its name is left. */
export function refuseLost({ name, program }: AppSpec): void {
  if (program.words.length > 0) return;
  throw new SteadError('LAUNCH_FAILED', `"${name}" can't be started: ${lostReason}.`, {
    hint: `stead delete ${name}, then start it again as the first time; what was lost lies in apps/${name}/spec.json.corrupt-*`,
  });
}

/** A program of the last run of one of its instances. */
function livingOf(home: string, name: string, { instances }: StoredState<Model>): number | null {
  for (const { index } of instances) {
    const last = Math.max(0, ...runNumbers(home, name, index));
    const { program, successor, exit } = readRun(runDirectory(home, name, index, last));
    const main = successor ?? program;
    if (main !== null && exit === null && isAlive(main)) return main.pid;
  }
  return null;
}

/** Nothing of it runs and nothing of it is to be started. */
function atRest(home: string, name: string, state: StoredState<Model>): StoredState<Model> {
  return {
    ...state,
    want: state.want === 'deleted' ? 'deleted' : 'stopped',
    rollout: null,
    instances: state.instances.map(({ index, role, lane, model, sinceWall }) => ({
      index,
      role,
      lane,
      sinceWall,
      model: {
        ...newModel,
        run: Math.max(model.run, ...runNumbers(home, name, index)),
        restarts: model.restarts,
        state: { name: 'failed', reason: lostReason, until: null, isLate: false },
      },
    })),
  };
}

const nameAlone = (name: string): Base => ({
  name,
  program: { how: 'command', words: [], interpreter: null },
  cwd: '/',
  env: [],
  inherited: { umask: 0o022, limits: limitsOf('self'), nice: 0, oomScoreAdj: 0 },
});

function withDefaults({ name, program, cwd, env, inherited: from }: Base): AppSpec {
  const { umask, limits, nice, oomScoreAdj } = from;
  const inherited: Inherited = { umask, limits, nice, oomScoreAdj };
  const options = program.words.length === 0 ? ({ restart: 'no' } as const) : {};
  return {
    format: specFormat,
    name,
    kind: 'app',
    program,
    cwd,
    env,
    user: null,
    groups: null,
    options,
    origin: null,
    inherited,
    envFiles: [],
    ...settle(options, { kind: 'app', inherited }),
  };
}

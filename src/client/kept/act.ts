/** start, stop and restart of what systemd keeps: said to systemd. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ActionResult, AppView, Keeper } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { systemctl, systemctlOrThrow } from '../../systemd/manager.ts';
import { allUnits, startedUnits } from '../handoff/units.ts';
import { withKept } from './look.ts';

export type KeptVerb = 'start' | 'stop' | 'restart';

/** The results of a request with systemd's part done. Those of apps that stead keeps are as they were. */
export async function doneByKeeper(results: readonly ActionResult[], verb: KeptVerb): Promise<readonly ActionResult[]> {
  const done: ActionResult[] = [];
  for (const result of results) {
    const { keeper } = result.app;
    done.push(keeper && result.error === null ? await actOn(result, keeper, verb) : result);
  }
  return done;
}

async function actOn(result: ActionResult, keeper: Keeper, verb: KeptVerb): Promise<ActionResult> {
  const [before] = withKept([result.app]);
  try {
    perform(keeper, verb);
  } catch (error) {
    if (!(error instanceof SteadError)) throw error;
    return { ...result, app: before!, error: error.toBody() };
  }
  const app = verb === 'stop' ? withKept([result.app])[0]! : await settled(result.app);
  const changed = verb === 'restart' || pidsOf(before!) !== pidsOf(app) || before!.state !== app.state;
  return { ...result, app, changed };
}

function perform(keeper: Keeper, verb: KeptVerb): void {
  const { scope, main, services } = keeper;
  const words = { start: 'started', stop: 'stopped', restart: 'restarted' }[verb];
  if (verb === 'start') systemctl(scope, ['reset-failed', ...services]);
  const units = verb === 'stop' ? allUnits(keeper) : verb === 'start' ? startedUnits(keeper) : [restarted(keeper)];
  systemctlOrThrow(scope, [verb, ...units], `${main} can't be ${words}`);
}

/** A job's timer is not what is to be done anew. */
const restarted = ({ main, services }: Keeper): string => (/\.(?:timer|socket)$/.test(main) ? services[0]! : main);

const pidsOf = ({ instances }: AppView): string => instances.map(({ pid }) => pid).join();

/** A look at its first moments, as stead has one at its own. */
const firstLookMs = 300;

async function settled(app: AppView): Promise<AppView> {
  await pause(firstLookMs);
  return withKept([app])[0]!;
}

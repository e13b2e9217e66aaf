/** What commands that act on chosen apps share: one request, one line per app, the first failure's exit code. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { act } from '../client/act.ts';
import { whoAsks } from '../client/caller.ts';
import { escapeControls } from '../host/bytes.ts';
import type { ActionResponse, ActionResult, SelectRequest } from '../protocol/api.ts';
import { exitCodeOf, SteadError } from '../protocol/errors.ts';
import { selectApps } from '../protocol/select.ts';
import type { Call } from './command.ts';
import { sayError, withNearest } from './failure.ts';
import { print, printJson, say, withProgress } from './output.ts';
import { assertWritable } from './ownership.ts';
import { assertDirectory } from './reading.ts';
import { requireSelectors } from './selectors.ts';
import { withWaitingNote } from './waiting-note.ts';

type Route = 'stop' | 'restart' | 'reload' | 'scale' | 'delete' | 'signal' | 'reset' | 'flush' | 'set';

/** What was not done to any app if one of several isn't there. */
const doneTo: Readonly<Record<Route, string>> = {
  stop: 'stopped',
  restart: 'restarted',
  reload: 'reloaded',
  scale: 'scaled',
  delete: 'deleted',
  signal: 'signalled',
  reset: 'reset',
  flush: 'emptied',
  set: 'changed',
};

export interface Action {
  readonly route: Route;
  readonly select: readonly string[];
  /** Beside what every request that selects holds. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** While it lasts: `Stopping web …`. */
  readonly doing: string;
  /** One app's line: `web stopped`. */
  readonly done: (result: ActionResult) => string;
}

/** Does it, says so per app, resolves with the exit code. */
export async function actOnApps(call: Call, action: Action): Promise<number> {
  const select = requireSelectors(action.select, action.route);
  assertWritable(call.home);
  try {
    return await actOn(select, call, action);
  } catch (error) {
    throw isNotFound(error) && select.length > 1 ? nothingDone(error, doneTo[action.route]) : error;
  }
}

/** By name: the class is another copy in a bundle of its own. */
const isNotFound = (error: unknown): error is SteadError => (error as Partial<SteadError>).code === 'APP_NOT_FOUND';

/** Selectors are looked up before anything is done: one that is wrong refuses all. */
function nothingDone(error: SteadError, what: string): SteadError {
  return SteadError.fromBody({ ...error.toBody(), message: `${error.message} Nothing was ${what}.` });
}

async function actOn(select: readonly string[], { home, json, values }: Call, action: Action): Promise<number> {
  if (!existsSync(join(home, 'apps'))) {
    assertDirectory(home);
    return tellNothing(select, json);
  }
  const body = { select, caller: whoAsks(), wait: values['no-wait'] !== true, ...action.body } satisfies SelectRequest;
  const work = act(home, action.route, { body });
  const answer = await withProgress(
    `${action.doing} ${select.map(escapeControls).join(', ')} …`,
    json ? work : withWaitingNote(home, select, work),
  );
  const results = await withKeepers(answer.results, action.route);
  const failed = results.filter(({ error }) => error !== null);
  if (json) printResults(results, failed);
  else for (const result of results) tell(result, action);
  return failed.length > 0 ? exitCodeOf(failed[0]!.error!.code) : results.some(isFailure) ? 1 : 0;
}

/** What systemd keeps is for systemd to do. */
async function withKeepers(results: readonly ActionResult[], route: Route): Promise<readonly ActionResult[]> {
  const isKept = results.some(({ app }) => app.keeper);
  if (!isKept || (route !== 'stop' && route !== 'restart')) return results;
  const { doneByKeeper } = await import('../client/kept/act.ts');
  return doneByKeeper(results, route);
}

/** Where nothing was ever started no daemon has to be started to say so. Throws APP_NOT_FOUND but for `all`. */
function tellNothing(select: readonly string[], json: boolean): number {
  selectApps([], select);
  if (json) printJson([]);
  else say('There are no apps.');
  return 0;
}

function tell(result: ActionResult, action: Action): void {
  for (const note of result.notes ?? []) say(escapeControls(note));
  if (result.error) sayError(withNearest(result.error));
  else print(action.done(result));
}

/** A failure prints the error alone; what was done of the rest is in its details. */
function printResults(results: ActionResponse['results'], failed: ActionResponse['results']): void {
  const error = failed[0]?.error;
  printJson(error ? { error: { ...error, details: { ...error.details, results } } } : results);
}

/** `web`, safe to print. */
export const shownName = ({ app }: ActionResult): string => escapeControls(app.name);

/** It ended at once, and not as a job does that is done. */
const isFailure = ({ app, early }: ActionResult): boolean =>
  early !== undefined && early !== null && !(app.kind === 'job' && early.exit.code === 0);

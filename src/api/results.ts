/** Answers whose parts may have failed: the first failure is thrown, and `details` has what became of all. */
import type { ActionResponse, ActionResult, ApplyResponse, StartedApp, StartResponse } from '../protocol/api.ts';
import { type ErrorBody, SteadError } from '../protocol/errors.ts';

export function allDone({ results }: ActionResponse): readonly ActionResult[] {
  const failed = results.find(({ error }) => error !== null)?.error;
  if (failed) throw withDetails(failed, { results });
  const ended = results.find(isFailure);
  if (ended) throw endedEarly(ended.app.name, ended.early!, { results });
  return results;
}

export function allStarted({ apps }: StartResponse): readonly StartedApp[] {
  const ended = apps.find(({ early }) => early !== null);
  if (ended) throw endedEarly(ended.app.name, ended.early!, { apps });
  return apps;
}

export function allApplied(answer: ApplyResponse): ApplyResponse {
  const failed = answer.apps.find(({ error }) => error !== null)?.error;
  if (failed) throw withDetails(failed, { apps: answer.apps });
  return answer;
}

/** It ended at once, and not as a job does that is done. */
const isFailure = ({ app, early }: ActionResult): boolean =>
  early !== undefined && early !== null && !(app.kind === 'job' && early.exit.code === 0);

const withDetails = (error: ErrorBody, details: Readonly<Record<string, unknown>>): SteadError =>
  SteadError.fromBody({ ...error, details: { ...error.details, ...details } });

const endedEarly = (
  name: string,
  { exit, next }: NonNullable<StartedApp['early']>,
  details: Readonly<Record<string, unknown>>,
): SteadError =>
  new SteadError('EXITED_EARLY', `${JSON.stringify(name)} ended at once: ${exit.reason}`, { hint: next, details });

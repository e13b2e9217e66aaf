import { SteadError } from '../../protocol/errors.ts';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isAbsentOr = (type: 'boolean' | 'string', value: unknown): boolean =>
  value === undefined || typeof value === type;

/** A request's body: an object, with fields that many requests have as they should be where they are there. Throws BAD_REQUEST. */
export function checkedBody(body: unknown): Record<string, unknown> {
  if (!isRecord(body)) throw new SteadError('BAD_REQUEST', 'The body must be a JSON object.');
  for (const flag of ['wait', 'purge'])
    if (!isAbsentOr('boolean', body[flag])) throw new SteadError('BAD_REQUEST', `"${flag}" must be true or false.`);
  if (body.caller !== undefined) checkAsker(body.caller);
  return body;
}

/** Who asks; what else `start` and `run` need of a caller they check themselves. */
function checkAsker(caller: unknown): void {
  if (!isRecord(caller)) throw new SteadError('BAD_REQUEST', '"caller" must be an object.');
  const { pid, command } = caller;
  if ((pid !== undefined && !Number.isSafeInteger(pid)) || !isAbsentOr('string', command))
    throw new SteadError('BAD_REQUEST', 'The "pid" of a "caller" must be an integer, its "command" a string.');
}

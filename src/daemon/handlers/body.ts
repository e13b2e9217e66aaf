import type { Bodies } from '../../protocol/answers.ts';
import type { Caller } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import requests from '../../protocol/requests.json' with { type: 'json' };
import { mistakeIn, type Schema } from '../../protocol/schema.ts';

const bodies: Readonly<Record<string, Schema>> = requests.bodies;
const definitions: Readonly<Record<string, Schema>> = requests.definitions;

/** A request's body, if it is as the API says (docs/openapi.json). What options say is left to `config/check.ts`. Throws BAD_REQUEST. */
export function checkedBody<R extends keyof Bodies>(route: R, body: unknown): Bodies[R] {
  return checkedBy(bodies[route]!, body) as Bodies[R];
}

/** A caller, if it is as the API says, and its limits are named as prlimit(1) does, which gets them as words. Throws BAD_REQUEST. */
export function checkedCaller(value: unknown): Caller {
  const caller = checkedBy(definitions.Caller!, value) as Caller;
  const wrong = Object.keys(caller.limits).find((name) => !/^[a-z]{1,20}$/.test(name));
  if (wrong === undefined) return caller;
  throw new SteadError('BAD_REQUEST', `There is no limit ${JSON.stringify(wrong)}.`);
}

function checkedBy(schema: Schema, value: unknown): unknown {
  const mistake = mistakeIn(value, { schema, definitions });
  if (mistake !== null) throw new SteadError('BAD_REQUEST', mistake);
  return value;
}

import type { Bodies } from '../../protocol/answers.ts';
import { SteadError } from '../../protocol/errors.ts';
import requests from '../../protocol/requests.json' with { type: 'json' };
import { mistakeIn, type Schema } from '../../protocol/schema.ts';

const bodies: Readonly<Record<string, Schema>> = requests.bodies;
const definitions: Readonly<Record<string, Schema>> = requests.definitions;

/** A request's body, if it is as the API says (docs/openapi.json). What options say is left to `config/check.ts`. Throws BAD_REQUEST. */
export function checkedBody<R extends keyof Bodies>(route: R, body: unknown): Bodies[R] {
  const mistake = mistakeIn(body, { schema: bodies[route]!, definitions });
  if (mistake !== null) throw new SteadError('BAD_REQUEST', mistake);
  return body as Bodies[R];
}

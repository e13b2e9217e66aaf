import type { ParsedLine } from '../config/parse.ts';
import { say } from './output.ts';

/** NODE_OPTIONS is kept from programs: debuggers and editors put in it what would break them. Said, as some set it on purpose. */
export function sayWhatIsLeftOut({ env }: ParsedLine['values']): void {
  const isSet = Array.isArray(env) && env.some((entry) => String(entry).startsWith('NODE_OPTIONS='));
  if (process.env.NODE_OPTIONS && !isSet)
    say('NODE_OPTIONS of this shell is not passed on; -e NODE_OPTIONS=... sets it.');
}

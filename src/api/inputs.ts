import { asKeys, asLine, exactly, type Spoken } from '../client/send-input.ts';
import type { Input, Selectors, Target } from './types.ts';

export const listed = (select: Selectors): readonly string[] => (typeof select === 'string' ? [select] : select);

/** Of a start request. */
export function programsOf(target: Target, args: readonly string[]) {
  if (typeof target === 'object' && 'command' in target) return { targets: [], rest: [...target.command, ...args] };
  return { targets: listed(target), rest: args };
}

/** Throws USAGE for what is the name of no key. */
export function spokenOf(input: Input): Spoken {
  if (typeof input === 'string') return exactly(Buffer.from(input));
  if (input instanceof Uint8Array) return exactly(Buffer.from(input));
  return 'keys' in input ? asKeys(input.keys) : asLine(input.line);
}

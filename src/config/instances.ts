/** How many instances: at a start, where -1 is one less than there are cores, and for a scale, where it is one less than there are. */
import { availableParallelism } from 'node:os';
import { SteadError } from '../protocol/errors.ts';
import { quote } from './values.ts';

/** Each change of one writes the state of all: what is meant for a machine's cores is not made for more. */
export const mostInstances = 200;

/** `4`, `max` or `0`: as many as there are cores, `-1`: one less than these, but at least one. */
export function parseInstances(text: string, shown: string, cores = availableParallelism()): number {
  if (text === 'max' || text === '0') return cores;
  if (/^-[1-9]\d{0,3}$/.test(text)) return Math.max(1, cores + Number(text));
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= mostInstances) return Number(text);
  throw invalid(
    `${shown} takes a number from 1 to ${mostInstances}, max (or 0), or -1: one less than there are cores; not ${quote(text)}`,
  );
}

/** What `scale` takes: `4`, `+2`, `-1`, `max`. Throws OPTION_INVALID for anything else. */
export function checkScale(text: string): void {
  if (text === '0') throw toNone(0);
  if (text !== 'max' && !/^[+-]?\d{1,4}$/.test(text))
    throw invalid(`scale takes a number, +N, -N or max, not ${quote(text)}`, 'stead scale web 4');
}

/** `4`, `+2`, `-1`, `max` → how many there shall be in place of `present`. */
export function scaledTo(text: string, present: number, cores = availableParallelism()): number {
  checkScale(text);
  const to = text === 'max' ? cores : /^[+-]/.test(text) ? present + Number(text) : Number(text);
  if (to < 1) throw toNone(to);
  if (to > mostInstances) throw invalid(`${to} instances are more than ${mostInstances}`);
  return to;
}

const toNone = (to: number): SteadError =>
  invalid(`${to} instances are none, and an app has at least one`, 'stead stop <name> ends it');

function invalid(message: string, hint?: string): SteadError {
  return new SteadError('OPTION_INVALID', message, hint === undefined ? {} : { hint });
}

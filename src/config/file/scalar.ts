import { SteadError } from '../../protocol/errors.ts';

/** A value of a config file that is one word, as a person would type it. */
export function scalar(value: unknown, shown: string): string {
  if (value === null) return '';
  if (typeof value === 'object')
    throw new SteadError('OPTION_INVALID', `${shown} takes texts and numbers, nothing nested`);
  return String(value);
}

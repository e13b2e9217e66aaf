/** Validation of options that came over the API, by the options table: what the command line sends was checked there already. */
import { SteadError } from '../protocol/errors.ts';
import type { SpecOptions } from '../protocol/spec.ts';
import { nearest } from './nearest.ts';
import { type Option, optionsTable } from './options.ts';
import { flagName } from './parse.ts';

/** The options, if each is known and of its type. Throws OPTION_INVALID that lists every mistake. */
export function checkOptions(value: unknown): SpecOptions {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(['"options" must be an object']);
  const mistakes = Object.entries(value).flatMap(([property, given]) => mistakeIn(property, given) ?? []);
  if (mistakes.length > 0) throw invalid(mistakes);
  return value as SpecOptions;
}

function mistakeIn(property: string, given: unknown): string | null {
  const option = optionsTable.find((row) => row.property === property);
  if (option === undefined) {
    const near = nearest(
      property,
      optionsTable.map((row) => row.property),
    );
    return `there is no option "${property}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
  }
  if (!isOfType(option, given))
    return `"${property}" must be ${inWords(option)}, not ${JSON.stringify(given)?.slice(0, 80)}`;
  return grammarMistake(option, given);
}

function grammarMistake({ key, grammar }: Option, given: unknown): string | null {
  if (grammar === undefined) return null;
  try {
    for (const text of Array.isArray(given) ? given : [given]) grammar(text, `--${flagName(key)}`);
    return null;
  } catch (error) {
    if (error instanceof SteadError) return error.message;
    throw error;
  }
}

function isOfType(
  { type, choices, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Option,
  given: unknown,
): boolean {
  const isText = (item: unknown): item is string => typeof item === 'string' && !item.includes('\0');
  const isNumber = (item: unknown): boolean =>
    typeof item === 'number' && Number.isFinite(item) && item >= min && item <= max;
  switch (type) {
    case 'text':
      return isText(given);
    case 'texts':
      return Array.isArray(given) && given.every(isText);
    case 'boolean':
      return typeof given === 'boolean';
    case 'choice':
      return isText(given) && choices!.includes(given);
    case 'integer':
    case 'octal':
      return isNumber(given) && Number.isInteger(given);
    default:
      return isNumber(given);
  }
}

const inWords = ({ type, choices, min, max }: Option): string =>
  type === 'choice'
    ? `one of ${choices!.join(', ')}`
    : `of type ${type}${min === undefined ? '' : ` from ${min}`}${max === undefined ? '' : ` to ${max}`}`;

const invalid = (mistakes: readonly string[]) =>
  new SteadError('OPTION_INVALID', `These options can't be used: ${mistakes.join('; ')}.`, {
    hint: 'stead help start lists them',
  });

/** Command lines: flags as the options table and a command's own list name them → typed values, words, and what came after `--`. */
import { SteadError } from '../protocol/errors.ts';
import type { SpecOptions } from '../protocol/spec.ts';
import { nearest } from './nearest.ts';
import { type Option, optionsTable } from './options.ts';
import { parseValue, quote, type Value, type ValueRule } from './values.ts';

/** A flag of the command line: `--name`, `-n`. Type `boolean` takes no value (or `=on`, `=off`). */
export interface Flag extends ValueRule {
  readonly name: string;
  readonly short?: string;
  /** What the value stands for in help. */
  readonly value?: string;
  readonly default?: string;
  readonly text: string;
}

export interface ParsedLine {
  /** By the flag's name; absent if not given. */
  readonly values: Readonly<Record<string, Value>>;
  readonly words: readonly string[];
  /** What came after `--`; null without it. */
  readonly rest: readonly string[] | null;
}

/** `stop_timeout` → `stop-timeout`. */
export const flagName = (key: string): string => key.replaceAll('_', '-');

/** The flags that the options table gives a verb. */
export function optionFlags(verb: 'start' | 'run'): readonly Flag[] {
  return optionsTable.filter((option) => option.verbs.includes(verb)).map(toFlag);
}

function toFlag({ key, property: _property, verbs: _verbs, ...rule }: Option): Flag {
  return { ...rule, name: flagName(key) };
}

/** The options of the table among parsed values, under the names of the control API. */
export function toSpecOptions(values: ParsedLine['values']): SpecOptions {
  const given = optionsTable.filter(({ key }) => Object.hasOwn(values, flagName(key)));
  return Object.fromEntries(given.map(({ key, property }) => [property, values[flagName(key)]]));
}

/**
 * Reads a command line. With `stopAtWord` all from the first word on belongs to the program, as with `nohup` and `env`.
 * Throws USAGE for an unknown flag (with the nearest) or a missing value, OPTION_INVALID for a bad one.
 */
export function parseLine(argv: readonly string[], flags: readonly Flag[], { stopAtWord = false } = {}): ParsedLine {
  const values: Record<string, Value> = Object.create(null);
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') return { values, words, rest: argv.slice(at + 1) };
    if (!word.startsWith('-') || word === '-') {
      if (stopAtWord) return { values, words: argv.slice(at), rest: null };
      words.push(word);
      continue;
    }
    const takesNext = word.startsWith('--') ? readLong(word) : readShort(word);
    if (takesNext) at += 1;

    function readLong(text: string): boolean {
      const equals = text.indexOf('=');
      const shown = equals < 0 ? text : text.slice(0, equals);
      const flag = flags.find(({ name }) => `--${name}` === shown) ?? unknownFlag(shown, flags);
      return readOne({ flag, shown, attached: equals < 0 ? undefined : text.slice(equals + 1) });
    }

    /** `-f`, `-n5`, `-n 5`, `-fn5`. */
    function readShort(text: string): boolean {
      for (let position = 1; position < text.length; position++) {
        const shown = `-${text[position]}`;
        const flag =
          flags.find(({ short }) => short === text[position]) ?? unknownFlag(position === 1 ? text : shown, flags);
        if (flag.type === 'boolean') readOne({ flag, shown, attached: undefined });
        else return readOne({ flag, shown, attached: text.slice(position + 1).replace(/^=/, '') || undefined });
      }
      return false;
    }

    /** True if the value was the next word. */
    function readOne({ flag, shown, attached }: { flag: Flag; shown: string; attached: string | undefined }): boolean {
      if (flag.type === 'boolean') {
        values[flag.name] = attached === undefined ? true : parseValue(flag, attached, shown);
        return false;
      }
      const text = attached ?? argv[at + 1];
      if (text === undefined)
        throw new SteadError('USAGE', `${shown} needs a value: ${shown} <${flag.value ?? flag.type}>`);
      values[flag.name] = joined(values[flag.name], parseValue(flag, text, shown));
      return attached === undefined;
    }
  }
  return { values, words, rest: null };
}

/** Lists grow with each mention; of anything else the last one holds. */
function joined(before: Value | undefined, value: Value): Value {
  return Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
}

function unknownFlag(shown: string, flags: readonly Flag[]): never {
  const known = flags.flatMap(({ name, short }) => (short ? [`--${name}`, `-${short}`] : [`--${name}`]));
  const near = shown.startsWith('--')
    ? nearest(
        shown,
        known.filter((flag) => flag.startsWith('--')),
      )
    : undefined;
  throw new SteadError('USAGE', `There is no option ${quote(shown)}`, near ? { hint: `did you mean ${near}?` } : {});
}

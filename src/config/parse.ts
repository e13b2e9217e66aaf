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
  /** The heading in help. */
  readonly section?: string;
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
export function optionFlags(verb: 'start' | 'run' | 'adopt'): readonly Flag[] {
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

/** A flag that people know from elsewhere and that is not there yet: what to do instead. By the flag as it is written: `--watch`, `-i`. */
export type FlagsToCome = Readonly<Record<string, string>>;

export interface LineOptions {
  readonly toCome?: FlagsToCome | undefined;
  readonly stopAtWord?: boolean;
  /** `-1` is a word, and no flag. */
  readonly takesNumbers?: boolean | undefined;
  /** What to do about an unknown flag that is near to none. */
  readonly strayHint?: string | undefined;
  /** An unknown flag is a word. */
  readonly keepsStrays?: boolean | undefined;
  /** After a word these are the flags; null: no others than before. */
  readonly flagsAfter?: ((word: string, values: ParsedLine['values']) => readonly Flag[] | null) | undefined;
}

/**
 * Reads a command line. With `stopAtWord` all from the first word on belongs to the program, as with `nohup` and `env`.
 * Throws USAGE for an unknown flag (with the nearest) or a missing value, OPTION_INVALID for a bad one.
 */
export function parseLine(
  argv: readonly string[],
  flags: readonly Flag[],
  { stopAtWord = false, takesNumbers = false, strayHint, toCome = {}, keepsStrays, flagsAfter }: LineOptions = {},
): ParsedLine {
  const values: Record<string, Value> = Object.create(null);
  const words: string[] = [];
  let known = flags;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') return { values, words, rest: argv.slice(at + 1) };
    const isFlag = word.startsWith('-') && word !== '-' && !(takesNumbers && /^-\d+$/.test(word));
    if (!isFlag && stopAtWord) return { values, words: argv.slice(at), rest: null };
    if (!isFlag || (keepsStrays && !isKnown(word, known))) {
      words.push(word);
      known = flagsAfter?.(word, values) ?? known;
    } else if (readFlags(word, { flags: known, values, next: argv[at + 1], strayHint, toCome })) at += 1;
  }
  return { values, words, rest: null };
}

/** By its name, or by its letter alone: what has more letters is somebody else's. */
function isKnown(word: string, flags: readonly Flag[]): boolean {
  if (!word.startsWith('--')) return flags.some(({ short }) => `-${short}` === word);
  const shown = word.split('=', 1)[0]!;
  return flags.some(({ name, type }) => shown === `--${name}` || (type === 'boolean' && shown === `--no-${name}`));
}

interface Reading {
  readonly flags: readonly Flag[];
  /** Grows. */
  readonly values: Record<string, Value>;
  readonly next: string | undefined;
  readonly strayHint: string | undefined;
  readonly toCome: FlagsToCome;
}

/** True if the next word was a value. */
function readFlags(word: string, reading: Reading): boolean {
  return word.startsWith('--') ? readLong(word, reading) : readShort(word, reading);
}

/** `--name`, `--name=value`, `--name value`; `--no-name` for one that is on or off. */
function readLong(word: string, reading: Reading): boolean {
  const [, shown, attached] = /^(--[^=]*)(?:=(.*))?$/s.exec(word)!;
  const negated = reading.flags.find(({ name, type }) => type === 'boolean' && `--no-${name}` === shown);
  const flag = reading.flags.find(({ name }) => `--${name}` === shown);
  if (flag === undefined && negated !== undefined && attached === undefined) {
    reading.values[negated.name] = false;
    return false;
  }
  return readValue({ flag: flag ?? unknownFlag(shown!, reading), shown: shown!, attached }, reading);
}

/** `-f`, `-n5`, `-n 5`, `-fn5`. */
function readShort(word: string, reading: Reading): boolean {
  for (let at = 1; at < word.length; at++) {
    const shown = `-${word[at]}`;
    const flag = reading.flags.find(({ short }) => short === word[at]) ?? unknownFlag(at === 1 ? word : shown, reading);
    const attached = flag.type === 'boolean' ? undefined : word.slice(at + 1).replace(/^=/, '') || undefined;
    const hasTakenNext = readValue({ flag, shown, attached }, reading);
    if (flag.type !== 'boolean') return hasTakenNext;
  }
  return false;
}

/** True if the next word was the value. */
function readValue(
  { flag, shown, attached }: { readonly flag: Flag; readonly shown: string; readonly attached: string | undefined },
  { values, next }: Reading,
): boolean {
  if (flag.type === 'boolean') {
    values[flag.name] = attached === undefined ? true : parseValue(flag, attached, shown);
    return false;
  }
  if (flag.bare !== undefined && attached === undefined) {
    values[flag.name] = joined(values[flag.name], [flag.bare]);
    return false;
  }
  const text = attached ?? next;
  if (text === undefined)
    throw new SteadError('USAGE', `${shown} needs a value: ${shown} <${flag.value ?? flag.type}>`);
  if (flag.value === assignment) checkAssignment(text, shown);
  values[flag.name] = joined(values[flag.name], parseValue(flag, text, shown));
  return attached === undefined;
}

/** How the options table shows that a value is a variable with its value. */
const assignment = 'NAME=value';

/** Throws OPTION_INVALID for what is no variable with its value. */
export function checkAssignment(text: string, shown: string): void {
  if (/^[^=]+=/.test(text)) return;
  const isFile = /\.(log|txt|out|err)$|\//.test(text);
  const hint = isFile ? 'logs are kept by themselves: stead logs <name> --err' : assignmentLike(text, shown);
  throw new SteadError('OPTION_INVALID', `${shown} takes NAME=value, not ${quote(text)}`, { hint });
}

const assignmentLike = (text: string, shown: string): string =>
  text.startsWith('=') ? `${shown} NAME${text}` : `${shown} ${text || 'NAME'}=value`;

/** Lists grow with each mention; of anything else the last one holds. */
function joined(before: Value | undefined, value: Value): Value {
  return Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
}

function unknownFlag(shown: string, { flags, strayHint, toCome }: Reading): never {
  const flag = shown.startsWith('--') ? shown : shown.slice(0, 2);
  if (Object.hasOwn(toCome, flag))
    throw new SteadError('USAGE', `The option ${quote(shown)} is not there yet`, { hint: toCome[flag]! });
  const known = flags.flatMap(({ name, short }) => (short ? [`--${name}`, `-${short}`] : [`--${name}`]));
  const near = shown.startsWith('--')
    ? nearest(
        shown,
        known.filter((flag) => flag.startsWith('--')),
      )
    : undefined;
  const hint = near ? `did you mean ${near}?` : strayHint;
  throw new SteadError('USAGE', `There is no option ${quote(shown)}`, hint === undefined ? {} : { hint });
}

/** `web db stop_timeout=5s env=A=1` → the selectors, and the options in the names of the control API. Throws USAGE for an unknown key, with the nearest. */
export function settingsOf(words: readonly string[]): {
  readonly selectors: readonly string[];
  readonly options: SpecOptions;
} {
  const values: Record<string, Value> = Object.create(null);
  const selectors = words.filter((word) => !word.includes('='));
  for (const word of words.filter((each) => each.includes('='))) {
    const at = word.indexOf('=');
    const option = findOption(word.slice(0, at));
    const text = word.slice(at + 1);
    if (option.value === assignment) checkAssignment(text, option.key);
    values[option.property] = joined(values[option.property], parseValue(option, text, option.key));
  }
  if (Object.keys(values).length === 0)
    throw new SteadError('USAGE', 'stead set needs key=value', {
      hint: 'stead set web stop_timeout=30s; stead help set lists the keys',
    });
  return { selectors, options: { ...values } as SpecOptions };
}

/** `web stop_timeout env=A`: the words that are keys, and those that select. A name that is also a key goes first. */
export function unsettingsOf(words: readonly string[]): {
  readonly selectors: readonly string[];
  readonly keys: readonly string[];
} {
  const [first, ...rest] = words;
  const isKey = (word: string) => optionsTable.some(({ key }) => key === keyOf(word));
  const keys = rest.filter((word) => isKey(word) || word.includes('='));
  if (keys.length === 0)
    throw new SteadError('USAGE', 'stead unset needs a key', {
      hint: 'stead unset web stop_timeout; stead help set lists the keys',
    });
  const selectors = [...(first === undefined ? [] : [first]), ...rest.filter((word) => !keys.includes(word))];
  return {
    selectors,
    keys: keys.map(
      (word) => findOption(keyOf(word)).property + (word.includes('=') ? word.slice(word.indexOf('=')) : ''),
    ),
  };
}

const keyOf = (word: string): string => word.split('=', 1)[0]!.replaceAll('-', '_');

function findOption(word: string): Option {
  const key = word.replaceAll('-', '_');
  const found = optionsTable.find((option) => option.key === key);
  if (found !== undefined) return found;
  const near = nearest(
    key,
    optionsTable.map((option) => option.key),
  );
  throw new SteadError('USAGE', `There is no option ${quote(word)}`, {
    hint: near === undefined ? 'stead help set lists the keys' : `did you mean ${near}?`,
  });
}

/** What is known of an app → what a person would write of it in a config file: the inverse of read-config.ts. */
import type { ConfigApp } from '../../protocol/api.ts';
import type { AppSpec, SpecOptions } from '../../protocol/spec.ts';
import { type Option, optionsTable } from '../options.ts';

/** Of a spec: the program, and what was said of it, in the order of the options table. The environment is what was said, too, not what was captured. */
export function stanzaOf({ name, kind, program, cwd, options }: AppSpec): Record<string, unknown> {
  return {
    name,
    ...(kind === 'job' && { job: true }),
    ...programOf(program, options),
    cwd,
    ...said(options, ['name', 'cwd', 'interpreter', 'interpreter_args']),
  };
}

/** Of what a config file says: the same again. */
export function stanzaOfApp({ kind, script, command, args, options }: ConfigApp): Record<string, unknown> {
  return {
    ...(options.name !== undefined && { name: options.name }),
    ...(kind === 'job' && { job: true }),
    ...(script === null ? { command: command.length === 1 ? command[0] : command } : { script }),
    ...(args.length > 0 && { args }),
    ...said(options, ['name']),
  };
}

/** In the order of the table. */
const said = (options: SpecOptions, but: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    optionsTable
      .filter(({ key, property }) => options[property] !== undefined && !but.includes(key))
      .map((option) => [option.key, writtenValue(option, options[option.property])]),
  );

function programOf({ how, interpreter, words }: AppSpec['program'], options: SpecOptions): Record<string, unknown> {
  const [first = '', ...args] = words;
  if (how === 'shell') return { command: first };
  if (how !== 'script') return { command: words };
  // What was chosen by extension or `#!` line is chosen so again.
  const chosen = options.interpreter ?? (interpreter === null ? undefined : options.interpreter);
  return {
    script: first,
    ...(args.length > 0 && { args }),
    ...(chosen !== undefined && { interpreter: chosen }),
    ...(options.interpreterArgs !== undefined && { interpreter_args: options.interpreterArgs }),
  };
}

/** Lists of NAME=value that read better as a map. */
const maps: readonly string[] = ['env', 'secret', 'limit'];

/** A value of `SpecOptions` as it is written. */
export function writtenValue({ key, type, property }: Option, value: unknown): unknown {
  if (type === 'duration') return writtenDuration(value as number);
  if (type === 'size') return writtenSize(value as number);
  if (type === 'octal') return (value as number).toString(8).padStart(3, '0');
  if (property === 'watch' && Array.isArray(value) && value.length === 1 && value[0] === '.') return true;
  if (maps.includes(key)) return asMap(value as readonly string[]);
  return value;
}

function asMap(entries: readonly string[]): unknown {
  const pairs = entries.map((entry) => [
    entry.slice(0, entry.indexOf('=')),
    entry.slice(entry.indexOf('=') + 1),
  ]) as readonly (readonly [string, string])[];
  const isMap = entries.every((entry) => entry.indexOf('=') > 0);
  return isMap ? Object.fromEntries(pairs) : entries;
}

/** `90000` → `90s`: the largest unit in which it is whole. */
export function writtenDuration(ms: number): string {
  if (ms === 0) return '0';
  const [unit, size] = (
    [
      ['d', 86_400_000],
      ['h', 3_600_000],
      ['m', 60_000],
      ['s', 1000],
    ] as const
  ).find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** `20971520` → `20M`. */
export function writtenSize(bytes: number): string {
  const power = [4, 3, 2, 1].find((each) => bytes >= 1024 ** each && bytes % 1024 ** each === 0) ?? 0;
  return `${bytes / 1024 ** power}${['', 'K', 'M', 'G', 'T'][power]}`;
}

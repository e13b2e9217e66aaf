/** What is known of an app → what a person would write of it in a config file: the inverse of read-config.ts. */
import type { ConfigApp } from '../../protocol/api.ts';
import type { AppSpec, SpecOptions } from '../../protocol/spec.ts';
import { absoluteListen } from '../listen.ts';
import { type Option, optionsTable } from '../options.ts';

export interface StanzaOptions {
  /** `NAME=value` entries in place of those that were said with `env`. */
  readonly env?: readonly string[];
  /** The directory of the file: paths below it are written from there. Without it they are absolute. */
  readonly directory?: string | null;
}

/** Keys that say what the program is, and stand where `programOf` puts them. */
const ofProgram: readonly string[] = ['name', 'cwd', 'interpreter', 'interpreter_args'];

/** Of a spec: the program, and what was said of it, in the order of the options table. The environment is what was said, too, not what was captured. */
export function stanzaOf(
  { name, kind, program, cwd, options }: AppSpec,
  { env = options.env ?? [], directory = null }: StanzaOptions = {},
): Record<string, unknown> {
  const path = pathFrom(directory);
  return {
    name,
    ...(kind === 'job' && { job: true }),
    ...programOf(program, { interpreter: options.interpreter, args: options.interpreterArgs, path }),
    ...(cwd !== directory && { cwd: path(cwd) }),
    ...said({ ...withoutEnv(options), ...(env.length > 0 && { env }) }, { but: ofProgram, path }),
  };
}

const withoutEnv = ({ env: _env, ...options }: SpecOptions): SpecOptions => options;

/** Of what a config file says: the same again. */
export function stanzaOfApp({ kind, script, command, args, options }: ConfigApp): Record<string, unknown> {
  return {
    ...(options.name !== undefined && { name: options.name }),
    ...(kind === 'job' && { job: true }),
    ...(script === null ? { command: command.length === 1 ? command[0] : command } : { script }),
    ...(args.length > 0 && { args }),
    ...said(options, { but: ['name'], path: (path) => path }),
  };
}

interface SaidOptions {
  /** Keys that stand elsewhere. */
  readonly but: readonly string[];
  readonly path: PathWriter;
}

/** In the order of the table. */
const said = (options: SpecOptions, { but, path }: SaidOptions): Record<string, unknown> =>
  Object.fromEntries(
    optionsTable
      .filter(({ key, property }) => options[property] !== undefined && !but.includes(key))
      .map((row) => [row.key, writtenValue(row, withPaths(row.key, options[row.property], path))]),
  );

interface SaidOfProgram {
  readonly interpreter: string | undefined;
  readonly args: readonly string[] | undefined;
  path(path: string): string;
}

function programOf({ how, interpreter, words }: AppSpec['program'], said: SaidOfProgram): Record<string, unknown> {
  const [first = '', ...args] = words;
  const command = commandOf({ how, interpreter, words });
  if (command !== null) return { command: how === 'shell' && command.length === 1 ? first : command };
  // What was chosen by extension or `#!` line is chosen so again.
  return {
    script: said.path(first),
    ...(args.length > 0 && { args }),
    ...(said.interpreter !== undefined && { interpreter: said.interpreter }),
    ...(said.args !== undefined && { interpreter_args: said.args }),
  };
}

/** The words of a command, of which a single one with spaces is a line for the shell; null for a script. */
export function commandOf({ how, interpreter, words }: AppSpec['program']): readonly string[] | null {
  if (how === 'script') return null;
  // Behind a shim: what was typed is looked up again, and found behind it again.
  if (how === 'command') return interpreter === null ? words : [interpreter.name, ...words];
  // A text is run by a shell if it is a line of more than one word; arguments after it are for a list.
  return words.length === 1 && /\s/.test(words[0]!) ? words : ['sh', '-c', ...words];
}

type PathWriter = (path: string) => string;

/** `/srv/web/a.js` → `a.js` for `/srv/web`; what lies elsewhere stays as it is. */
const pathFrom =
  (directory: string | null): PathWriter =>
  (path) => {
    if (directory === null || !path.startsWith('/')) return path;
    if (path === directory) return '.';
    const base = directory === '/' ? '/' : `${directory}/`;
    const rest = path.slice(base.length);
    if (!path.startsWith(base) || rest === '' || rest.startsWith('/')) return path;
    // A log that is called so is not "nowhere".
    return rest === 'none' ? './none' : rest;
  };

/** Paths that a config file has relative to itself; those of `watch` and the like are relative to the app's directory, and stay. */
function withPaths(key: string, value: unknown, path: PathWriter): unknown {
  if (key === 'log_out' || key === 'log_err') return value === 'none' ? value : path(String(value));
  if (key === 'env_file') return (value as readonly string[]).map(path);
  if (key === 'listen') return (value as readonly string[]).map((text) => absoluteListen(text, path));
  if (key === 'secret')
    return (value as readonly string[]).map((text) =>
      text.replace(/^([^=]+=file:)(.*)$/s, (_, head, rest) => head + path(rest)),
    );
  return value;
}

/** Lists that read better as a map, by what stands between name and value. */
const maps: Readonly<Record<string, string>> = { env: '=', secret: '=', limit: '=', on: '=' };

/** A value of `SpecOptions` as it is written. */
export function writtenValue(
  { key, type, property }: Pick<Option, 'key' | 'type' | 'property'>,
  value: unknown,
): unknown {
  if (type === 'duration') return writtenDuration(value as number);
  if (type === 'size') return writtenSize(value as number);
  if (type === 'octal') return (value as number).toString(8).padStart(3, '0');
  if (property === 'watch' && Array.isArray(value) && value.length === 1 && value[0] === '.') return true;
  if (Object.hasOwn(maps, key)) return asMap(value as readonly string[], maps[key]!);
  if (property === 'listen') return (value as readonly string[]).map(asNumber);
  return property === 'instances' ? asNumber(value as string) : value;
}

/** `4` needs no quotes. */
const asNumber = (text: string): string | number => (/^[1-9]\d{0,4}$/.test(text) ? Number(text) : text);

/** Names that a map keeps as they are and in their order; each once. */
function asMap(entries: readonly string[], separator: string): unknown {
  const pairs = entries.map((entry) => {
    const at = entry.indexOf(separator);
    return [entry.slice(0, Math.max(0, at)), entry.slice(at + 1)] as const;
  });
  const names = new Set(pairs.map(([name]) => name));
  const isMap = names.size === pairs.length && [...names].every((name) => /^(?!__proto__$)[A-Za-z_]\w*$/.test(name));
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

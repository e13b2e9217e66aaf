/**
 * Config files: `stead.config.json`, `stead.config.yaml` and the like. Their value → the apps that it names, or every mistake in it with its line.
 *
 *   defaults: { restart: on-failure }          options for all apps
 *   groups: { web: { stop_timeout: 5s } }      options for the apps of a group
 *   apps:                                      a list, or a map by name
 *     - { name: api, script: server.js, args: [--port, "80"], env: { NODE_ENV: production } }
 *     - { name: nightly, job: true, command: ./backup.sh, cron: "0 3 * * *" }
 */
import type { ConfigApp } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { SpecOptions } from '../../protocol/spec.ts';
import { nearest } from '../nearest.ts';
import { type Option, type OptionVerb, optionsTable } from '../options.ts';
import { parseValue, quote, type Value } from '../values.ts';
import { type Mistake, type Path, parseConfigText, type Source } from './document.ts';
import { listenText } from './listen-text.ts';
import { scalar } from './scalar.ts';

const mostApps = 10_000;
const shownMistakes = 50;

type Fields = Record<string, unknown>;

export interface ReadOptions {
  /** What `${VAR}` means; without it nothing is replaced. */
  readonly env?: NodeJS.ProcessEnv;
  /** `production`: what is under `env_production` goes over `env`. */
  readonly profile?: string | null;
}

/** The apps of a config file. Throws CONFIG_INVALID that lists every mistake. `file` is for messages. */
export function readConfig(text: string, file: string, options: ReadOptions = {}): readonly ConfigApp[] {
  return readSource(parseConfigText(text, options.env ?? null), file, options);
}

/** The same for what was read otherwise, or is no text: the value of several files, or of a module. */
export function readSource(source: Source, file: string, { profile = null }: ReadOptions = {}): readonly ConfigApp[] {
  const reader = new Reader(source, profile);
  const apps = reader.read();
  if (reader.mistakes.length === 0) return apps;
  const listed = reader.mistakes
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text: what }) => `  ${line === null ? '' : `line ${line}: `}${what}`);
  const more = listed.length > shownMistakes ? [`  … and ${listed.length - shownMistakes} more`] : [];
  throw new SteadError(
    'CONFIG_INVALID',
    `${quote(file)} has ${listed.length === 1 ? 'a mistake' : `${listed.length} mistakes`}:\n${[...listed.slice(0, shownMistakes), ...more].join('\n')}`,
    { hint: 'nothing was changed; stead help config shows the keys', details: { mistakes: reader.mistakes } },
  );
}

class Reader {
  readonly #source: Source;
  readonly #profile: string | null;
  readonly mistakes: Mistake[];

  constructor(source: Source, profile: string | null) {
    this.#source = source;
    this.#profile = profile;
    this.mistakes = [...source.mistakes];
  }

  read(): readonly ConfigApp[] {
    if (this.mistakes.length > 0) return [];
    const { value } = this.#source;
    if (!isFields(value)) return this.#nothing([], 'it must hold a map with "apps"');
    // As in Compose files: what is only there for its anchors.
    this.#unknownKeys(value, [], [...topKeys, ...Object.keys(value).filter((key) => key.startsWith('x-'))]);
    this.#project(value.project);
    const defaults = this.#options(value.defaults ?? {}, ['defaults']);
    const groups = this.#groups(value.groups ?? {});
    const apps = this.#list(value.apps);
    if (apps.length > mostApps) return this.#nothing(['apps'], `${apps.length} apps are more than ${mostApps}`);
    const read = apps.flatMap(({ value: app, path, name }) => this.#app(app, path, { name, defaults, groups }) ?? []);
    this.#twice(read, apps);
    return read;
  }

  #project(value: unknown): void {
    if (value !== undefined && (typeof value !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(value)))
      this.#say(['project'], '"project" must be a name of 1 to 32 letters, digits, dots, underscores or hyphens');
  }

  #nothing(path: Path, text: string): [] {
    this.#say(path, text);
    return [];
  }

  /** A list as it is, a map with its names. */
  #list(value: unknown): readonly { readonly value: unknown; readonly path: Path; readonly name: string | null }[] {
    if (Array.isArray(value)) return value.map((each, at) => ({ value: each, path: ['apps', at], name: null }));
    if (isFields(value))
      return Object.entries(value).map(([name, each]) => ({ value: each, path: ['apps', name], name }));
    return this.#nothing(value === undefined ? [] : ['apps'], '"apps" must be a list, or a map by name');
  }

  #groups(value: unknown): ReadonlyMap<string, SpecOptions> {
    if (!isFields(value)) {
      this.#say(['groups'], '"groups" must be a map of options by group');
      return new Map();
    }
    return new Map(Object.entries(value).map(([name, options]) => [name, this.#options(options, ['groups', name])]));
  }

  #app(
    value: unknown,
    path: Path,
    from: {
      readonly name: string | null;
      readonly defaults: SpecOptions;
      readonly groups: ReadonlyMap<string, SpecOptions>;
    },
  ): ConfigApp | null {
    if (!isFields(value)) return this.#reject(path, 'an app must be a map');
    const before = this.mistakes.length;
    const { script, command, args, job, ...rest } = value;
    const own = this.#options(rest, path, ['script', 'command', 'args', 'job']);
    const named = from.name === null ? own : { ...own, name: own.name ?? from.name };
    const group = named.group === undefined ? {} : (from.groups.get(named.group) ?? {});
    const options = joined(from.defaults, group, named);
    if (job !== undefined && typeof job !== 'boolean') this.#say([...path, 'job'], '"job" is true or false');
    if ((script === undefined) === (command === undefined))
      this.#say(path, `${title(named.name, path)} needs either "script" or "command"`);
    if (script !== undefined && (typeof script !== 'string' || script === ''))
      this.#say([...path, 'script'], '"script" must be the path of a file');
    const kind = job === true ? 'job' : 'app';
    this.#misplaced(kind, options, named, path);
    const app: ConfigApp = {
      kind,
      script: typeof script === 'string' ? script : null,
      command: this.#words(command, [...path, 'command']),
      args: this.#words(args, [...path, 'args']),
      options,
    };
    return this.mistakes.length > before ? null : app;
  }

  #reject(path: Path, text: string): null {
    this.#say(path, text);
    return null;
  }

  /** A text is one word: a command line for the shell, if it has spaces. */
  #words(value: unknown, path: Path): readonly string[] {
    if (value === undefined || value === null) return [];
    if (JSON.stringify(value).includes('\\u0000'))
      this.#say(path, `"${path.at(-1)}" holds a NUL, which no program can be given`);
    if (typeof value === 'string' && path.at(-1) === 'command') return value === '' ? [] : [value];
    if (Array.isArray(value) && value.every((word) => ['string', 'number', 'boolean'].includes(typeof word)))
      return value.map(String);
    this.#say(
      path,
      `"${path.at(-1)}" must be a list of words${path.at(-1) === 'command' ? ' or a text' : ': [--port, "80"]'}`,
    );
    return [];
  }

  /** Options of jobs alone in an app, and the other way round. */
  #misplaced(kind: 'app' | 'job', options: SpecOptions, own: SpecOptions, path: Path): void {
    const verb: OptionVerb = kind === 'app' ? 'start' : 'run';
    for (const property of Object.keys(options) as (keyof SpecOptions)[]) {
      const option = optionsTable.find((row) => row.property === property)!;
      if (option.verbs.includes(verb)) continue;
      if (property in own)
        this.#say([...path, option.key], `"${option.key}" is for ${kind === 'app' ? 'jobs (job: true)' : 'apps'} only`);
      else delete (options as Record<string, unknown>)[property];
    }
  }

  #options(value: unknown, path: Path, others: readonly string[] = []): SpecOptions {
    if (!isFields(value)) {
      this.#say(path, `"${path.at(-1)}" must be a map of options`);
      return {};
    }
    const profiles = Object.keys(value).filter((key) => profileOf(key) !== null);
    this.#unknownKeys(value, path, [...optionsTable.map(({ key }) => key), logKey, ...others, ...profiles]);
    const logs = this.#logs(Object.hasOwn(value, logKey) ? value[logKey] : {}, [...path, logKey]);
    const options: Record<string, Value> = {};
    for (const option of optionsTable) {
      const given = Object.hasOwn(value, option.key) ? value[option.key] : (logs[option.key] ?? null);
      if (given === null) continue;
      try {
        options[option.property] = optionValue(option, given);
      } catch (error) {
        if (!(error instanceof SteadError)) throw error;
        const isNested = !Object.hasOwn(value, option.key);
        const at = isNested ? [...path, logKey, option.key.slice('log_'.length)] : [...path, option.key];
        this.#say(at, error.message + (error.hint === undefined ? '' : ` (${error.hint})`));
      }
    }
    for (const key of profiles) {
      const env = this.#env(value[key], [...path, key]);
      if (profileOf(key) === this.#profile) options.env = [...((options.env as readonly string[]) ?? []), ...env];
    }
    return options as SpecOptions;
  }

  #env(value: unknown, path: Path): readonly string[] {
    try {
      return optionValue(envOption, value) as readonly string[];
    } catch (error) {
      if (!(error instanceof SteadError)) throw error;
      this.#say(path, error.message.replace('"env"', `"${path.at(-1)}"`));
      return [];
    }
  }

  /** `log: { max_size: 5M }` is `log_max_size: 5M`. */
  #logs(value: unknown, path: Path): Fields {
    if (!isFields(value)) {
      this.#say(path, '"log" must be a map: { max_size: 20M, keep: 5 }');
      return {};
    }
    const known = optionsTable.flatMap(({ key }) => (key.startsWith('log_') ? [key.slice('log_'.length)] : []));
    this.#unknownKeys(value, path, known);
    return Object.fromEntries(Object.entries(value).map(([key, given]) => [`log_${key}`, given]));
  }

  #unknownKeys(value: Fields, path: Path, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      this.#say([...path, key], `there is no ${quote(key)}${near === undefined ? '' : `; did you mean "${near}"?`}`);
    }
  }

  #twice(apps: readonly ConfigApp[], from: readonly { readonly path: Path }[]): void {
    const seen = new Set<string>();
    for (const [at, { options }] of apps.entries()) {
      if (options.name === undefined) continue;
      if (seen.has(options.name)) this.#say(from[at]?.path ?? [], `a second app is called "${options.name}"`);
      seen.add(options.name);
    }
  }

  #say(path: Path | null, text: string): void {
    this.mistakes.push({ line: path === null ? null : this.#source.lineOf(path), text });
  }
}

const title = (name: string | undefined, path: Path): string =>
  name === undefined ? `app ${Number(path.at(-1)) + 1}` : quote(name);

const topKeys = ['apps', 'groups', 'defaults', 'project', '$schema'];

const envOption = optionsTable.find(({ key }) => key === 'env')!;

/** `env_production` is the environment of a profile. */
export const profileOf = (key: string): string | null =>
  key.startsWith('env_') && !optionsTable.some((option) => option.key === key) ? key.slice('env_'.length) : null;

/** Options of logs may stand together. */
const logKey = 'log';

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists of variables, hooks and the like grow; everything else is replaced. */
function joined(...all: readonly SpecOptions[]): SpecOptions {
  const sum: Record<string, unknown> = {};
  for (const options of all)
    for (const [key, value] of Object.entries(options))
      sum[key] =
        ['env', 'on', 'secret', 'limit', 'envFile'].includes(key) && Array.isArray(sum[key])
          ? [...(sum[key] as []), ...value]
          : value;
  return sum as SpecOptions;
}

/** How a map is written as entries: `env: {A: 1}` is `A=1`, `depends_on: {db: started}` is `db:started`. */
const separators: Readonly<Record<string, string>> = { env: '=', secret: '=', limit: '=', on: '=', depends_on: ':' };

/** What stands under a key of a config file → what the control API takes. Throws OPTION_INVALID. */
export function optionValue(option: Option, given: unknown): Value {
  const shown = `"${option.key}"`;
  if (option.type === 'texts') return textsOf(option, given, shown);
  if (typeof given === 'object')
    throw new SteadError('OPTION_INVALID', `${shown} takes one value, not a ${Array.isArray(given) ? 'list' : 'map'}`);
  if (option.type === 'boolean' && typeof given !== 'boolean')
    throw new SteadError('OPTION_INVALID', `${shown} is true or false, not ${quote(String(given))}`);
  // YAML reads 0o27 and 027 as numbers; what a person wrote is meant.
  if (option.type === 'octal' && typeof given === 'number')
    throw new SteadError('OPTION_INVALID', `${shown} takes an octal number as a text`, {
      hint: `${option.key}: "027"`,
    });
  return parseValue(option, String(given), shown);
}

function textsOf(option: Option, given: unknown, shown: string): readonly string[] {
  if (option.bare !== undefined && typeof given === 'boolean') return given ? [option.bare] : [];
  const separator = separators[option.key];
  const textOf = option.key === 'listen' ? listenText : scalar;
  const texts =
    isFields(given) && separator !== undefined
      ? Object.entries(given).map(([name, value]) => `${name}${separator}${scalar(value, shown)}`)
      : (Array.isArray(given) ? given : [given]).map((value) => textOf(value, shown));
  if (option.key === 'env' && !isFields(given))
    for (const text of texts)
      if (!/^[^=]+=/.test(text))
        throw new SteadError('OPTION_INVALID', `${shown} takes a map, or a list of NAME=value`);
  return texts.flatMap((text) => parseValue(option, text, shown) as readonly string[]);
}

/**
 * Config files: `stead.config.json`, `stead.config.yaml`. Text → the apps that it names, or every mistake in it with its line. JSON is read as the YAML that it is.
 *
 *   defaults: { restart: on-failure }          options for all apps
 *   groups: { web: { stop_timeout: 5s } }      options for the apps of a group
 *   apps:                                      a list, or a map by name
 *     - { name: api, script: server.js, args: [--port, "80"], env: { NODE_ENV: production } }
 *     - { name: nightly, job: true, command: ./backup.sh, cron: "0 3 * * *" }
 */
import { type Document, isCollection, isMap, isPair, LineCounter, type Node, parseDocument } from 'yaml';
import type { ConfigApp } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { SpecOptions } from '../../protocol/spec.ts';
import { nearest } from '../nearest.ts';
import { type Option, type OptionVerb, optionsTable } from '../options.ts';
import { parseValue, quote, type Value } from '../values.ts';
import { listenText } from './listen-text.ts';
import { scalar } from './scalar.ts';

const mostBytes = 4 * 1024 * 1024;
const mostApps = 10_000;
const shownMistakes = 50;

type Path = readonly (string | number)[];
type Fields = Record<string, unknown>;

export interface Mistake {
  /** From 1; null where it concerns the file. */
  readonly line: number | null;
  readonly text: string;
}

/** The apps of a config file. Throws CONFIG_INVALID that lists every mistake. `file` is for messages. */
export function readConfig(text: string, file: string): readonly ConfigApp[] {
  const mistakes: Mistake[] = [];
  const apps = new Reader(text, mistakes).read();
  if (mistakes.length === 0) return apps;
  const listed = mistakes
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text: what }) => `  ${line === null ? '' : `line ${line}: `}${what}`);
  const more = listed.length > shownMistakes ? [`  … and ${listed.length - shownMistakes} more`] : [];
  throw new SteadError(
    'CONFIG_INVALID',
    `${quote(file)} has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${[...listed.slice(0, shownMistakes), ...more].join('\n')}`,
    { hint: 'nothing was changed; stead help config shows the keys', details: { mistakes } },
  );
}

class Reader {
  readonly #mistakes: Mistake[];
  readonly #lines = new LineCounter();
  readonly #document: Document | null;

  constructor(text: string, mistakes: Mistake[]) {
    this.#mistakes = mistakes;
    if (text.length > mostBytes) {
      this.#document = null;
      this.#say(null, `it has ${text.length} bytes, more than ${mostBytes}`);
      return;
    }
    this.#document = parseDocument(text, { lineCounter: this.#lines, merge: true, version: '1.2' });
    for (const { pos, message } of this.#document.errors)
      mistakes.push({
        line: this.#lines.linePos(pos[0]).line,
        text: message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
      });
  }

  read(): readonly ConfigApp[] {
    if (this.#document === null || this.#mistakes.length > 0) return [];
    if (isTooDeep(this.#document.contents as Node | null)) return this.#nothing([], 'it is nested too deeply');
    let value: unknown;
    try {
      value = this.#document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      return this.#nothing([], (error as Error).message);
    }
    if (!isFields(value)) return this.#nothing([], 'it must hold a map with "apps"');
    this.#unknownKeys(value, [], ['apps', 'groups', 'defaults', '$schema']);
    const defaults = this.#options(value.defaults ?? {}, ['defaults']);
    const groups = this.#groups(value.groups ?? {});
    const apps = this.#list(value.apps);
    if (apps.length > mostApps) return this.#nothing(['apps'], `${apps.length} apps are more than ${mostApps}`);
    const read = apps.flatMap(({ value: app, path, name }) => this.#app(app, path, { name, defaults, groups }) ?? []);
    this.#twice(read, apps);
    return read;
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
    const before = this.#mistakes.length;
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
    return this.#mistakes.length > before ? null : app;
  }

  #reject(path: Path, text: string): null {
    this.#say(path, text);
    return null;
  }

  /** A text is one word: a command line for the shell, if it has spaces. */
  #words(value: unknown, path: Path): readonly string[] {
    if (value === undefined || value === null) return [];
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
    this.#unknownKeys(value, path, [...optionsTable.map(({ key }) => key), logKey, ...others]);
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
    return options as SpecOptions;
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
    this.#mistakes.push({ line: path === null ? null : this.#lineOf(path), text });
  }

  /** Of the key if it is there, else of what holds it. */
  #lineOf(path: Path): number | null {
    for (let length = path.length; length >= 0; length--) {
      const offset = this.#offsetOf(path.slice(0, length));
      if (offset !== null) return this.#lines.linePos(offset).line;
    }
    return null;
  }

  #offsetOf(path: Path): number | null {
    if (path.length === 0) return (this.#document?.contents as Node | null)?.range?.[0] ?? null;
    const holder = path.length === 1 ? this.#document?.contents : this.#document?.getIn(path.slice(0, -1), true);
    if (!isCollection(holder)) return null;
    const last = path.at(-1)!;
    if (isMap(holder)) {
      const pair = holder.items.find(
        ({ key }) => String((key as { value?: unknown } | null)?.value ?? key) === String(last),
      );
      return (pair?.key as Node | undefined)?.range?.[0] ?? null;
    }
    return ((holder.get(last, true) as Node | undefined)?.range ?? [null])[0];
  }
}

const title = (name: string | undefined, path: Path): string =>
  name === undefined ? `app ${Number(path.at(-1)) + 1}` : quote(name);

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

const deepest = 20;

/** Looked at without recursion: a file may try to be deeper than any stack. */
function isTooDeep(root: Node | null): boolean {
  const open: { readonly node: unknown; readonly depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > deepest) return true;
    if (!isCollection(next.node)) continue;
    for (const item of next.node.items) open.push({ node: isPair(item) ? item.value : item, depth: next.depth + 1 });
  }
  return false;
}

/** nodemon's settings, from a file or from a command line: what may be in them, and which goes before which. */
import { SteadError } from '../protocol/errors.ts';

export interface NodemonConfig {
  readonly watch?: readonly string[] | false;
  readonly ignore?: readonly string[];
  readonly ignoreRoot?: readonly string[];
  readonly ext?: string;
  readonly exec?: string;
  readonly execArgs?: readonly string[];
  readonly execMap?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  readonly script?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly events?: Readonly<Record<string, string>>;
  readonly restartable?: string | false;
  readonly stdin?: boolean;
  readonly delayMs?: number;
  readonly signal?: string;
  readonly runOnChangeOnly?: boolean;
  readonly exitCrash?: boolean;
  readonly legacyWatch?: boolean;
  readonly pollingInterval?: number;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  readonly colours?: boolean;
}

type Key = keyof NodemonConfig;
/** Undefined: it is none of this. */
type Read = (value: unknown) => unknown;

const text: Read = (value) => (typeof value === 'string' ? value : undefined);
const boolean: Read = (value) => (typeof value === 'boolean' ? value : undefined);
const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);
const texts: Read = (value) => {
  const list = Array.isArray(value) ? value : [value];
  return list.every(isScalar) ? list.map(String) : undefined;
};
const record: Read = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value).filter(([, one]) => one !== null && one !== undefined);
  return entries.every(([, one]) => isScalar(one))
    ? Object.fromEntries(entries.map(([name, one]) => [name, String(one)]))
    : undefined;
};
const orFalse =
  (read: Read): Read =>
  (value) =>
    value === false ? false : read(value);
const number: Read = (value) => (Number.isFinite(Number(value)) && isScalar(value) ? Number(value) : undefined);
/** Of several words the first is the command. */
const command: Read = (value) => (Array.isArray(value) ? texts(value) : text(value));
const delay: Read = (value) =>
  typeof value === 'number' ? value : typeof value === 'string' ? delayOfFile(value) : undefined;

/** By the name in a file; what it is called here, what it may be, and that in words. */
const keys: Readonly<Record<string, readonly [key: Key, read: Read, words: string]>> = {
  watch: ['watch', orFalse(texts), 'a list of paths, or false'],
  ignore: ['ignore', texts, 'a list of globs'],
  ignoreRoot: ['ignoreRoot', texts, 'a list of globs'],
  ext: [
    'ext',
    (value) => (Array.isArray(value) ? (texts(value) as string[] | undefined)?.join(',') : text(value)),
    'a list of extensions',
  ],
  exec: ['exec', command, 'a command'],
  execArgs: ['execArgs', texts, 'a list of arguments'],
  execMap: ['execMap', record, 'commands by extension'],
  nodeArgs: ['nodeArgs', texts, 'a list of arguments'],
  script: ['script', text, 'a path'],
  args: ['args', texts, 'a list of arguments'],
  env: ['env', record, 'values by name'],
  events: ['events', record, 'commands by event'],
  restartable: ['restartable', orFalse(text), 'a word, or false'],
  stdin: ['stdin', boolean, 'true or false'],
  delay: ['delayMs', delay, 'milliseconds'],
  signal: ['signal', text, 'the name of a signal'],
  runOnChangeOnly: ['runOnChangeOnly', boolean, 'true or false'],
  exitCrash: ['exitCrash', boolean, 'true or false'],
  exitcrash: ['exitCrash', boolean, 'true or false'],
  legacyWatch: ['legacyWatch', boolean, 'true or false'],
  pollingInterval: ['pollingInterval', number, 'milliseconds'],
  verbose: ['verbose', boolean, 'true or false'],
  quiet: ['quiet', boolean, 'true or false'],
  colours: ['colours', boolean, 'true or false'],
};

/** Takes what is known from a file's content; other keys are passed over. Throws CONFIG_INVALID, naming file and key. */
export function readConfig(content: unknown, file: string): NodemonConfig {
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new SteadError('CONFIG_INVALID', `${file} holds no object`);
  const config: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(content)) {
    const known = Object.hasOwn(keys, name) ? keys[name]! : undefined;
    if (known === undefined || value === null) continue;
    const [key, read, words] = known;
    const taken = read(value);
    if (taken === undefined) throw new SteadError('CONFIG_INVALID', `${file}: "${name}" must be ${words}`);
    Object.assign(config, name === 'exec' && Array.isArray(taken) ? commandOf(taken) : { [key]: taken });
  }
  return config as NodemonConfig;
}

const commandOf = ([exec, ...execArgs]: readonly string[]) => ({ exec, execArgs });

/** nodemon hands what is no number to a timer as it is, which takes `"2500"` for milliseconds; units are ours. */
function delayOfFile(value: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(value.trim());
  return match === null ? undefined : Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}

/** Of the command line: seconds, unless it says otherwise. Undefined where it says nothing that makes sense. */
export function delayOfLine(value: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(ms|s)?$/.exec(value.trim());
  return match === null ? undefined : Math.round(Number(match[1]) * (match[2] === 'ms' ? 1 : 1000));
}

/** The first one goes before the others. Lists replace each other, what is by name is merged; an empty list or text says nothing. */
export function mergeConfigs(configs: readonly NodemonConfig[]): NodemonConfig {
  const merged: Record<string, unknown> = {};
  for (const config of [...configs].reverse()) {
    for (const [key, value] of Object.entries(config)) {
      if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
      merged[key] = isRecord(value) && isRecord(merged[key]) ? { ...merged[key], ...value } : value;
    }
  }
  return merged as NodemonConfig;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

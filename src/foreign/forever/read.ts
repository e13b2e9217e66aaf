/** forever's JSON → apps: one object, or a list of them; comments are allowed, as its own parser allows them. */
import JSON5 from 'json5';
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';
import { Names } from '../draft.ts';
import { Mistakes, mistaken } from '../mistakes.ts';
import type { Foreign, ForeignApp } from '../model.ts';
import { type ForeverContext, foreverApp } from './app.ts';
import { type ForeverOptions, type Key, keys, kinds, typedValue } from './options.ts';

export type ForeverSurroundings = Omit<ForeverContext, 'names'>;

/** Said once of all that forever does otherwise. */
export const foreverNotes: readonly string[] = [
  'forever ends a program by SIGKILL; here it has SIGTERM first, and stop_timeout (10s) to end.',
  'forever restarts at once, for ever; here the first restart is at once, and each further one later, unless it is said.',
];

const instead: Readonly<Record<string, string>> = {
  env: 'env: {NAME: value} sets variables here',
  killTTL: 'stop_timeout',
  fork: 'ready: ipc, stop_message: true',
  usePolling: 'polling begins by itself where a file system tells of no changes',
  hideEnv: 'env -u NAME before the command',
  cwd: 'cwd (workingDir is the key of forever)',
};

/** Options of a command line stand under those of the file. Throws CONFIG_INVALID that lists every mistake. */
export function readForever(
  text: string,
  file: string,
  context: ForeverSurroundings,
  said: Partial<ForeverOptions> = {},
): Foreign {
  const value = parse(text, file);
  const list = Array.isArray(value) ? value : [value];
  const mistakes = new Mistakes(file);
  if (list.length === 0 || list.length > mostApps) mistakes.say(null, `it holds ${list.length} apps`);
  const names = new Names();
  const read = list.slice(0, mostApps).map((each, at) => optionsOf(each, at, mistakes));
  mistakes.check();
  const apps = read.flatMap((one) => {
    if (one === null) return [];
    const app = foreverApp({ ...said, ...one.options }, { ...context, names });
    return [{ ...app, notes: [...app.notes, ...one.unknown.map(sayUnknown)] } satisfies ForeignApp];
  });
  return { apps, notes: foreverNotes };
}

const mostApps = 10_000;

function parse(text: string, file: string): unknown {
  try {
    return JSON5.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    const [, what = (error as Error).message, line] =
      /^JSON5: (.*?)(?: at (\d+):\d+)?$/.exec((error as Error).message) ?? [];
    throw mistaken(file, `no JSON: ${what}`, line === undefined ? null : Number(line));
  }
}

interface Read {
  readonly options: ForeverOptions;
  readonly unknown: readonly string[];
}

function optionsOf(value: unknown, at: number, mistakes: Mistakes): Read | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    mistakes.say(null, `app ${at + 1} must be an object with "script"`);
    return null;
  }
  const entries = Object.entries(value).filter(([, each]) => each !== null);
  const known = entries.filter(([key]) => Object.hasOwn(keys, key));
  const options = Object.fromEntries(
    known.map(([key, each]) => {
      const right = typedValue(key as Key, each);
      if (right === undefined) mistakes.say(null, `app ${at + 1}: "${key}" must be ${kinds[keys[key as Key]]}`);
      return [key, right];
    }),
  );
  if (!options.script) mistakes.say(null, `app ${at + 1} has no "script"`);
  return {
    options: { args: [], ...options } as unknown as ForeverOptions,
    unknown: entries.filter((entry) => !known.includes(entry)).map(([key]) => key),
  };
}

function sayUnknown(key: string): string {
  const near = nearest(key, Object.keys(keys));
  const what = Object.hasOwn(instead, key)
    ? `; here: ${instead[key]}`
    : near === undefined
      ? ''
      : `; ${near} was meant?`;
  return `${quote(key)}: forever takes no such key from a file${what}. Left out.`;
}

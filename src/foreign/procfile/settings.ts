/** What foreman, overmind and honcho are told besides the Procfile: the command line, `.foreman`, `OVERMIND_…` variables. */
import { mistaken } from '../mistakes.ts';
import { readYaml } from '../yaml-text.ts';

export interface Settings {
  readonly tool: 'foreman' | 'overmind';
  /** The PORT of the first process; null: none is set. */
  readonly port: number | null;
  /** From one process to the next. */
  readonly portStep: number;
  /** How many of each by name; `all` is the others. */
  readonly formation: Readonly<Record<string, number>>;
  /** Of those that a formation does not name. */
  readonly others: number;
  /** Seconds; null: not said. */
  readonly timeout: number | null;
  /** By name. */
  readonly signals: Readonly<Record<string, string>>;
  readonly canDie: readonly string[];
  /** Those that are run at all; null: all. */
  readonly only: readonly string[] | null;
  readonly ignored: readonly string[];
  /** Those restarted; null: not said. */
  readonly restarted: readonly string[] | null;
  /** Settings that mean nothing here, by name. */
  readonly leftOut: readonly string[];
}

/** The words of a command line that was given to us. */
export interface Said {
  readonly formation?: string | undefined;
  readonly port?: number | undefined;
}

export interface Sources {
  readonly said: Said;
  /** What `.foreman` says. */
  readonly foreman: Readonly<Record<string, string>>;
  /** `.env` and the shell's environment, the former over the latter. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const meant = ['port', 'formation', 'concurrency', 'timeout', 'env', 'procfile', 'root'];
const ofOvermind = [
  'PORT',
  'PORT_STEP',
  'NO_PORT',
  'FORMATION',
  'TIMEOUT',
  'STOP_SIGNALS',
  'CAN_DIE',
  'ANY_CAN_DIE',
  'PROCESSES',
  'IGNORED_PROCESSES',
  'AUTO_RESTART',
  'PROCFILE',
  'ENV',
  'SKIP_ENV',
].map((name) => `OVERMIND_${name}`);

/** Throws CONFIG_INVALID for a number or a formation that is none. */
export function settingsOf({ said, foreman: file, env }: Sources): Settings {
  const isOvermind = Object.keys(env).some((name) => name.startsWith('OVERMIND_'));
  const formation = said.formation ?? env.OVERMIND_FORMATION ?? file.formation ?? file.concurrency;
  const counts = formation === undefined ? {} : readFormation(formation);
  const { all, ...byName } = counts;
  const number = (text: string | undefined, what: string) => (text === undefined ? undefined : whole(text, what));
  const port =
    said.port ??
    number(env.OVERMIND_PORT, 'OVERMIND_PORT') ??
    number(file.port, '.foreman: port') ??
    number(env.PORT || undefined, 'PORT') ??
    5000;
  return {
    tool: isOvermind ? 'overmind' : 'foreman',
    port: isSet(env.OVERMIND_NO_PORT) ? null : port,
    portStep: number(env.OVERMIND_PORT_STEP, 'OVERMIND_PORT_STEP') ?? 100,
    formation: byName,
    // foreman runs only those that a formation names, overmind one of each of the others.
    others: all ?? (isOvermind || Object.keys(byName).length === 0 ? 1 : 0),
    timeout: number(env.OVERMIND_TIMEOUT ?? file.timeout, 'timeout') ?? null,
    signals: pairs(env.OVERMIND_STOP_SIGNALS),
    canDie: isSet(env.OVERMIND_ANY_CAN_DIE) ? ['all'] : names(env.OVERMIND_CAN_DIE),
    only: env.OVERMIND_PROCESSES === undefined ? null : names(env.OVERMIND_PROCESSES),
    ignored: names(env.OVERMIND_IGNORED_PROCESSES),
    restarted: env.OVERMIND_AUTO_RESTART === undefined ? null : names(env.OVERMIND_AUTO_RESTART),
    leftOut: [
      ...Object.keys(env).filter((name) => name.startsWith('OVERMIND_') && !ofOvermind.includes(name)),
      ...Object.keys(file)
        .filter((key) => !meant.includes(key))
        .map((key) => `.foreman: ${key}`),
    ],
  };
}

const isSet = (value: string | undefined): boolean => value !== undefined && !['', '0', 'false'].includes(value);
const names = (text = ''): string[] => text.split(/[\s,]+/).filter((name) => name !== '');
const pairs = (text = ''): Record<string, string> =>
  Object.fromEntries(names(text).map((pair) => [pair.split('=')[0]!, pair.split('=')[1] ?? '']));

/** `.foreman`: the long options of its command line, as YAML. Throws CONFIG_INVALID. */
export function foremanOptions(text: string, path: string): Readonly<Record<string, string>> {
  const value: unknown = text.trim() === '' ? {} : (readYaml(text, path).value ?? {});
  if (typeof value !== 'object' || Array.isArray(value)) throw mistaken(path, 'it must hold a map of options');
  return Object.fromEntries(Object.entries(value as object).map(([key, each]) => [key, String(each)]));
}

/** `web=2, worker=1`. */
function readFormation(text: string): Record<string, number> {
  const entries = text
    .replace(/\s/g, '')
    .split(',')
    .filter((pair) => pair !== '');
  return Object.fromEntries(
    entries.map((pair) => {
      const [, name, count] = /^([A-Za-z0-9_-]+)=(\d{1,4})$/.exec(pair) ?? [];
      if (name === undefined) throw mistaken('formation', `${JSON.stringify(pair)} is not NAME=COUNT: web=2,worker=1`);
      return [name, Number(count)];
    }),
  );
}

function whole(text: string, what: string): number {
  if (/^\d{1,6}$/.test(text.trim())) return Number(text);
  throw mistaken(what, `${JSON.stringify(text)} is no whole number`);
}

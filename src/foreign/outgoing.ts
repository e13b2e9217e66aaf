/** A spec → what the writers take. Pure: whoever calls looks the program up. */
import type { AppSpec } from '../protocol/spec.ts';
import { looksSecret } from './secret-names.ts';
import type { Outgoing } from './written.ts';

export interface OutgoingOptions {
  /** Where the first word of `argvOf` was found; null: nowhere. */
  readonly executable: string | null;
  readonly idle: string | null;
  /** The whole environment, and not just what was said with `env`. */
  readonly withEnv: boolean;
  /** Values, too, that look secret. */
  readonly withSecrets: boolean;
}

export function outgoing(spec: AppSpec, { executable, idle, withEnv, withSecrets }: OutgoingOptions): Outgoing {
  const [first = '', ...others] = argvOf(spec);
  const all = new Map((withEnv ? spec.env : (spec.options.env ?? [])).map(divided));
  for (const name of Object.keys(spec.secrets)) all.delete(name);
  const withheld = withSecrets ? [] : [...all].flatMap(([name, value]) => (looksSecret(name, value) ? [name] : []));
  const own = new Map(spec.env.map(divided));
  return {
    spec,
    argv: [executable ?? first, ...others],
    env: new Map([...all].filter(([name]) => !withheld.includes(name))),
    withheld,
    path: own.get('PATH') ?? null,
    idle,
  };
}

/** The words that are executed. */
export const argvOf = ({ program: { interpreter, words } }: AppSpec): readonly string[] =>
  interpreter === null ? words : [interpreter.path, ...interpreter.args, ...words];

function divided(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}

/** How long its stop sequence may take, milliseconds. */
export const stopTotalMs = ({ stopSignals, stopTimeoutMs }: AppSpec): number =>
  stopSignals.reduce((sum, { waitMs }) => sum + (waitMs ?? stopTimeoutMs), 0);

const shells = /^(?:sh|bash|dash|ash|ksh|mksh|zsh)$/;

/** A shell stands between whoever ends it and what it started. */
export const isRunByShell = ({ argv }: Outgoing): boolean => shells.test(baseName(argv[0] ?? ''));

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const isNode = ({ argv }: Outgoing): boolean => /^node(?:js)?$/.test(baseName(argv[0] ?? ''));

/** The number of `increment_var` in the first instance; null without one. */
export function baseOf({ spec }: Outgoing): number | null {
  const { incrementVar } = spec.share;
  const value = spec.env.find((entry) => entry.startsWith(`${incrementVar}=`))?.slice(incrementVar!.length + 1);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

/**
 * Files of NAME=value lines, of which every tool has a reading of its own. Where ours gives the same values the file itself is named (`env_file`), so that its
 * secrets are not copied and its changes count; else the values are.
 */
import { parseEnv } from 'node:util';
import { quote } from '../config/values.ts';
import { pathFrom } from './context.ts';
import type { Draft } from './draft.ts';

export interface EnvFile {
  readonly path: string;
  /** Null: it can't be read now, and is named in any case. */
  readonly text: string | null;
  /** As the other tool reads it. */
  readonly values: Readonly<Record<string, string>>;
}

export interface Placed {
  /** For `env_file`. */
  readonly envFiles: readonly string[];
  /** For `env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** Later files over earlier ones. What comes after a file that must be copied is copied, too: `env` goes over every `env_file`. */
export function placeEnvFiles(files: readonly EnvFile[], base: string): Placed {
  const differing = files.findIndex(
    ({ text, values }) => text !== null && !isSame(parseEnv(text) as Record<string, string>, values),
  );
  const copied = differing < 0 ? [] : files.slice(differing);
  const named = differing < 0 ? files : files.slice(0, differing);
  return {
    envFiles: named
      .filter(({ text, values }) => text === null || Object.keys(values).length > 0)
      .map(({ path }) => pathFrom(base, path)),
    env: Object.assign({}, ...copied.map(({ values }) => values)) as Record<string, string>,
    notes: copied.map(
      ({ path }) => `The values of ${quote(path)} are copied, as an env_file would be read in another way.`,
    ),
  };
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}

/** Sets `env`, without what can't be a variable. */
export function putEnv(draft: Draft, env: Readonly<Record<string, string>>): void {
  const entries = Object.entries(env).filter(([name]) => {
    const isRight = name !== '' && !name.includes('=');
    if (!isRight) draft.note(`${quote(name)} can't be the name of a variable: left out.`);
    return isRight;
  });
  if (entries.length > 0) draft.put('env', Object.fromEntries(entries));
}

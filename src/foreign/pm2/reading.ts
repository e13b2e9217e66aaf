/** What the parts of the reader share: the app that is read, where it is read, and what they find out about it. */
import type { Values } from './fields.ts';

/** Where an ecosystem file is read: the reader looks at nothing else. */
export interface EcosystemContext {
  /** The file's absolute path. */
  readonly file: string;
  /** Where the command was given: what pm2 takes paths from. */
  readonly cwd: string;
  /** Of the command. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of apps; null: all of them. */
  readonly only: readonly string[] | null;
  /** As `--env` has it: `production`; null: none. */
  readonly profile: string | null;
  /** What lies at an absolute path: `script` is a text that can be executed, and says by `#!` that something else than node runs it. Null: nothing. */
  lookAt(path: string): FileKind | null;
  /** The absolute path of a command in PATH; null: there is none. */
  find(command: string): string | null;
}

export type FileKind = 'text' | 'script' | 'binary' | 'directory' | 'other';

/** One app as it is written, its fields sorted. */
export interface AppReading {
  readonly name: string;
  /** Absolute. */
  readonly cwd: string;
  readonly values: Values;
  readonly environments: ReadonlyMap<string, unknown>;
  readonly context: EcosystemContext;
}

/** What one part of the reader makes of an app. */
export interface Part {
  /** Keys of a stanza. */
  readonly stanza?: Readonly<Record<string, unknown>>;
  readonly notes?: readonly string[];
  /** What can't be read at all: the file is refused with them. */
  readonly mistakes?: readonly string[];
  /** Ours is taken where nothing is said: said once for the whole file. */
  readonly defaults?: readonly string[];
}

export const joinParts = (parts: readonly Part[]): Required<Part> => ({
  stanza: Object.assign({}, ...parts.map(({ stanza }) => stanza)),
  notes: parts.flatMap(({ notes = [] }) => notes),
  mistakes: parts.flatMap(({ mistakes = [] }) => mistakes),
  defaults: parts.flatMap(({ defaults = [] }) => defaults),
});

/** The value of a field that is of this type; undefined: it isn't said. */
export const text = (values: Values, key: string): string | undefined => {
  const value = values[key];
  return value === undefined ? undefined : String(value);
};
export const number = (values: Values, key: string): number | undefined =>
  typeof values[key] === 'number' ? (values[key] as number) : undefined;
export const isOn = (values: Values, key: string): boolean => values[key] === true;

/** A list of texts: one that is a single text, too. */
export function texts(values: Values, key: string): readonly string[] | undefined {
  const value = values[key];
  if (value === undefined) return undefined;
  return (Array.isArray(value) ? value : [value]).map((item) =>
    typeof item === 'string' ? item : JSON.stringify(item),
  );
}

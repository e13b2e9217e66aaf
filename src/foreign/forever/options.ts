/** What forever is told of a script, from its JSON or from its command line; the names are those of its JSON. */

/** By the key of a JSON file: what its value is. */
export const keys = {
  script: 'text',
  args: 'texts',
  uid: 'text',
  id: 'text',
  append: 'flag',
  watch: 'flag',
  minUptime: 'number',
  silent: 'flag',
  logFile: 'text',
  outFile: 'text',
  errFile: 'text',
  pidFile: 'text',
  max: 'number',
  command: 'text',
  path: 'text',
  spinSleepTime: 'number',
  sourceDir: 'text',
  workingDir: 'text',
  watchDirectory: 'texts',
  watchIgnore: 'texts',
  killTree: 'flag',
  killSignal: 'text',
} as const;

export type Key = keyof typeof keys;

export interface ForeverOptions {
  readonly script: string;
  readonly args: readonly string[];
  readonly uid?: string;
  readonly id?: string;
  readonly append?: boolean;
  readonly watch?: boolean;
  /** Milliseconds. */
  readonly minUptime?: number;
  readonly silent?: boolean;
  readonly logFile?: string;
  readonly outFile?: string;
  readonly errFile?: string;
  readonly pidFile?: string;
  readonly max?: number;
  readonly command?: string;
  readonly path?: string;
  readonly spinSleepTime?: number;
  readonly sourceDir?: string;
  readonly workingDir?: string;
  readonly watchDirectory?: readonly string[];
  readonly watchIgnore?: readonly string[];
  readonly killTree?: boolean;
  readonly killSignal?: string;
}

/** Undefined: it is none of that kind. */
export function typedValue(key: Key, value: unknown): unknown {
  const isScalar = typeof value !== 'object' || value === null;
  switch (keys[key]) {
    case 'text':
      return isScalar ? String(value) : undefined;
    case 'texts': {
      const list = Array.isArray(value) ? value : [value];
      return list.every((item) => typeof item !== 'object') ? list.map(String) : undefined;
    }
    case 'number':
      return isScalar && value !== '' && Number.isFinite(Number(value)) && Number(value) >= 0
        ? Number(value)
        : undefined;
    case 'flag':
      return typeof value === 'boolean'
        ? value
        : ['true', 'false'].includes(String(value))
          ? value === 'true'
          : undefined;
  }
}

/** In words, for a mistake. */
export const kinds = { text: 'a text', texts: 'a list of texts', number: 'a number', flag: 'true or false' } as const;

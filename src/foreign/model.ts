/** What the files of other tools are read into, and what theirs are written from: apps as a config file of stead has them. */

/**
 * An app as it stands under `apps` of stead.config.yaml: the keys of the options table (docs/options.md), `script` or `command`, `args`, `job`. Values are what a
 * person writes: `stop_timeout: '1600ms'`, `env: {PORT: '80'}`. It is checked where every config file is (config/file/read-config.ts).
 */
export type Stanza = Readonly<Record<string, unknown>>;

export interface ForeignApp {
  readonly stanza: Stanza;
  /** What has no equal, or means something else here, and what to do about it: a sentence each, which becomes a comment above the app. */
  readonly notes: readonly string[];
}

export interface Foreign {
  readonly apps: readonly ForeignApp[];
  /** Of the file as a whole. */
  readonly notes: readonly string[];
}

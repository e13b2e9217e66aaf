/** One command of the command line: one file, one record. */
import type { Flag, FlagsToCome, ParsedLine } from '../config/parse.ts';
import type { ErrorBody } from '../protocol/errors.ts';
import type { VerbName } from './verbs.ts';

export interface Command {
  readonly name: VerbName;
  /** One line per form, without `stead`: `start <script> [-- args]`. */
  readonly usage: readonly string[];
  /** Paragraphs of help between usage and options. */
  readonly about: readonly string[];
  readonly examples: readonly (readonly [line: string, text: string])[];
  /** Beside `--help` and `--json`. */
  flags(): readonly Flag[];
  /** False where there is nothing to print as JSON. */
  readonly hasJson?: boolean;
  /** What comes after `--` is something else than words. */
  readonly takesRest?: boolean;
  /** All from the first word on belongs to the program. */
  readonly stopAtWord?: boolean;
  /** `-1` is a word of it. */
  readonly takesNumbers?: boolean;
  /** What to do about an unknown flag that is near to none. */
  readonly strayHint?: string;
  /** Flags that people know from elsewhere, and that are not there yet. */
  readonly flagsToCome?: FlagsToCome;
  /** Reads the line in its own way; `common` are the flags that all commands have. */
  parse?(argv: readonly string[], common: readonly Flag[]): ParsedLine;
  /** The exit code for a failure, where it isn't the catalogue's. */
  exitOf?(error: ErrorBody): number | null;
  /** Does it and says so; resolves with the exit code. */
  run(call: Call): Promise<number>;
}

export interface Call extends ParsedLine {
  /** `stead`'s home, absolute. */
  readonly home: string;
  readonly json: boolean;
  /** False for `stead` without a verb. */
  readonly isVerbGiven: boolean;
}

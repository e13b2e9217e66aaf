import type { Program } from '../protocol/spec.ts';

export type Interpreter = NonNullable<Program['interpreter']>;

/** What was chosen to run a script. */
export interface Chosen {
  /** Null: the script is executed itself. */
  readonly interpreter: Interpreter | null;
  /** What was decided for the user. */
  readonly notes: readonly string[];
}

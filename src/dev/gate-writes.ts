/**
 * Files that the gate writes itself, into what is watched: each would be a reason to run it again, for ever. What changes while a gate runs is its own or somebody else's,
 * and the kernel doesn't tell. A file that changes in one gate after the other may be a person's work all the same, who saves while it builds: so the next gates come after a pause, as a
 * trial. What changes in those as well, though nobody has saved anything before them, the gate writes itself. From then on a change of it is none while a gate runs; until one passes by
 * without it. A change at another time counts in any case. So no save is lost: what is put off is built after the pause.
 */
import type { Change } from './step.ts';

/** After so many gates in a row the next one is put off … */
export const doubtfulGates = 3;
/** … and after so many the file is the gate's own. */
export const mostGates = 5;
/** The end of a gate may be known before the last of what it wrote. */
const slackMs = 100;

export interface GateTimes {
  /** How many have begun. */
  readonly runs: number;
  /** When the last one began and ended, in milliseconds since the epoch; NaN where it hasn't. */
  readonly began: number;
  readonly over: number;
}

export interface Verdict {
  /** As in own-writes.ts. */
  readonly isLeftOut: boolean;
  /** It counts, but not at once. */
  readonly isPutOff: boolean;
  readonly fresh: readonly string[];
}

export class GateWrites {
  /** Of each file, in how many gates in a row it has changed. */
  #inRow: ReadonlyMap<string, number> = new Map();
  readonly #told = new Set<string>();
  /** The number of the last gate in which something has changed, and what it was. */
  #run = 0;
  #changed = new Set<string>();

  /** `at`: when it began, in milliseconds since the epoch. */
  judge({ paths }: Change, at: number, { runs, began, over }: GateTimes): Verdict {
    // Neither is true before the first one.
    const isDuring = at >= began && !(at > over + slackMs);
    if (!isDuring) return { isLeftOut: false, isPutOff: false, fresh: [] };
    if (runs !== this.#run) this.#next(runs);
    for (const path of paths) this.#changed.add(path);
    const isLeftOut = paths.every((path) => this.#countOf(path) >= mostGates);
    const fresh = isLeftOut ? paths.filter((path) => !this.#told.has(path)) : [];
    for (const path of fresh) this.#told.add(path);
    const isPutOff = !isLeftOut && paths.every((path) => this.#countOf(path) >= doubtfulGates);
    return { isLeftOut, isPutOff, fresh };
  }

  #countOf(path: string): number {
    return (this.#inRow.get(path) ?? 0) + 1;
  }

  #next(run: number): void {
    const isNext = run === this.#run + 1;
    this.#inRow = new Map(isNext ? [...this.#changed].map((path) => [path, this.#countOf(path)]) : []);
    this.#changed = new Set();
    this.#run = run;
  }
}

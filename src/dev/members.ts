/** The processes of one run, found again and again. */
import { isAlive, isDead, type ProcessId, processStat } from '../host/process.ts';
import { readProcTable } from '../metrics/proc-table.ts';
import { findTree } from '../metrics/tree.ts';

export interface MembersOptions {
  /** The program itself, or the eldest of what it has left. */
  readonly main: ProcessId;
  /** The value of STEAD_RUN_ID that this run alone has. */
  readonly cookie: string;
}

export class Members {
  readonly #options: MembersOptions;
  /** As they were when last looked for: a child keeps belonging to a run when its parents are gone. */
  #seen: ReadonlyMap<number, ProcessId> = new Map();

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** Those that are alive, the program first. */
  find(): ProcessId[] {
    const { main } = this.#options;
    const seen = new Map(this.#seen);
    for (const pid of findTree(readProcTable(), this.#options)) {
      const stat = processStat(pid);
      if (stat !== null && !isDead(stat)) seen.set(pid, { pid, startTicks: stat.startTicks });
    }
    const alive = [...seen.values()]
      .filter(isAlive)
      .sort((a, b) => Number(b.pid === main.pid) - Number(a.pid === main.pid));
    this.#seen = new Map(alive.map((id) => [id.pid, id]));
    return alive;
  }
}

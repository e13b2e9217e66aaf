/** What a `stead dev` has left that was killed: ended before the same program is started again, as it has its ports. */
import { type ProcessId, processStat } from '../host/process.ts';
import { readProcTable } from '../metrics/proc-table.ts';
import { cookieOf } from '../metrics/tree.ts';
import { describe, type Endable, Ending } from './ending.ts';
import { Members } from './members.ts';
import { type DevRecord, recordsOfDead, removeRecord } from './record.ts';
import type { Settings } from './settings.ts';
import type { Teller } from './words.ts';

export interface LeftoversOptions {
  readonly home: string;
  /** Of directory and program, as in `DevRecord`. */
  readonly key: string;
  readonly settings: Pick<Settings, 'signal' | 'stopTimeoutMs'>;
  readonly teller: Teller;
}

/** Resolves when nothing of it is left. */
export async function endLeftovers({ home, key, settings, teller }: LeftoversOptions): Promise<void> {
  const records = recordsOfDead(home);
  if (records.length === 0) return;
  const cookies = cookiesThere();
  for (const record of records) {
    const left = leftOf(record, cookies);
    if (left !== null && record.key !== key) continue;
    if (left !== null) await end(left, { settings, teller });
    removeRecord(record.path);
  }
}

/** By the STEAD_RUN_ID of processes, the eldest process that has it. This one, and whatever it runs in, are not asked. */
function cookiesThere(): ReadonlyMap<string, ProcessId> {
  const above = new Set<number>();
  for (let pid = process.pid; pid > 0 && !above.has(pid); pid = processStat(pid)?.ppid ?? 0) above.add(pid);
  const found = new Map<string, ProcessId>();
  for (const { pid, startTicks } of readProcTable().values()) {
    const cookie = above.has(pid) ? null : cookieOf(pid);
    if (cookie === null || (found.get(cookie)?.startTicks ?? Number.POSITIVE_INFINITY) <= startTicks) continue;
    found.set(cookie, { pid, startTicks });
  }
  return found;
}

function leftOf({ id }: DevRecord, cookies: ReadonlyMap<string, ProcessId>): Leftover | null {
  const runs = [...cookies].filter(([cookie]) => cookie.startsWith(`${id}.`));
  const left = new Leftover(runs.map(([cookie, main]) => new Members({ main, cookie })));
  return left.members().length === 0 ? null : left;
}

/** Nobody is told when one of it ends: its parent is gone. So all of it is as what an ended program has left. */
class Leftover implements Endable {
  readonly exit = {};
  readonly main = null;
  readonly #runs: readonly Members[];

  constructor(runs: readonly Members[]) {
    this.#runs = runs;
  }

  members(): ProcessId[] {
    return this.#runs.flatMap((run) => run.find()).filter(({ pid }) => pid !== process.pid);
  }

  isGone(): boolean {
    return this.members().length === 0 && this.members().length === 0;
  }

  whenExited(): void {}
}

function end(run: Leftover, { settings, teller }: Pick<LeftoversOptions, 'settings' | 'teller'>): Promise<void> {
  teller.warn(`the last stead dev of this program was killed; ended is what it has left: ${describe(run.members())}`);
  const { signal, stopTimeoutMs: timeoutMs } = settings;
  return new Promise((onGone) => {
    new Ending({ run, signal, isTold: false, timeoutMs, onGone, say: teller.warn, detail: teller.detail });
  });
}

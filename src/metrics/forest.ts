import { readdirSync, readFileSync } from 'node:fs';
import { isDead } from '../host/process.ts';
import type { ProcEntry, ProcTable } from './proc-table.ts';

/** Whose child is whose, and who shares a session, of one look at /proc: made once for a whole list of apps. */
export class Forest {
  readonly #children = new Map<number, ProcEntry[]>();
  readonly #sessions = new Map<number, ProcEntry[]>();

  constructor(table: ProcTable) {
    for (const entry of table.values()) {
      add(this.#children, entry.ppid, entry);
      if (entry.session > 1) add(this.#sessions, entry.session, entry);
    }
  }

  /** A program that leads a session, all that descends from it and all in its session, the dead left out. */
  treeOf(pid: number): number[] {
    const found = new Set<number>([pid]);
    const add = (entry: ProcEntry) => !isDead(entry) && found.add(entry.pid);
    this.#sessions.get(pid)?.forEach(add);
    for (const member of found) this.#children.get(member)?.forEach(add);
    return [...found];
  }
}

function add(map: Map<number, ProcEntry[]>, key: number, entry: ProcEntry): void {
  const list = map.get(key);
  if (list) list.push(entry);
  else map.set(key, [entry]);
}

/** A process and its descendants by the kernel's list of children, without a look at any other process. */
export function descendants(pid: number): number[] {
  const found = [pid];
  for (const member of found) found.push(...childrenOf(member));
  return found;
}

function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

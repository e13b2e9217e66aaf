/** What trees use and listen on, for a whole list from one look at /proc: no environments are read for it. */
import { cgroupPids } from '../host/cgroup.ts';
import type { ProcessId } from '../host/process.ts';
import { type CpuMeter, uptimeMs } from '../metrics/cpu.ts';
import { Forest } from '../metrics/forest.ts';
import { pageSize, rssOf } from '../metrics/memory.ts';
import { type ProcTable, readProcesses, readProcTable } from '../metrics/proc-table.ts';
import { type ListeningSocket, shortAddress, socketsOf } from '../metrics/sockets.ts';

export interface Usage {
  /** RSS of the tree in bytes. */
  readonly memory: number;
  /** Percent of one core. */
  readonly cpu: number;
  readonly ports: readonly string[];
  readonly sockets: readonly ListeningSocket[];
}

/** One running tree. */
export interface TreeToLookAt {
  /** Names the run, for the CPU meter. */
  readonly key: string;
  readonly program: ProcessId;
  readonly cgroup: string | null;
}

/** The usage of each tree by its key; none for one whose program is gone. */
export function lookAtTrees(trees: readonly TreeToLookAt[], cpu: CpuMeter): ReadonlyMap<string, Usage> {
  const usages = new Map<string, Usage>();
  if (trees.length === 0) return usages;
  const byCgroup = trees.map(({ cgroup }) => (cgroup === null ? [] : (cgroupPids(cgroup) ?? [])));
  // Where every tree is known by its cgroup, no other process needs to be looked at.
  const table = byCgroup.every((pids) => pids.length > 0) ? tableOf(byCgroup.flat()) : readProcTable();
  const forest = new Forest(table);
  const page = pageSize();
  const nowMs = uptimeMs();
  const members = trees.map(({ program }, at) =>
    byCgroup[at]!.length > 0 ? byCgroup[at]! : forest.treeOf(program.pid),
  );
  const owner = new Map(members.flatMap((pids, at) => pids.map((pid) => [pid, at] as const)));
  const sockets: ListeningSocket[][] = trees.map(() => []);
  for (const socket of socketsOf(members.flat())) sockets[owner.get(socket.pid)!]!.push(socket);
  for (const [at, { key, program }] of trees.entries()) {
    const pids = members[at]!;
    usages.set(key, {
      memory: rssOf(table, pids, page),
      cpu: cpu.measure(key, { table, pids, startTicks: program.startTicks, nowMs }),
      ports: [...new Set(sockets[at]!.map(({ address }) => shortAddress(address)))],
      sockets: sockets[at]!,
    });
  }
  return usages;
}

function tableOf(pids: readonly number[]): ProcTable {
  return new Map(readProcesses(pids).map((entry) => [entry.pid, entry]));
}

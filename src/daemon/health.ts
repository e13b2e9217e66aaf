/**
 * Looks after a program that runs: its liveness check, and its memory where the kernel does not hold the limit. A timer is there only for apps that ask
 * for it.
 */

import { processStat } from '../host/process.ts';
import { sizeInWords } from '../lifecycle/words.ts';
import { rssOf } from '../metrics/memory.ts';
import { readProcess } from '../metrics/proc-table.ts';
import type { Check } from '../protocol/spec.ts';
import type { Instance } from './instance.ts';
import { probe } from './probe.ts';
import type { Watching } from './readiness.ts';

const memoryLookMs = 5000;
/** Soon after the start, too: what is far too big is so at once. */
const firstMemoryLookMs = 1000;

/** One for all apps that ask for no check. */
const nothing: Watching = { close() {} };

/** Calls `unwell` at most once, with the reason. */
export function watchHealth(instance: Instance, unwell: (reason: string) => void): Watching {
  let isOver = false;
  const say = (reason: string) => {
    if (isOver) return;
    isOver = true;
    close();
    unwell(reason);
  };
  const watches = [watchLiveness(instance, say), watchMemory(instance, say)];
  if (watches.every((each) => each === null)) return nothing;
  const close = () => {
    for (const each of watches) each?.close();
  };
  return {
    close() {
      isOver = true;
      close();
    },
  };
}

function watchLiveness(instance: Instance, unwell: (reason: string) => void): Watching | null {
  const { alive, aliveIntervalMs, aliveTimeoutMs, aliveFailures } = instance.app.spec;
  if (alive === null || alive.kind === 'watchdog') return null;
  let failures = 0;
  return every(aliveIntervalMs, aliveIntervalMs, async () => {
    const finding = await probe(instance.app, alive satisfies Check, aliveTimeoutMs);
    failures = finding === null ? 0 : failures + 1;
    if (finding !== null && failures >= aliveFailures)
      unwell(`not alive: ${finding}${failures > 1 ? `, ${failures} times in a row` : ''}`);
  });
}

function watchMemory(instance: Instance, unwell: (reason: string) => void): Watching | null {
  const { maxMemory } = instance.app.spec;
  if (maxMemory === null || (instance.app.daemon.enforcement.controllers.has('memory') && isCounted(instance)))
    return null;
  return every(firstMemoryLookMs, memoryLookMs, async () => {
    const used = treeMemory(instance);
    if (used > maxMemory) unwell(`memory: ${sizeInWords(used)} of ${sizeInWords(maxMemory)} (max_memory)`);
  });
}

/** Whether the kernel counts all that a run has for its limit: not what it had before the daemon was started anew under an older systemd. */
function isCounted({ app, program }: Instance): boolean {
  if (!app.daemon.manager.isReleased || program === null) return true;
  return program.startTicks > (processStat(process.pid)?.startTicks ?? 0);
}

/** RSS of the whole tree in bytes. */
function treeMemory(instance: Instance): number {
  const entries = instance.tree.members().flatMap(({ pid }) => readProcess(pid) ?? []);
  return rssOf(
    new Map(entries.map((entry) => [entry.pid, entry])),
    entries.map(({ pid }) => pid),
  );
}

/** One after the other, never two at a time. */
function every(firstMs: number, ms: number, look: () => Promise<void>): Watching {
  let isClosed = false;
  let timer: NodeJS.Timeout;
  const again = (wait: number) => {
    timer = setTimeout(async () => {
      await look();
      if (!isClosed) again(ms);
    }, wait);
  };
  again(firstMs);
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

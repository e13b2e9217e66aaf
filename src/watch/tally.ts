/**
 * Notices that the kernel's queue of events may have run over. Node doesn't tell (IN_Q_OVERFLOW is lost in libuv), but all of a queue is read in one turn of
 * the loop, and one that ran over was full: so many events in a turn that events may be missing, of any directory that this process watches.
 */
import { readFileSync } from 'node:fs';

/** The queue also holds what other watches of this process are told. */
const share = 0.5;
const usualQueue = 16_384;

interface Tally {
  readonly listeners: Set<() => void>;
  count: number;
  most: number;
}

/** One for the process, as its watches share one queue. */
const tally: Tally = { listeners: new Set(), count: 0, most: 0 };

/** Calls `onOverflow` when events may have been lost, until what it gives is called. */
export function onOverflow(listener: () => void): () => void {
  tally.listeners.add(listener);
  return () => {
    tally.listeners.delete(listener);
  };
}

/** To be called at each event. */
export function countEvent(): void {
  tally.count += 1;
  if (tally.count === 1) {
    tally.most ||= queueLength() * share;
    setImmediate(() => {
      tally.count = 0;
    });
  }
  if (tally.count === Math.ceil(tally.most)) for (const listener of tally.listeners) listener();
}

function queueLength(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || usualQueue;
  } catch {
    return usualQueue;
  }
}

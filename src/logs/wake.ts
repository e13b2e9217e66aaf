/** Waits for something to happen to a file, with one watch that ends at its first event. */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../host/files.ts';

/** Where no watch can be had (inotify's limits): a person who reads along hardly notices a quarter of a second. */
const pollMs = 250;

export interface Wake {
  /** Resolves at the first event, or when closed. */
  readonly happened: Promise<void>;
  close(): void;
}

/** Watches a file, or the nearest directory above it that exists; from when this returns on, no event is missed. */
export function wakeOn(path: string): Wake {
  let settle = () => {};
  const happened = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const watcher = watchNearest(path, settle);
  const timer = watcher === null ? setTimeout(settle, pollMs) : undefined;
  return {
    happened,
    close() {
      clearTimeout(timer);
      watcher?.close();
      settle();
    },
  };
}

function watchNearest(path: string, listener: () => void): FSWatcher | null {
  for (let at = path; ; at = dirname(at)) {
    try {
      const watcher = watch(at, { persistent: true }, () => {
        watcher.close();
        listener();
      });
      watcher.on('error', () => {
        watcher.close();
        listener();
      });
      return watcher;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || at === dirname(at)) return null;
    }
  }
}

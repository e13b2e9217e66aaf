import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, processesMarked } from './proc.ts';
import { waitFor } from './wait.ts';

/** What `node:test` hands to a test, or a suite's `{ after }` from `node:test` itself. */
export interface Cleanup {
  after(fn: () => void | Promise<void>): void;
}

/**
 * A private directory of this test. At its end every process that has the directory's path in its arguments or environment is killed (only
 * what this test started knows the path) and the directory is removed. `first` is run before that: hooks of node:test run in the order in which
 * they were registered, so a hook of its own would come too late.
 */
export function temporaryDirectory(
  cleanup: Cleanup,
  name = 'test',
  first: () => Promise<unknown> = async () => {},
): string {
  const path = mkdtempSync(join(tmpdir(), `stead-${name}-`));
  cleanup.after(async () => {
    await first();
    await endMarked(path);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  });
  return path;
}

/** SIGKILL for all that is marked, until nothing of it is left. */
export async function endMarked(mark: string): Promise<void> {
  await waitFor(`the end of what knows ${mark}`, () => {
    const pids = processesMarked(mark);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    return pids.every((pid) => !isRunning(pid));
  });
}

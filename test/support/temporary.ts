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
 * what this test started knows the path) and the directory is removed.
 */
export function temporaryDirectory(cleanup: Cleanup, name = 'test'): string {
  const path = makeDirectory(name);
  cleanup.after(async () => {
    await endMarked([path]);
    removeDirectory(path);
  });
  return path;
}

/** The same for a caller that cleans up by itself. */
export function makeDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `stead-${name}-`));
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}

/** SIGKILL for all that has one of these texts in its arguments or environment, until nothing of it is left. */
export async function endMarked(marks: readonly string[]): Promise<void> {
  await waitFor(`the end of what knows ${marks}`, () => {
    const pids = marks.flatMap(processesMarked);
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

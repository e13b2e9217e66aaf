/** What a long-lived process has no use for any more, back to the system. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { native } from './native.ts';

/**
 * After much was let go: Node collects it only when it needs more, and the C library keeps the pages. Takes some 25 ms of the event loop for 100 MB, the rest is
 * done by another thread.
 */
export async function giveBackMemory(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  // What buffers had is freed in the background.
  await new Promise((resolve) => setTimeout(resolve, freedMs).unref());
  await trim();
}

const freedMs = 500;

/** glibc's; other C libraries have none. */
function trim(): Promise<void> {
  return new Promise((resolve) => {
    try {
      native()
        .koffi.load(null)
        .func('malloc_trim', 'int', ['ulong'])
        .async(0, () => resolve());
    } catch {
      resolve();
    }
  });
}

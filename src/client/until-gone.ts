import { existsSync } from 'node:fs';
import { wakeOn } from '../logs/wake.ts';
import { appDirectory } from '../storage/layout.ts';

/** Resolves once an app is not known any more, with or without a daemon; or once aborted. */
export async function untilGone(home: string, name: string, signal?: AbortSignal): Promise<void> {
  const directory = appDirectory(home, name);
  while (signal?.aborted !== true) {
    // Armed before the look: what happens in between wakes it.
    const wake = wakeOn(directory);
    if (!existsSync(directory)) return wake.close();
    signal?.addEventListener('abort', wake.close);
    await wake.happened;
    signal?.removeEventListener('abort', wake.close);
  }
}

import type { AppView } from '../protocol/api.ts';
import { assertDirectory } from './assert-directory.ts';
import { request } from './http.ts';
import { isDaemonDown } from './unreachable.ts';

/** All apps: as the daemon tells or, where none runs, as they are on disk. */
export async function readAppsAnyhow(home: string, signal?: AbortSignal): Promise<readonly AppView[]> {
  try {
    return await request(home, 'list', { signal });
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
  }
  assertDirectory(home);
  const { listFromDisk } = await import('./offline.ts');
  return listFromDisk(home);
}

/** What commands that only read share: they never start a daemon, but show what is on disk, and say so. */
import { assertDirectory } from '../client/assert-directory.ts';
import { request } from '../client/http.ts';
import { isDaemonDown } from '../client/unreachable.ts';
import type { AppView } from '../protocol/api.ts';
import { say } from './output.ts';

export { assertDirectory };

/** All apps: as the daemon tells, or from disk. */
export async function readApps(home: string): Promise<readonly AppView[]> {
  const views = await fromDaemonOrDisk(home, request(home, 'list'), async () => {
    const { listFromDisk } = await import('../client/offline.ts');
    return listFromDisk(home);
  });
  return asKept(views);
}

/** What systemd keeps is as systemd tells. */
export async function asKept<View extends AppView>(views: readonly View[]): Promise<readonly View[]> {
  if (!views.some(({ keeper }) => keeper)) return views;
  const { withKept } = await import('../client/kept/look.ts');
  return withKept(views);
}

/** The daemon's answer, or what the files tell if none runs. */
export async function fromDaemonOrDisk<T>(
  home: string,
  answer: Promise<T>,
  fromDisk: () => T | Promise<T>,
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    assertDirectory(home);
    const found = await fromDisk();
    say('The daemon is not running; this is what is on disk.');
    return found;
  }
}

/** What commands that only read share: they never start a daemon, but show what is on disk, and say so. */
import { statSync } from 'node:fs';
import { request } from '../client/http.ts';
import { isDaemonDown } from '../client/unreachable.ts';
import type { AppView } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import { say } from './output.ts';

/** All apps: as the daemon tells, or from disk. */
export async function readApps(home: string): Promise<readonly AppView[]> {
  return fromDaemonOrDisk(home, request(home, 'list'), async () => {
    const { listFromDisk } = await import('../client/offline.ts');
    return listFromDisk(home);
  });
}

/** A home that isn't there has no apps; one that can be none must not be taken for it. Throws HOME_UNUSABLE. */
export function assertDirectory(home: string): void {
  if (!isOtherThanDirectory(home)) return;
  throw new SteadError('HOME_UNUSABLE', `The home "${home}" is not a directory`, {
    hint: 'move it away, or set STEAD_HOME to a directory',
  });
}

function isOtherThanDirectory(home: string): boolean {
  try {
    return statSync(home, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR';
  }
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

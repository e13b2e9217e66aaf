/** Where things lie in a home. */
import { join } from 'node:path';

/** An app's directory name: its name, with the `/` of a project's app as `~`, which no name may hold. */
export const directoryName = (name: string): string => name.replace('/', '~');
export const nameOfDirectory = (directory: string): string => directory.replace('~', '/');

export const appsDirectory = (home: string): string => join(home, 'apps');
export const appDirectory = (home: string, name: string): string => join(home, 'apps', directoryName(name));
/** Where programs of other users reach what is theirs: they can't enter the home. */
export const sharedDirectory = (homeId: string): string => join('/run', `stead-${homeId}`);
export const runsDirectory = (home: string, name: string, index: number): string =>
  join(appDirectory(home, name), String(index), 'runs');
export const runDirectory = (home: string, name: string, index: number, run: number): string =>
  join(runsDirectory(home, name, index), String(run));

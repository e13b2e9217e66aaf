import { join } from 'node:path';
import { readIfThere } from '../../host/files.ts';
import { appDirectory } from '../../storage/layout.ts';

/** Whether systemd keeps it: without a look at anything but its file. */
export const isKept = (home: string, name: string): boolean =>
  readIfThere(join(appDirectory(home, name), 'state.json'))?.includes('"keeper"') === true;

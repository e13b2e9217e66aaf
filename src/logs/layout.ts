/** Where logs lie: `<home>/logs/<name>/<index>.out.log` and `<index>.err.log`, whatever their program. */
import { join } from 'node:path';

export interface LogFiles {
  readonly out: string;
  readonly err: string;
}

/** The directory of an app's logs. `name` is a checked name: it is the file name. */
export function logDirectory(home: string, name: string): string {
  return join(home, 'logs', name);
}

/** The two log files of one instance. */
export function logFiles(home: string, name: string, index: number): LogFiles {
  const directory = logDirectory(home, name);
  return { out: join(directory, `${index}.out.log`), err: join(directory, `${index}.err.log`) };
}

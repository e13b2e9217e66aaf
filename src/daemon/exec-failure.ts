import { linesFrom } from '../logs/excerpt.ts';
import type { StartedApp } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Instance } from './instance.ts';
import { logPlacesOf } from './log-places.ts';

/**
 * Whether a run ended as it could not be executed after all (a file system without exec, a broken binary): setsid(1) or what stands before the program says
 * so on its stderr and ends with 126 or 127. Null for a program that ended by itself.
 */
export function execFailure(instance: Instance, early: NonNullable<StartedApp['early']>): SteadError | null {
  const { code } = early.exit;
  if (code !== 126 && code !== 127) return null;
  const { err } = logPlacesOf(instance);
  const [line] = linesFrom(err, instance.endedLogStart.err, 1);
  const said = /^(?:setsid|env|nice|prlimit|setpriv|\/usr\/bin\/env): (?:failed to execute )?(.*)$/.exec(line ?? '');
  if (!said) return null;
  return new SteadError(code === 127 ? 'PROGRAM_NOT_FOUND' : 'NOT_EXECUTABLE', `Cannot execute ${said[1]}.`, {
    hint: 'look at the file: ls -l, file, and the mount options of its file system',
  });
}

import { statSync } from 'node:fs';
import { SteadError } from '../protocol/errors.ts';

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

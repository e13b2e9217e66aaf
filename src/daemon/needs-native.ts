import { NativeMissing } from '../host/native.ts';
import { SteadError } from '../protocol/errors.ts';

/** Does what needs a system call that Node lacks; throws UNSUPPORTED where there is none to be had. `feature` begins the sentence: `ready: notify`. */
export function needsNative<T>(feature: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NativeMissing)) throw error;
    throw new SteadError('UNSUPPORTED', `${feature} does not work here: ${error.reason}.`, {
      hint: 'install stead again with its optional packages (npm install --include=optional), then: stead daemon restart',
    });
  }
}

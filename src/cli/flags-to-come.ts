import type { FlagsToCome } from '../config/parse.ts';

/** Of `run`: what the peers have, and a job has no use for. */
export const flagsToCome: FlagsToCome = {
  '--watch':
    'a job runs once: stead start --watch restarts an app when files change, stead dev does it in the foreground',
};

import type { FlagsToCome } from '../config/parse.ts';

const watch = 'restart on change is for the program itself so far: stead start -- node --watch app.js';
const instances = 'start it once for each, with a --name of its own';

/** Of `start` and `run`: what the peers have, and stead has not yet. */
export const flagsToCome: FlagsToCome = { '--watch': watch, '--instances': instances, '-i': instances };

import type { WhyView } from '../protocol/api.ts';
import { whyView } from '../view/why.ts';
import { showFromDisk } from './offline.ts';

/** What the files tell of why an app is as it is. Throws APP_NOT_FOUND. */
export const whyFromDisk = async (home: string, selector: string): Promise<WhyView> =>
  whyView(home, await showFromDisk(home, selector));

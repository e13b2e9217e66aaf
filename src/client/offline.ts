import type { AppDetail, AppView } from '../protocol/api.ts';
/** The list as the files tell it, for when no daemon answers. */
export function listFromDisk(home: string): AppView[] {
  throw new Error(`not there yet: ${home}`);
}
export function showFromDisk(home: string, selector: string): AppDetail {
  throw new Error(`not there yet: ${home} ${selector}`);
}

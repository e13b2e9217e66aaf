/** What is said where inotify is of no use: once, with what would mend it. */
import { limitBehind } from './file-system.ts';

export type PollReason =
  | { readonly code: 'ENOSPC' | 'EMFILE' }
  | { readonly path: string; readonly fileSystem: string };

export function noteOf(reason: PollReason): string {
  if ('fileSystem' in reason) {
    return `${reason.path} is on ${reason.fileSystem}, which does not tell of changes: files are looked at every now and then instead`;
  }
  const { text, remedy } = limitBehind(reason.code);
  const what = reason.code === 'ENOSPC' ? 'no more directories can be watched' : 'no directory can be watched';
  return `${what} (${text}): the rest is looked at every now and then instead. To mend it: ${remedy}`;
}

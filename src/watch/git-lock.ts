/** Whether git is at work in a repository: while it changes files, its index is locked. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** For the repository that a directory lies in. */
export function gitLockTest(directory: string): () => boolean {
  const lock = lockOf(directory);
  return lock === null ? () => false : () => existsSync(lock);
}

function lockOf(directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    const git = join(at, '.git');
    if (existsSync(git)) return join(realGit(git), 'index.lock');
    if (at === dirname(at)) return null;
  }
}

/** In a linked worktree `.git` is a file that says where it is: `gitdir: PATH`. */
function realGit(path: string): string {
  try {
    const named = /^gitdir: (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
    return named === undefined ? path : resolve(dirname(path), named);
  } catch {
    return path;
  }
}

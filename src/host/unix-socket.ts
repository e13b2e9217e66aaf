import { chmodSync, fchmodSync, lchownSync, lstatSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { socketAddress } from './home.ts';
import { bind } from './socket-calls.ts';

export interface SocketFileOptions {
  readonly mode: number;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Binds a Unix socket at an absolute path of any length; nothing may be there. Its file is at no time wider open than `mode`. */
export function bindAtPath(fd: number, path: string, { mode, owner }: SocketFileOptions): void {
  // bind gives its file the mode of the descriptor, less the umask.
  fchmodSync(fd, mode);
  const address = socketAddress(dirname(path), basename(path));
  try {
    bind(fd, { family: 'unix', path: address.path });
  } finally {
    address.close();
  }
  if (owner) lchownSync(path, owner.uid, owner.gid);
  if ((lstatSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
}

/** Removes what is at a path, if it is a socket. */
export function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path, { force: true });
}

/** A terminal that is gone, on the descriptors that a process was given. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Puts /dev/null in its place. To be called at the end: Node's exit handler sets the mode of each terminal of its first three descriptors to what it was, and aborts where that fails,
 * as it does with EIO (ResetStdio in node.cc); what is another file by then it leaves alone.
 */
export function leaveGoneTerminal(): void {
  for (const fd of [0, 1, 2]) if (isGoneTerminal(fd)) replace(fd);
}

/** It no longer says that it is one; what else is a character device may be replaced as well. */
function isGoneTerminal(fd: number): boolean {
  try {
    return !isatty(fd) && fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}

function replace(fd: number): void {
  closeSync(fd);
  // It gets the lowest number that is free.
  openSync('/dev/null', constants.O_RDWR);
}

/**
 * The mode of a terminal's line discipline (termios). Node's own raw mode is not enough for a terminal within a terminal: it leaves ONLCR on, so a line feed
 * that a program means as "down" goes to the first column, too.
 */
import { readFileSync } from 'node:fs';
import { checked, NativeMissing, native } from './native.ts';

/** A struct termios, as the C library has it. */
export type TerminalMode = Buffer;

/** Larger than any C library's struct. */
const termiosBytes = 128;
/** TCSANOW: what was written or typed before is not waited for, as that may last for ever. */
const now = 0;

/** Null where koffi is missing. Throws what tcgetattr says: ENOTTY, EIO for a terminal that is gone. */
export function readTerminalMode(fd: number): TerminalMode | null {
  const mode = Buffer.alloc(termiosBytes);
  try {
    checked('tcgetattr', native().libc.tcgetattr(fd, mode));
    return mode;
  } catch (error) {
    if (error instanceof NativeMissing) return null;
    throw error;
  }
}

/** Throws EIO for a terminal that is gone. A process in the background is stopped by the kernel: ask `isInForeground` first. */
export function setTerminalMode(fd: number, mode: TerminalMode): void {
  checked('tcsetattr', native().libc.tcsetattr(fd, now, mode));
}

/** Every byte as it is, both ways: no line, no echo, no signal by a key. */
export function rawOf(mode: TerminalMode): TerminalMode {
  const raw = Buffer.from(mode);
  native().libc.cfmakeraw(raw);
  return raw;
}

/** Whether this process may write to its terminal and set its mode. One without a controlling terminal may, too. By proc(5): pgrp, session, tty_nr, tpgid. */
export function isInForeground(): boolean {
  const text = ownStat();
  const [, , group, , terminal, foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return terminal === '0' || foreground === '-1' || group === foreground;
}

/** Whether what is typed on a terminal, and its Ctrl-C, comes to this process's group. */
export function isOnForegroundTerminal(): boolean {
  const text = ownStat();
  const [, , group, , terminal, foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return terminal !== '0' && group === foreground;
}

/** Without /proc it is taken for the most frequent case. */
function ownStat(): string {
  try {
    return readFileSync('/proc/self/stat', 'utf8');
  } catch {
    return ') S 0 0 0 0 -1';
  }
}

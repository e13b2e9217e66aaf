/**
 * A terminal's input, for one who lets another have it first: told by SIGIO when a line is there, it takes one only if nobody else has. The terminal is opened
 * anew, as O_ASYNC and O_NONBLOCK belong to an open file, and the one of stdin is shared with all others on the terminal.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { isatty } from 'node:tty';
import { checked, NativeMissing, native } from './native.ts';
import { isInForeground, readTerminalMode } from './terminal-mode.ts';

const getFlags = 3;
const setFlags = 4;
const setOwner = 8;
/** O_ASYNC, the same on x64 and arm64. */
const asyncFlag = 0o20000;
const pendingRequest = 0x541b;
/** In a termios, after the modes of input, output and control. */
const localModesAt = 12;
const canonical = 0o2;
/** Longer than what a terminal takes for one line. */
const lineBytes = 4096;

export interface TerminalInput {
  /** Bytes in whole lines that nobody has read; 0 where it is another's turn: in the background, or while the terminal gives no lines. */
  pending(): number;
  /** A line, its end included; '' if somebody else was quicker. */
  readLine(): string;
  close(): void;
}

/** Null where stdin is no terminal, or koffi is missing. `onInput` comes with each line or key, whoever it is for. */
export function openTerminalInput(onInput: () => void): TerminalInput | null {
  const fd = isatty(0) ? openTerminal() : null;
  if (fd === null) return null;
  process.on('SIGIO', onInput);
  const close = () => {
    closeSync(fd);
    process.off('SIGIO', onInput);
  };
  try {
    const { libc } = native();
    checked('fcntl', libc.fcntl(fd, setOwner, process.pid));
    checked('fcntl', libc.fcntl(fd, setFlags, checked('fcntl', libc.fcntl(fd, getFlags, 0)) | asyncFlag));
  } catch (error) {
    close();
    if (error instanceof NativeMissing) return null;
    throw error;
  }
  return { pending: () => pendingOf(fd), readLine: () => readLine(fd), close };
}

/** The terminal may be another user's (su), but the controlling one can always be opened. */
function openTerminal(): number | null {
  for (const path of ['/proc/self/fd/0', '/dev/tty']) {
    try {
      return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {}
  }
  return null;
}

function pendingOf(fd: number): number {
  if (!isInForeground()) return 0;
  try {
    const mode = readTerminalMode(fd);
    if (mode === null || (mode.readUInt32LE(localModesAt) & canonical) === 0) return 0;
    const count = Buffer.alloc(4);
    checked('ioctl', native().libc.ioctl(fd, pendingRequest, count));
    return count.readInt32LE(0);
  } catch {
    // It is gone.
    return 0;
  }
}

function readLine(fd: number): string {
  const buffer = Buffer.alloc(lineBytes);
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer));
  } catch {
    return '';
  }
}

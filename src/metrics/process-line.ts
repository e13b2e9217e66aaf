/** The command line of a process as text for people. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { decodeBytes, escapeControls } from '../host/bytes.ts';

/** Enough to know a process by; a command line may have megabytes. */
const longestBytes = 4096;

/** `node other.js`, control characters escaped; `[name]` for what has none (a zombie, a kernel thread); null if there is no such process. */
export function processLine(pid: number): string | null {
  try {
    const words = readStart(`/proc/${pid}/cmdline`);
    if (words.length > 0) return escapeControls(decodeBytes(words).replace(/\0+$/, '').replaceAll('\0', ' '));
    return `[${escapeControls(readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd())}]`;
  } catch {
    return null;
  }
}

function readStart(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(longestBytes);
    return buffer.subarray(0, readSync(fd, buffer, 0, longestBytes, 0));
  } finally {
    closeSync(fd);
  }
}

import { closeSync, openSync, readSync } from 'node:fs';

const listenState = '0A';
const chunkBytes = 64 * 1024;

/**
 * The fields of each listening socket's row in /proc/net/tcp or tcp6, proc(5); none if it can't be read. The kernel lists them first: the thousands of
 * connections of a busy server need not be read.
 */
export function listeningRows(path: string): string[][] {
  const rows: string[][] = [];
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return rows;
  }
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let rest = '';
    for (let isHead = true; ; ) {
      const length = readSync(fd, buffer, 0, chunkBytes, null);
      const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const row = line.trim().split(/ +/);
        if (!isHead && row[3] !== listenState) return rows;
        if (!isHead) rows.push(row);
        isHead = false;
      }
      if (length === 0) return rows;
    }
  } catch {
    return rows;
  } finally {
    closeSync(fd);
  }
}

/** Who has a log open, and how: by that it is decided whether its file's head may be cut out. */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { readerFlags } from './log.ts';

/** O_ACCMODE and O_APPEND, the same on x64 and arm64. */
const accessMode = 0o3;
const append = 0o2000;

/**
 * Whether everybody who has a file open bears that its bytes move: writers that append, and readers of stead's own. Others (a `tail -f`, a log shipper) count in
 * bytes from the file's head, as a writer without O_APPEND does. Processes of other users can't be seen, but by root.
 */
export function bearsCut(file: string): boolean {
  let path: string;
  try {
    path = realpathSync(file);
  } catch {
    return false;
  }
  return readdirSync('/proc').every((pid) => !/^\d+$/.test(pid) || bears(pid, path));
}

function bears(pid: string, path: string): boolean {
  let fds: string[];
  try {
    fds = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return true;
  }
  return fds.every((fd) => {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== path) return true;
      if (pid === String(process.pid)) return true;
      const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))![1]!, 8);
      return (flags & accessMode) === 0 ? (flags & readerFlags) === readerFlags : (flags & append) !== 0;
    } catch {
      return true;
    }
  });
}

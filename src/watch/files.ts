/**
 * How to look at files: at once where they lie on this machine, and through libuv's threads where a server that doesn't answer would stand still whoever asks.
 */
import { hash } from 'node:crypto';
import { closeSync, type Dirent, fstatSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';

/** Files that are larger have no hash: whatever is done to them is a change. */
export const mostHashed = 2 ** 20;

type Soon<T> = T | Promise<T>;

/** What can't be read is as what isn't there. */
export interface Files {
  readonly isRemote: boolean;
  /** When what was hashed last was read, as the file itself tells it, which may be earlier: reading marks not each time. In milliseconds since the epoch; NaN where nobody looked. */
  readonly readAtMs: number;
  /** Of what a symlink leads to. */
  stat(path: string): Soon<Stats | null>;
  list(path: string): Soon<readonly Dirent[] | null>;
  /** 48 bits of a hash; NaN where the file isn't as `expected` before and after it was read. */
  hash(path: string, expected: Stats): Soon<number>;
}

export const isSame = (a: Stats, b: Stats): boolean =>
  a.mtimeMs === b.mtimeMs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;

export function localFiles(): Files {
  // One for all files: what is made for each is freed late.
  let buffer: Buffer | null = null;
  let readAtMs = Number.NaN;
  return {
    isRemote: false,
    get readAtMs() {
      return readAtMs;
    },
    stat: statOf,
    list(path) {
      try {
        return readdirSync(path, { withFileTypes: true });
      } catch {
        return null;
      }
    },
    hash(path, expected) {
      if (expected.size > mostHashed) return Number.NaN;
      buffer ??= Buffer.allocUnsafeSlow(mostHashed);
      try {
        const fd = openSync(path, 'r');
        try {
          const size = readWhole(fd, buffer, expected.size);
          const stats = fstatSync(fd);
          readAtMs = stats.atimeMs;
          return isSame(stats, expected) ? hashOf(buffer.subarray(0, size)) : Number.NaN;
        } finally {
          closeSync(fd);
        }
      } catch {
        return Number.NaN;
      }
    },
  };
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function readWhole(fd: number, buffer: Buffer, size: number): number {
  let read = 0;
  while (read < size) {
    const more = readSync(fd, buffer, read, size - read, null);
    if (more === 0) break;
    read += more;
  }
  return read;
}

export const remoteFiles: Files = {
  isRemote: true,
  readAtMs: Number.NaN,
  stat: (path) => stat(path).catch(() => null),
  list: (path) => readdir(path, { withFileTypes: true }).catch(() => null),
  async hash(path, expected) {
    if (expected.size > mostHashed) return Number.NaN;
    try {
      const handle = await open(path, 'r');
      try {
        const content = await handle.readFile();
        return isSame(await handle.stat(), expected) ? hashOf(content) : Number.NaN;
      } finally {
        await handle.close();
      }
    } catch {
      return Number.NaN;
    }
  },
};

const hashOf = (content: Uint8Array): number =>
  Buffer.from(hash('sha1', content, 'hex').slice(0, 12), 'hex').readUIntBE(0, 6);

/** What a Node program has imported, as its preload (graph.cjs) writes it down: watched instead of a whole directory. */
import { closeSync, existsSync, openSync, readSync, watch } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A program that starts imports file after file. */
const gatherMs = 50;
const chunk = 65_536;

/** What the program is to be started with: the entries that differ from `env`. `preload` is the path of graph.cjs, `file` where it writes. */
export function graphEnvironment(
  preload: string,
  file: string,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const quoted = preload.replace(/[\\"]/g, '\\$&');
  return { NODE_OPTIONS: `--require="${quoted}" ${env.NODE_OPTIONS ?? ''}`.trim(), STEAD_GRAPH: file };
}

/** What counts besides what is imported, there or not: the script, the package and TypeScript's configuration above it, `.env`. */
export function filesBeside(cwd: string, script: string): readonly string[] {
  const files = [resolve(cwd, script), join(cwd, '.env'), join(cwd, 'tsconfig.json'), join(cwd, 'package.json')];
  for (let at = dirname(resolve(cwd, script)); ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return [...new Set([...files, join(at, 'package.json')])];
    if (at === dirname(at)) return files;
  }
}

export interface Graph {
  /** How many files were told; none: no Node, or one that may not be asked. */
  readonly count: number;
  close(): void;
}

/** Follows a file that a program writes, from its start; it is made if it isn't there. `found` gets absolute paths, each once. */
export function followGraph(file: string, found: (paths: readonly string[]) => void): Graph {
  const fd = openSync(file, 'a+', 0o600);
  const buffer = Buffer.allocUnsafe(chunk);
  const known = new Set<string>();
  let offset = 0;
  let rest = '';
  let timer: NodeJS.Timeout | null = null;
  const readAll = () => {
    timer = null;
    const fresh: string[] = [];
    for (let size = readSync(fd, buffer, 0, chunk, offset); size > 0; size = readSync(fd, buffer, 0, chunk, offset)) {
      offset += size;
      // Bytes as characters: a chunk may end within one.
      const lines = (rest + buffer.toString('latin1', 0, size)).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const path = Buffer.from(line, 'latin1').toString();
        if (known.has(path) || !path.startsWith('/')) continue;
        known.add(path);
        fresh.push(path);
      }
    }
    if (fresh.length > 0) found(fresh);
  };
  const watcher = watch(file, () => {
    timer ??= setTimeout(readAll, gatherMs);
  });
  readAll();
  return {
    get count() {
      return known.size;
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      watcher.close();
      closeSync(fd);
    },
  };
}

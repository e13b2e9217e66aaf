/** `--graph`: what is watched grows with what the program imports. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesBeside, followGraph, graphEnvironment } from '../watch/graph.ts';
import type { Watch } from '../watch/watcher.ts';
import type { Launch } from './program.ts';

export interface ImportGraph {
  /** The program with what makes it tell what it imports. */
  tracing(launch: Launch): Launch;
  /** Watched from the start. Absolute. */
  beside(cwd: string, script: string | null): readonly string[];
  /** `late` are files that changed between their import and their watch: since the run began, in milliseconds since the epoch. */
  follow(watch: Watch, began: () => number, late: (paths: readonly string[]) => void): void;
  /** How many files were told so far. */
  readonly count: number;
  close(): void;
}

/** `preload` is the path of graph.cjs. */
export function openImportGraph(preload: string): ImportGraph {
  const directory = mkdtempSync(join(tmpdir(), 'stead-dev-'));
  const file = join(directory, 'imports');
  let graph: ReturnType<typeof followGraph> | null = null;
  return {
    tracing: (launch) => ({ ...launch, env: { ...launch.env, ...graphEnvironment(preload, file, launch.env) } }),
    beside: (cwd, script) => filesBeside(cwd, script ?? 'package.json'),
    follow(watch, began, late) {
      graph = followGraph(file, (paths) => {
        watch.include(paths);
        const changed = paths.filter((path) => mtimeOf(path) > began());
        if (changed.length > 0) late(changed);
      });
    },
    get count() {
      return graph?.count ?? 0;
    },
    close() {
      graph?.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const mtimeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** `graph`: what the runs of an app have imported, which is watched. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { followGraph, type Graph } from '../../watch/graph.ts';
import type { Watch } from '../../watch/watcher.ts';
import type { App } from '../app.ts';
import type { Instance } from '../instance.ts';
import { reachDirectory } from '../reach.ts';

/** In the reach directory of a run: a path a line, which its program writes. */
export const importsFile = 'imports';

export const importsOf = (instance: Instance, run = instance.model.run): string =>
  join(reachDirectory(instance, run), importsFile);

interface Followed {
  readonly run: number;
  readonly graph: Graph;
}

/** Of one app, all its instances. */
export class Imports {
  readonly #watch: Watch;
  /** A file that changed between its import and its watch. */
  readonly #late: (paths: readonly string[]) => void;
  readonly #followed = new Map<Instance, Followed>();

  constructor(watch: Watch, late: (paths: readonly string[]) => void) {
    this.#watch = watch;
    this.#late = late;
  }

  /** A run may have begun, or an instance gone. */
  look(app: App): void {
    for (const instance of app.all) this.#follow(instance);
    for (const instance of this.#followed.keys()) if (!app.all.includes(instance)) this.#end(instance);
  }

  /** Whether anything was told. */
  get isEmpty(): boolean {
    return [...this.#followed.values()].every(({ graph }) => graph.count === 0);
  }

  close(): void {
    for (const instance of [...this.#followed.keys()]) this.#end(instance);
  }

  #follow(instance: Instance): void {
    const { run, state } = instance.model;
    if (!('run' in state) || this.#followed.get(instance)?.run === run) return;
    this.#end(instance);
    const began = Date.now();
    const told = (paths: readonly string[]) => {
      this.#watch.include(paths);
      const changed = paths.filter((path) => mtimeOf(path) > began);
      if (changed.length > 0) this.#late(changed);
    };
    try {
      this.#followed.set(instance, { run, graph: followGraph(importsOf(instance), told) });
    } catch {
      // It was launched before it was asked to tell.
    }
  }

  #end(instance: Instance): void {
    this.#followed.get(instance)?.graph.close();
    this.#followed.delete(instance);
  }
}

const mtimeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

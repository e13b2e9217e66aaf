/** The logs of all instances: a keeper for each, one change of files at a time, and the cap of the whole home. */
import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LogKeeper, type LogPolicy } from '../logs/keeper.ts';
import { logPlaces } from '../logs/layout.ts';
import type { Daemon } from './context.ts';
import type { Instance } from './instance.ts';

const sweepMs = 60_000;
/** By then all are taken up. */
const firstSweepMs = 3000;
/** Without a word in config.yaml: of the file system, and never more than this. */
const shareOfDisk = 0.1;
const mostBytes = 10 * 1024 ** 3;

export class LogKeeping {
  readonly #daemon: Daemon;
  readonly #keepers = new Map<Instance, LogKeeper>();
  /** Up to when the daemon before this one can have kept them. */
  readonly #aliveUntil: number | null;
  readonly #cap: number | null;
  #tasks: Promise<void> = Promise.resolve();
  #hasCapProblem = false;

  /** `cap`: bytes of all logs together; undefined is the default, null none. */
  constructor(daemon: Daemon, cap: number | null | undefined) {
    this.#daemon = daemon;
    this.#cap = cap === undefined ? defaultCap(daemon.home) : cap;
    // A guardian writes there when a daemon ends, a daemon when it is told to.
    this.#aliveUntil = statSync(join(daemon.home, 'daemon.log'), { throwIfNoEntry: false })?.mtimeMs ?? null;
    setInterval(() => this.sweep(), sweepMs).unref();
    setTimeout(() => this.sweep(), firstSweepMs).unref();
  }

  /** Keeps the logs of an instance from now on; called again when its spec may say otherwise. */
  add(instance: Instance): void {
    const { app, index } = instance;
    const places = logPlaces(this.#daemon.home, app.name, index, app.spec.log);
    const before = this.#keepers.get(instance);
    if (before?.isOf(places)) return;
    before?.close();
    const keeper = new LogKeeper(places, {
      policy: () => policyOf(instance),
      truncated: (place, { from, to }) =>
        this.#daemon.tell(instance, {
          type: 'log',
          run: instance.model.run,
          reason: `${place.file} was emptied by somebody: ${from} bytes became ${to}; a program that opens /dev/stdout or /dev/stderr anew does that (--log-via pipe)`,
        }),
      moved: (place) => {
        if (instance.program === null) return;
        this.#daemon.tell(instance, {
          type: 'log',
          run: instance.model.run,
          reason: `${place.file} was moved away or removed: what ${app.name} prints goes to the old file until stead restart ${app.name}; stead rotates by itself`,
        });
      },
      problem: (text) => this.#daemon.log(`${app.name}: ${text}`),
      later: (task) => this.#later(task),
    });
    this.#keepers.set(instance, keeper);
    // Not before the daemon answers: with a thousand apps it takes its time.
    setImmediate(() => this.#later(() => keeper.start(this.#aliveUntil)));
  }

  /** In turn: who takes a log up finds nothing half done by who kept it before. */
  #later(task: () => Promise<void>): void {
    this.#tasks = this.#tasks.then(task, task);
  }

  remove(instance: Instance): void {
    this.#keepers.get(instance)?.close();
    this.#keepers.delete(instance);
  }

  /** Looks at them now: what a run wrote last has a time of its own. */
  look(instance: Instance): void {
    this.#keepers.get(instance)?.look();
  }

  async flush(instance: Instance): Promise<void> {
    await this.#keepers.get(instance)?.flush();
  }

  sweep(): void {
    for (const keeper of this.#keepers.values()) keeper.sweep();
    void this.#keepCap();
  }

  /** The oldest archives of all go first. What is being written is not touched: an app's own limits see to that. */
  async #keepCap(): Promise<void> {
    if (this.#cap === null) return;
    for (;;) {
      const keepers = [...this.#keepers.values()];
      const bytes = keepers.reduce((sum, keeper) => sum + keeper.bytes, 0);
      if (bytes <= this.#cap) break;
      const oldest = keepers.flatMap((keeper) => keeper.oldestArchive() ?? []).sort((a, b) => a.at - b.at)[0];
      if (oldest === undefined) {
        if (!this.#hasCapProblem)
          this.#daemon.log(`logs take ${bytes} bytes, more than ${this.#cap}, and none of it is archived`);
        this.#hasCapProblem = true;
        return;
      }
      await oldest.drop();
    }
    this.#hasCapProblem = false;
  }
}

function policyOf({ app }: Instance): LogPolicy {
  return app.spec.log;
}

function defaultCap(home: string): number | null {
  try {
    const { blocks, bsize } = statfsSync(home);
    return Math.min(mostBytes, blocks * bsize * shareOfDisk);
  } catch {
    return null;
  }
}

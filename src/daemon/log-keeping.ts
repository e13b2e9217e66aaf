/** The logs of all instances: a keeper for each, one change of files at a time, and the cap of the whole home. */
import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LogKeeper } from '../logs/keeper.ts';
import { logFiles, logPlaces } from '../logs/layout.ts';
import { checkpointOffset } from '../terminal/host/checkpoint.ts';
import type { Daemon } from './context.ts';
import type { Instance } from './instance.ts';

const sweepMs = 60_000;
/** By then all are taken up. */
const firstSweepMs = 3000;
/** Without a word in config.yaml: of the file system, and never more than this. */
const shareOfDisk = 0.1;
const mostBytes = 10 * 1024 ** 3;

/** A screen that was not saved for so long is not waited for. */
const mostUnseenBytes = 512 * 1024 * 1024;

/** From where on a pty host needs the log of a terminal: the screen is made of it, here or by the next host. */
function unseenFrom(instance: Instance): number {
  const directory = instance.runDirectory();
  const { out: file } = logFiles(instance.app.daemon.home, instance.app.name, instance.index, instance.app.spec.log);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return Math.max(checkpointOffset(directory) ?? instance.logStart.out, size - mostUnseenBytes);
}

export class LogKeeping {
  readonly #daemon: Daemon;
  /** By app and index: two runs of one index write to the same logs. */
  readonly #keepers = new Map<string, LogKeeper>();
  /** Up to when the daemon before this one can have kept them. */
  readonly #aliveUntil: number | null;
  #cap: number | null;
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

  /** Another cap, as in the constructor; heeded at the next sweep. */
  setCap(cap: number | null | undefined): void {
    this.#cap = cap === undefined ? defaultCap(this.#daemon.home) : cap;
  }

  /** Keeps the logs of an instance from now on; called again when its spec may say otherwise. */
  add(instance: Instance): void {
    const { app, index } = instance;
    const places = logPlaces(this.#daemon.home, app.name, index, app.spec.log);
    const before = this.#keepers.get(slotOf(instance));
    const main = () => app.instances.find((one) => one.index === index) ?? instance;
    if (before?.isOf(places)) return;
    before?.close();
    const keeper = new LogKeeper(places, {
      policy: () => ({
        ...app.spec.log,
        // A run that began with a terminal goes on with it, whatever the spec says by now.
        keepsOffsets: app.spec.tty !== null || this.#daemon.terminals.has(main()),
        keptFrom: app.spec.tty === null ? undefined : () => unseenFrom(main()),
      }),
      truncated: (place, { from, to }) =>
        this.#daemon.tell(main(), {
          type: 'log',
          run: main().model.run,
          reason: `${place.file} was emptied by somebody: ${from} bytes became ${to}; a program that opens /dev/stdout or /dev/stderr anew does that (--log-via pipe)`,
        }),
      moved: (place) => {
        if (main().program === null) return;
        this.#daemon.tell(main(), {
          type: 'log',
          run: main().model.run,
          reason: `${place.file} was moved away or removed: what ${app.name} prints goes to the old file until stead restart ${app.name}; stead rotates by itself`,
        });
      },
      problem: (text) => this.#daemon.log(`${app.name}: ${text}`),
      later: (task) => this.#later(task),
    });
    this.#keepers.set(slotOf(instance), keeper);
    // Not before the daemon answers: with a thousand apps it takes its time.
    setImmediate(() => this.#later(() => keeper.start(this.#aliveUntil)));
  }

  /** In turn: who takes a log up finds nothing half done by who kept it before. */
  #later(task: () => Promise<void>): void {
    this.#tasks = this.#tasks.then(task, task);
  }

  /** Unless another run of the same index writes to them. */
  remove(instance: Instance): void {
    const { app, index } = instance;
    if (!app.isForgotten && app.all.some((other) => other !== instance && other.index === index)) return;
    this.#keepers.get(slotOf(instance))?.close();
    this.#keepers.delete(slotOf(instance));
  }

  /** Looks at them now: what a run wrote last has a time of its own. */
  look(instance: Instance): void {
    this.#keepers.get(slotOf(instance))?.look();
  }

  async flush(instance: Instance): Promise<void> {
    await this.#keepers.get(slotOf(instance))?.flush();
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

const slotOf = ({ app, index }: Instance): string => `${app.name} ${index}`;

function defaultCap(home: string): number | null {
  try {
    const { blocks, bsize } = statfsSync(home);
    return Math.min(mostBytes, blocks * bsize * shareOfDisk);
  } catch {
    return null;
  }
}

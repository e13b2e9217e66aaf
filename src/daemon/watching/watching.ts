/**
 * `watch`: restarts an app when what it is made of changes. Once per burst of changes, and only when what was there before has ended, ports and all, as any restart. A
 * program that writes into what is watched restarts itself without end: after some such restarts in a row the watch is suspended, and that is said.
 */
import { realpathSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { monotonicMs } from '../../host/clock.ts';
import { evidenceOf, quietly } from '../../metrics/writers.ts';
import type { WatchSpec } from '../../protocol/spec.ts';
import { filesBeside } from '../../watch/graph.ts';
import type { ChangeSet, Watch } from '../../watch/watcher.ts';
import type { App } from '../app.ts';
import { logPlacesOf } from '../log-places.ts';
import { whyRestarted } from '../rollout.ts';
import { Gate } from './gate.ts';
import { Imports } from './imports.ts';

/** A burst ends after so long, whatever comes. */
const mostMs = 2000;
/** Restarts in a row for what the program has changed itself. */
const mostOwn = 5;
/** What a program generates at its start, it does soon. */
const soonMs = 5000;
/** A Node program has imported something by then. */
const importsMs = 10_000;

/** One app's. */
class AppWatch {
  readonly #app: App;
  readonly spec: WatchSpec;
  #watch: Watch | null = null;
  #imports: Imports | null = null;
  #isClosed = false;
  /** Changes that came over a command or a restart. */
  #next: ChangeSet | null = null;
  #isBusy = false;
  /** Restarts in a row for what the program has changed itself. */
  #ownInRow = 0;
  #gate: Gate | null = null;
  /** Why it restarts nothing any more. */
  suspended: string | null = null;
  /** What keeps it from doing what it should, as it is now. */
  problem: string | null = null;

  constructor(app: App, spec: WatchSpec) {
    this.#app = app;
    this.spec = spec;
  }

  async begin(): Promise<void> {
    const { spec } = this;
    const { daemon, spec: app, instances } = this.#app;
    // Loaded where something is watched.
    const { startWatch } = await import('../../watch/watcher.ts');
    const { defaultRules } = await import('../../watch/rules.ts');
    const logs = instances.flatMap((one) => Object.values(logPlacesOf(one)).map(({ file }) => file));
    const script = app.program.how === 'script' ? app.program.words.slice(0, 1) : [];
    const beside = spec.graph ? filesBeside(app.cwd, script[0] ?? 'package.json') : script;
    const watch = await startWatch({
      roots: spec.graph && spec.paths.length === 0 ? null : spec.paths,
      rules: {
        ...defaultRules,
        cwd: app.cwd,
        ext: spec.ext,
        ignore: spec.ignore,
        ignoreWatch: spec.ignoreWatch,
        gitignore: spec.gitignore,
        always: [...beside, ...app.envFiles],
        own: [daemon.home, ...logs],
      },
      quietMs: spec.quietMs,
      mostMs: Math.max(mostMs, spec.quietMs),
      onChange: (change) => this.#changed(change),
      onNote: (text) => this.tell(text),
    });
    if (this.#isClosed) return watch.close();
    this.#watch = watch;
    if (spec.graph) this.#followImports(watch);
  }

  close(): void {
    this.#isClosed = true;
    this.#gate?.end();
    this.#imports?.close();
    this.#watch?.close();
  }

  /** Resolves when no command of it runs. */
  get gateOver(): Promise<void> {
    return this.#gate?.over ?? Promise.resolve();
  }

  /** A run has begun, or its state is another. */
  follow(): void {
    this.#imports?.look(this.#app);
  }

  #followImports(watch: Watch): void {
    const { cwd } = this.#app.spec;
    this.#imports = new Imports(watch, (paths) =>
      this.#changed({ paths: paths.map((path) => relative(cwd, path)), count: paths.length, at: Date.now() }),
    );
    this.follow();
    setTimeout(() => {
      if (!this.#isClosed && this.#imports?.isEmpty && this.#app.instances.some(isServing))
        this.tell('it has told of no file that it imports, so that only its script is watched: is it a Node program?');
    }, importsMs).unref();
  }

  #changed(change: ChangeSet): void {
    if (this.suspended !== null || this.#isClosed) return;
    if (this.#isBusy) {
      this.#next = change;
      return;
    }
    this.#isBusy = true;
    void this.#act(change).finally(() => {
      this.#isBusy = false;
      const next = this.#next;
      this.#next = null;
      if (next !== null) this.#changed(next);
    });
  }

  async #act(change: ChangeSet): Promise<void> {
    const reason = inWords(change);
    if (this.#isMoot(change)) return;
    this.#ownInRow = this.#isOwn(change) ? this.#ownInRow + 1 : 0;
    if (this.#ownInRow > mostOwn) return this.#suspend(change);
    if (!(await this.#passesGate(reason)) || this.#isClosed) return;
    const { onBusy, signal } = this.spec;
    const isUp = this.#app.instances.some(({ model }) => 'run' in model.state);
    if (!isUp || onBusy === 'restart') return this.#restart(reason);
    if (onBusy === 'signal') {
      for (const one of this.#app.instances) one.tree.signal(signal as NodeJS.Signals);
      this.tell(`${signal} was sent, as ${reason} changed`);
    }
    if (onBusy === 'queue') {
      await Promise.all(
        this.#app.instances.map((one) => one.until(({ model }) => !('run' in model.state) || this.#isClosed)),
      );
      if (!this.#isClosed) return this.#restart(reason);
    }
  }

  async #restart(reason: string): Promise<void> {
    const { daemon, instances, spec } = this.#app;
    const by = `a change: ${reason}`;
    daemon.log(`${this.#app.name}: restarting: ${reason} changed`);
    this.problem = null;
    await this.#app.sharing?.reclaimed();
    if (this.#app.sharing !== null && spec.share.instances !== null && whyRestarted(this.#app) === null) {
      const failure = await daemon.rollouts.begin(this.#app, { parallel: 1, canary: null, by });
      if (failure !== null) this.#fail(`${reason} changed, but: ${failure.message}`);
      return;
    }
    await Promise.all(
      instances.map(async (instance) => {
        const { run } = instance.model;
        instance.askedBy = by;
        instance.dispatch({ type: 'restart' });
        await instance.until(({ model }) => model.run > run || !('run' in model.state) || this.#isClosed);
      }),
    );
  }

  tell(reason: string): void {
    const [first] = this.#app.instances;
    if (first !== undefined) this.#app.daemon.tell(first, { type: 'watch', run: first.model.run, reason });
    this.#app.daemon.log(`${this.#app.name}: ${reason}`);
  }

  /** What was found is a problem until something better happens. */
  #fail(what: string): void {
    this.problem = what;
    this.tell(what);
  }

  /** The command that must pass first. */
  async #passesGate(reason: string): Promise<boolean> {
    const { before } = this.spec;
    if (before === null) return true;
    const gate = new Gate(this.#app, before, reason);
    this.#gate = gate;
    const failure = await gate.result();
    this.#gate = null;
    if (failure === null) return true;
    if (!this.#isClosed) this.#fail(`not restarted though ${reason} changed: ${before}: ${failure}`);
    return false;
  }

  /** What runs was started after all that changed. */
  #isMoot({ paths, count }: ChangeSet): boolean {
    const began = this.#app.instances.map(({ model: { state } }) =>
      'run' in state && 'since' in state ? Date.now() - (monotonicMs() - state.since) : 0,
    );
    const first = Math.min(...began);
    const { cwd } = this.#app.spec;
    return count <= paths.length && paths.every((path) => changedBefore(resolve(cwd, path), first));
  }

  #isOwn({ paths }: ChangeSet): boolean {
    const { cwd } = this.#app.spec;
    // As /proc names what is open.
    const files = paths.map((path) => quietly(() => realpathSync(resolve(cwd, path)), resolve(cwd, path)));
    return this.#app.instances.some(({ model: { state }, tree }) => {
      if (!('run' in state) || !('since' in state)) return false;
      const { isOpen, written, size } = evidenceOf(files, tree.members());
      return isOpen || (written > 0 && written >= size && monotonicMs() - state.since <= soonMs);
    });
  }

  #suspend({ paths }: ChangeSet): void {
    const { name } = this.#app;
    this.suspended = `the program itself writes what it is restarted for: ${paths.join(', ')}`;
    this.problem = `watch suspended: ${this.suspended}: stead set ${name} ignore=PATTERN, or stead restart ${name}`;
    this.tell(this.problem);
  }
}

function changedBefore(path: string, time: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.ctimeMs < time;
}

const isServing = ({ model }: App['instances'][number]): boolean => ['starting', 'running'].includes(model.state.name);

/** `src/a.ts (+3 more)` */
export function inWords({ paths: [first = 'something'], count }: ChangeSet): string {
  return count > 1 ? `${first} (+${count - 1} more)` : first;
}

/** Of all apps. */
export class Watching {
  readonly #watches = new Map<App, AppWatch>();
  /** Of watches that were ended, what they still ran. */
  readonly #ending = new Map<Promise<void>, App>();

  /** What is wanted of an app, or how it is watched, may be another. */
  look(app: App): void {
    const { watch } = app.spec;
    const present = this.#watches.get(app);
    const isWanted = watch !== null && app.want === 'running' && !app.isForgotten;
    if (present !== undefined && (!isWanted || JSON.stringify(present.spec) !== JSON.stringify(watch))) this.#end(app);
    if (isWanted && !this.#watches.has(app)) this.#begin(app, watch);
  }

  /** A person started it anew: what suspended the watch may be mended. */
  renew(app: App): void {
    if (this.#watches.get(app)?.suspended == null) return;
    this.#end(app);
    this.look(app);
  }

  /** One of its runs has begun, or has another state. */
  follow(app: App): void {
    this.#watches.get(app)?.follow();
  }

  /** What keeps its watch from doing what it should. */
  problemOf(app: App): string | null {
    return this.#watches.get(app)?.problem ?? null;
  }

  #begin(app: App, spec: WatchSpec): void {
    const watch = new AppWatch(app, spec);
    this.#watches.set(app, watch);
    // A gate of the watch before, which is being ended, may still be at it.
    void this.#gatesOf(app).then(() =>
      watch.begin().catch((error: Error) => {
        watch.problem = `can't be watched: ${error.message}`;
        watch.tell(watch.problem);
      }),
    );
  }

  #end(app: App): void {
    const watch = this.#watches.get(app);
    if (watch === undefined) return;
    watch.close();
    this.#watches.delete(app);
    const over = watch.gateOver.finally(() => this.#ending.delete(over));
    this.#ending.set(over, app);
  }

  async #gatesOf(app: App): Promise<void> {
    await Promise.all([...this.#ending].filter(([, of]) => of === app).map(([over]) => over));
  }
}

/**
 * `watch`: restarts an app when what it is made of changes. Once per burst of changes, and only when what was there before has ended, ports and all, as any restart. A
 * program that writes into what is watched restarts itself without end: then the watch is suspended, and that is said.
 */
import { join, relative } from 'node:path';
import { monotonicMs } from '../../host/clock.ts';
import { readIfThere } from '../../host/files.ts';
import type { WatchSpec } from '../../protocol/spec.ts';
import { appDirectory } from '../../storage/layout.ts';
import { filesBeside } from '../../watch/graph.ts';
import type { ChangeSet, Watch } from '../../watch/watcher.ts';
import type { App } from '../app.ts';
import { logPlacesOf } from '../log-places.ts';
import { runCommand } from '../probe.ts';
import { Imports } from './imports.ts';

/** A burst ends after so long, whatever comes. */
const mostMs = 2000;
/** A command before a restart that goes on for longer is ended: what runs goes on. */
const beforeTimeoutMs = 10 * 60_000;
/** What is changed so soon after a start, again and again, the program changes itself. */
const ownMs = 10_000;
const mostOwn = 5;
/** A Node program has imported something by then. */
const importsMs = 10_000;

/** Lines of a command that failed. */
const mostSaid = 5;

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
  /** Restarts in a row that came soon after a start, by the same path. */
  #own: { readonly path: string; readonly count: number } = { path: '', count: 0 };
  /** Why it restarts nothing any more. */
  suspended: string | null = null;

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
    this.#imports?.close();
    this.#watch?.close();
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
    if (this.#isOwn(change)) return this.#suspend(change);
    if (!(await this.#passesGate(reason)) || this.#isClosed) return;
    const { onBusy, signal } = this.spec;
    const isUp = this.#app.instances.some(({ model }) => 'run' in model.state);
    if (!isUp || onBusy === 'restart') return this.#restart(reason);
    if (onBusy === 'signal') for (const one of this.#app.instances) one.tree.signal(signal as NodeJS.Signals);
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
    if (this.#app.sharing !== null && spec.share.instances !== null && instances.some(isServing)) {
      const failure = await daemon.rollouts.begin(this.#app, { parallel: 1, canary: null, by });
      if (failure !== null) daemon.log(`${this.#app.name}: ${failure.message}`);
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

  /** The command that must pass first. */
  async #passesGate(reason: string): Promise<boolean> {
    const { before } = this.spec;
    if (before === null) return true;
    const file = join(appDirectory(this.#app.daemon.home, this.#app.name), 'before.log');
    const env = { STEAD_CHANGED: reason, STEAD_OUTPUT: this.#app.spec.user === null ? file : '/dev/null' };
    const result = await runCommand(this.#app, `exec >"$STEAD_OUTPUT" 2>&1\n${before}`, {
      timeoutMs: beforeTimeoutMs,
      env,
    });
    if (result === 0) return true;
    const how = typeof result === 'number' ? `exit code ${result}` : result;
    const said = (readIfThere(file) ?? '').trimEnd().split('\n').slice(-mostSaid).join(' | ');
    this.tell(`not restarted though ${reason} changed: ${before}: ${how}${said === '' ? '' : `: ${said}`}`);
    return false;
  }

  #isOwn({ paths, at }: ChangeSet): boolean {
    const [path = ''] = paths;
    const [first] = this.#app.instances;
    const state = first?.model.state;
    const age =
      state !== undefined && 'since' in state
        ? monotonicMs() - state.since - (Date.now() - at)
        : Number.POSITIVE_INFINITY;
    const isSoon = age < ownMs;
    this.#own = { path, count: isSoon && this.#own.path === path ? this.#own.count + 1 : isSoon ? 1 : 0 };
    return this.#own.count > mostOwn;
  }

  #suspend({ paths }: ChangeSet): void {
    this.suspended = `${paths.join(', ')} changed within ${ownMs / 1000} s of each of the last ${mostOwn} starts: the program seems to write into what is watched`;
    const { name } = this.#app;
    this.tell(`watch suspended: ${this.suspended}: stead set ${name} ignore=PATTERN, or stead restart ${name}`);
  }
}

const isServing = ({ model }: App['instances'][number]): boolean => ['starting', 'running'].includes(model.state.name);

/** `src/a.ts (+3 more)` */
export function inWords({ paths: [first = 'something'], count }: ChangeSet): string {
  return count > 1 ? `${first} (+${count - 1} more)` : first;
}

/** Of all apps. */
export class Watching {
  readonly #watches = new Map<App, AppWatch>();

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

  suspendedOf(app: App): string | null {
    return this.#watches.get(app)?.suspended ?? null;
  }

  #begin(app: App, spec: WatchSpec): void {
    const watch = new AppWatch(app, spec);
    this.#watches.set(app, watch);
    watch.begin().catch((error: Error) => watch.tell(`can't be watched: ${error.message}`));
  }

  #end(app: App): void {
    this.#watches.get(app)?.close();
    this.#watches.delete(app);
  }
}

/**
 * The sockets that the instances of one app share (docs/decisions/014-shared-sockets.md): made or taken back, handed to each launch, let go when nobody
 * needs them. What the programs tell of them comes from files that outlive this daemon.
 */
import { dirname, join } from 'node:path';
import { monotonicMs } from '../../host/clock.ts';
import type { ProcessId } from '../../host/process.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { addressInWords, keyOf } from '../../sockets/address.ts';
import { openSocket } from '../../sockets/bind.ts';
import { HeldSockets } from '../../sockets/held.ts';
import { openShareServer, type Refusal, type ShareServer } from '../../sockets/share-server.ts';
import { appDirectory } from '../../storage/layout.ts';
import type { App } from '../app.ts';
import type { Instance } from '../instance.ts';
import { needsNative } from '../needs-native.ts';
import { sharePlace } from '../reach.ts';
import { isAccepting } from './accepting.ts';
import { bindFailure } from './bind-failure.ts';
import { type LaunchPart, launchPart } from './launch-part.ts';
import { OnDemand } from './on-demand.ts';
import { takeListening, takeSockets } from './take-sockets.ts';
import { Tellings } from './tellings.ts';
import { UnusedSockets } from './unused.ts';
import { isNodeProgram } from './uses-node.ts';
import { whoHas } from './who-has.ts';

/** How long the first instance has to listen before the others are started, on which they count to find its sockets held. */
const firstListenMs = 3000;
/** Who asks for what a sibling is just about to give waits so long. */
const givePatienceMs = 1000;
/** A program that was asked for its sockets may be busy. */
const reclaimPatienceMs = 5000;

export const isSharing = ({ kind, share }: Pick<AppSpec, 'kind' | 'share'>): boolean =>
  kind === 'app' && (share.instances !== null || share.listen.length > 0);

export class Sharing {
  readonly #app: App;
  readonly held: HeldSockets;
  readonly tellings: Tellings;
  readonly onDemand: OnDemand;
  readonly #unused: UnusedSockets;
  #server: ShareServer | null = null;
  /** Its sockets are here already, its programs not yet: it comes back from systemd. */
  isComing = false;
  /** Called when a socket may have come. */
  #waiters: readonly (() => void)[] = [];

  constructor(app: App) {
    this.#app = app;
    const { daemon } = app;
    const library = dirname(daemon.launcherScript);
    this.held = new HeldSockets({
      directory: appDirectory(daemon.home, app.name),
      shell: daemon.shell,
      script: join(library, 'holder.sh'),
      node: process.execPath,
      share: join(library, 'share.cjs'),
      log: (line) => daemon.log(`${app.name}: ${line}`),
    });
    this.tellings = new Tellings(app, (instance) => this.#heard(instance));
    this.onDemand = new OnDemand(app, this.held, () => this.makeDeclared());
    this.#unused = new UnusedSockets(app, this.held, this.tellings);
  }

  /** Its programs load the preload: they can be told to drain, and tell where they listen. */
  get hasPreload(): boolean {
    return isSharing(this.#app.spec) && isNodeProgram(this.#app.spec);
  }

  /** Takes back what a holder has kept since an earlier daemon. */
  async recover(): Promise<void> {
    await this.held.recover();
    if (this.hasPreload && this.#app.want === 'running') this.#serve();
  }

  /** For a launch that comes now. Throws PORT_TAKEN, NOT_PERMITTED, UNSUPPORTED. */
  prepare(instance: Instance, run: number): LaunchPart {
    const { hasPreload } = this;
    this.makeDeclared();
    if (hasPreload) this.#serve();
    return launchPart(instance, { run, held: this.held.entries(), hasPreload });
  }

  /** The sockets that its spec names, those that are not there yet. */
  makeDeclared(): void {
    for (const key of this.#app.spec.share.listen.map(keyOf)) {
      const state = this.held.ensurePath(key);
      if (state === 'lost') this.held.add(key, this.#open(key));
      if (state === 'taken') throw this.#taken(key);
    }
  }

  /** What processes listen on that are no runs of this app, and serve on until they are ended: it is held before the first launch. Throws NOT_PERMITTED. */
  takeFrom(processes: readonly ProcessId[]): void {
    for (const from of processes) {
      let taken: ReadonlyMap<string, number>;
      try {
        taken = needsNative('taking over a port', () => takeListening(from));
      } catch (error) {
        if (error instanceof SteadError) throw error;
        throw new SteadError(
          'NOT_PERMITTED',
          `The sockets of pid ${from.pid} can't be taken: ${(error as Error).message}.`,
          {
            hint: 'this takes the same user and sysctl kernel.yama.ptrace_scope=0, or root',
          },
        );
      }
      for (const [key, fd] of taken) this.held.add(key, fd, { isLent: true });
    }
  }

  #open(key: string): number {
    const { user, umask, share } = this.#app.spec;
    // libuv makes it so in any case, for all who share it.
    const nonblock = share.nonblock || this.hasPreload;
    try {
      return needsNative('listen', () => openSocket(key, { nonblock, umask, ...(user !== null && { owner: user }) }));
    } catch (error) {
      throw bindFailure(this.#app, key, error as NodeJS.ErrnoException);
    }
  }

  #taken(key: string): unknown {
    const error = Object.assign(new Error('another file is at its path'), { code: 'EADDRINUSE' });
    return bindFailure(this.#app, key, error);
  }

  /** The run of this instance is there: what it tells is read from now on. */
  follow(instance: Instance): void {
    if (this.hasPreload) this.tellings.follow(instance);
  }

  #heard(instance: Instance): void {
    for (const key of this.tellings.listeningOf(instance)?.keys() ?? []) this.#unused.used(key);
    this.changed();
    this.#app.daemon.turns.lookAgain();
    for (const waiter of this.#waiters) waiter();
    instance.wake();
  }

  /** A run listens where it shall: by its own word or, of a program that says nothing, by what the kernel tells of it. */
  isListening(instance: Instance): boolean {
    return this.hasPreload ? this.tellings.isListening(instance) : isAccepting(instance, this.held.entries());
  }

  /** The state of one of its instances is another one, or there are more or fewer. */
  changed(): void {
    this.onDemand.changed();
    if (this.#isAtRest && !this.isComing) this.#letGo();
    else if (this.hasPreload) this.#unused.lookLater();
  }

  /** Its candidate has failed: what it alone has brought is let go when it has ended, by the function returned. */
  willFail(candidate: Instance): () => void {
    const keys = this.#unused.onlyOf(candidate);
    return () => this.#unused.dropNow(keys);
  }

  get #isAtRest(): boolean {
    return this.#app.all.every(({ model: { state } }) => ['stopped', 'completed', 'failed'].includes(state.name));
  }

  /** Nothing is served any more: the ports are free. */
  #letGo(): void {
    this.onDemand.close();
    if (this.held.entries().length > 0) void this.held.dropAll();
    this.#server?.close();
    this.#server = null;
  }

  /** The app is forgotten. */
  end(): void {
    this.#unused.close();
    this.tellings.close();
    this.#letGo();
  }

  /** Null: it may start now. The others wait for the first to listen, so that they find its sockets held. */
  turnOf({ index, role }: Instance): { readonly reason: string; readonly isBlocked: boolean } | null {
    if (index === 0 || role !== 'main' || !this.hasPreload) return null;
    const first = this.#app.instances[0]!;
    const { state } = first.model;
    if (this.held.entries().length > 0 && !this.#isGiving(first)) return null;
    if (!['waiting', 'starting', 'running', 'backoff', 'stopping'].includes(state.name)) return null;
    const listening = [...(this.tellings.listeningOf(first)?.values() ?? [])];
    if (listening.length > 0 && listening.every(({ isShared }) => !isShared)) return null;
    if (state.name === 'running') {
      const left = firstListenMs - (monotonicMs() - state.since);
      if (left <= 0) return null;
      setTimeout(() => this.#app.daemon.turns.lookAgain(), left + 1).unref();
    }
    // It will not listen as it is: who asked for a start is told.
    if (state.name === 'backoff')
      return { reason: `instance 0 ended before it listened: ${state.reason}`, isBlocked: true };
    return { reason: 'waits for instance 0 to listen', isBlocked: false };
  }

  /** It listens, and not all of its sockets have come yet: who misses one binds another by port 0. */
  #isGiving(first: Instance): boolean {
    const { name } = first.model.state;
    const told = this.tellings.listeningOf(first);
    if (told === null) return name === 'starting';
    const isUp = name === 'starting' || name === 'running';
    return isUp && [...told].some(([key, { isShared }]) => isShared && !this.held.has(key));
  }

  #serve(): void {
    if (this.#server !== null) return;
    const { path, owner } = sharePlace(this.#app);
    const { daemon, name } = this.#app;
    const handlers = {
      give: (key: string, fd: number) => this.#given(key, fd),
      ask: (key: string) => this.#asked(key),
      failed: (error: unknown) => daemon.log(`${name}: ${(error as Error).message}`),
    };
    try {
      this.#server = needsNative('sharing a port', () =>
        openShareServer(path, handlers, owner === null ? {} : { owner }),
      );
    } catch (error) {
      if (error instanceof SteadError) throw error;
      daemon.log(`${name}: its programs can't give their sockets: ${(error as Error).message}`);
    }
  }

  /** A program has bound it, and says so. False: there is one already, or nobody wants it any more. */
  #given(key: string, fd: number): boolean {
    if (this.held.has(key) || this.#app.want !== 'running') return false;
    // What it says of others reaches the file first, but perhaps not the watch on it.
    this.tellings.look(this.#app.instances[0]!);
    this.held.add(key, fd);
    this.#unused.used(key);
    for (const waiter of this.#waiters) waiter();
    this.#app.daemon.turns.lookAgain();
    return true;
  }

  /** What a sibling has, or will have in a moment; a Unix socket is made for who asks. */
  async #asked(key: string): Promise<number | Refusal> {
    const path = key.startsWith('unix:') ? this.held.ensurePath(key) : 'there';
    if (path !== 'there') {
      try {
        if (path === 'taken') throw this.#taken(key);
        this.held.add(key, this.#open(key));
      } catch (error) {
        return { reason: (error as Error).message, isFinal: true };
      }
    }
    if (!this.held.has(key)) {
      const holder = whoHas(this.#app, key);
      if (holder?.isOwn === false) return { reason: holder.inWords, isFinal: true };
      await this.#untilGiven(key, givePatienceMs);
    }
    const reason = `no instance of ${this.#app.name} has given ${addressInWords(key)}`;
    return this.held.get(key) ?? { reason, isFinal: false };
  }

  #untilGiven(key: string, patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((other) => other !== look);
        resolve();
      };
      const look = () => {
        if (this.held.has(key)) end();
      };
      const timer = setTimeout(end, patienceMs);
      this.#waiters = [...this.#waiters, look];
    });
  }

  /** After a daemon's death: what its programs listen on and no holder had any more is had from them. */
  reclaim(): void {
    for (const instance of this.#app.all) {
      const missing = this.#missingOf(instance);
      if (missing.length > 0) this.#reclaimFrom(instance, missing);
    }
  }

  /** What a program that runs has, and this daemon has not. */
  #missingOf(instance: Instance): readonly string[] {
    if (instance.program === null) return [];
    const keys = this.hasPreload
      ? [...(this.tellings.listeningOf(instance) ?? [])].flatMap(([key, { isShared }]) => (isShared ? [key] : []))
      : this.#app.spec.share.listen.map(keyOf);
    return keys.filter((key) => !this.held.has(key));
  }

  /** Resolves when what its programs were asked for has come, or has not come in time. */
  async reclaimed(): Promise<void> {
    if (!this.hasPreload) return;
    const missing = new Set(this.#app.all.flatMap((instance) => this.#missingOf(instance)));
    await Promise.all([...missing].map((key) => this.#untilGiven(key, reclaimPatienceMs)));
  }

  #reclaimFrom(instance: Instance, keys: readonly string[]): void {
    const { name, daemon } = this.#app;
    const program = instance.program!;
    const taken = takeSockets(program, keys);
    for (const [key, fd] of taken ?? []) this.held.add(key, fd);
    if (taken === null && this.hasPreload) this.tellings.askToGive(instance);
    const what =
      taken !== null
        ? `${taken.size} of them were taken out of pid ${program.pid}`
        : this.hasPreload
          ? `pid ${program.pid} is asked for them`
          : `this user may not take them out of pid ${program.pid} (Yama: sysctl kernel.yama.ptrace_scope=0): the next reload or restart comes with a gap`;
    daemon.log(`${name}: no holder has its sockets: ${what}`);
  }
}

/** Nobody shall wait in a queue that nobody serves: what the programs have closed, or what this version of them does not know, is let go. */
import { monotonicMs } from '../../host/clock.ts';
import { addressInWords, keyOf } from '../../sockets/address.ts';
import type { HeldSockets } from '../../sockets/held.ts';
import type { App } from '../app.ts';
import type { Instance } from '../instance.ts';
import type { Tellings } from './tellings.ts';

/** A socket on which nobody listens any more is let go after this time: a program may close it only to open it again. */
const closedMs = 2000;
/** One on which this version has not listened, as the one before had: it may do so late. */
const neverUsedMs = 60_000;

export class UnusedSockets {
  readonly #app: App;
  readonly #held: HeldSockets;
  readonly #tellings: Tellings;
  /** When each was last seen to be in use. */
  readonly #usedAt = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(app: App, held: HeldSockets, tellings: Tellings) {
    this.#app = app;
    this.#held = held;
    this.#tellings = tellings;
  }

  used(key: string): void {
    this.#usedAt.set(key, monotonicMs());
  }

  /** Looks in a while, if there may be any. */
  lookLater(): void {
    if (this.#timer !== null || this.#unused().length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#isCalm) for (const key of this.#unused()) this.#dropIfOld(key);
      this.lookLater();
    }, closedMs);
  }

  /** Those that no run but this one listens on. */
  onlyOf(instance: Instance): readonly string[] {
    const own = this.#tellings.listeningOf(instance);
    const others = this.#app.all.filter((other) => other !== instance);
    return this.#undeclared().filter(
      (key) => own?.has(key) && others.every((other) => this.#tellings.listeningOf(other)?.has(key) !== true),
    );
  }

  /** What came by a run that has failed is let go with it. */
  dropNow(keys: readonly string[]): void {
    for (const key of this.#unused().filter((one) => keys.includes(one))) this.#drop(key);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Who starts, or stops, may need it in a moment. */
  get #isCalm(): boolean {
    return this.#app.all.every(({ role, model }) => role === 'main' && model.state.name === 'running');
  }

  #unused(): readonly string[] {
    return this.#undeclared().filter((key) => !this.#tellings.isInUse(key));
  }

  /** What its spec names is held in any case. */
  #undeclared(): readonly string[] {
    const declared = this.#app.spec.share.listen.map(keyOf);
    const keys = this.#held.entries().map(({ key }) => key);
    return keys.filter((key) => !declared.includes(key));
  }

  #dropIfOld(key: string): void {
    const now = monotonicMs();
    const since = this.#usedAt.get(key) ?? now;
    this.#usedAt.set(key, since);
    const isClosed = this.#app.all.every((instance) => this.#tellings.hasClosed(instance, key));
    if (now - since >= (isClosed ? closedMs : neverUsedMs)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#app.daemon.log(`${this.#app.name}: nobody listens on ${addressInWords(key)} any more: it is let go`);
    this.#held.drop(key);
    this.#usedAt.delete(key);
  }
}

/** An app that its first connection starts, and that is stopped when it has had none for a while. */
import { readable } from '../../host/socket-calls.ts';
import { watchArrival } from '../../sockets/arrival.ts';
import type { HeldSockets } from '../../sockets/held.ts';
import type { App } from '../app.ts';
import { IdleWatch } from './idle.ts';

export class OnDemand {
  readonly #app: App;
  readonly #held: HeldSockets;
  /** Makes the sockets that the spec names, where they are not there. May throw. */
  readonly #makeSockets: () => void;
  #arrivals: readonly { close(): void }[] = [];
  #idle: IdleWatch | null = null;

  constructor(app: App, held: HeldSockets, makeSockets: () => void) {
    this.#app = app;
    this.#held = held;
    this.#makeSockets = makeSockets;
  }

  /** A connection waits, and nobody accepts it. */
  hasConnection(): boolean {
    try {
      this.#makeSockets();
      return readable(this.#held.entries().map(({ fd }) => fd)).length > 0;
    } catch {
      return false;
    }
  }

  /** Starts those that wait for a connection when it comes. */
  watch(): void {
    this.#unwatch();
    try {
      this.#makeSockets();
      this.#arrivals = this.#held.entries().map(({ fd }) => watchArrival(fd, () => this.#arrived()));
    } catch (error) {
      this.#app.daemon.log(`${this.#app.name}: can't wait for connections: ${(error as Error).message}`);
    }
  }

  /** The state of an instance is another one. What serves is not watched: each connection would wake this process. */
  changed(): void {
    const states = this.#app.instances.map(({ model }) => model.state);
    if (!states.some((state) => state.name === 'waiting' && state.for === 'connection')) this.#unwatch();
    const { onDemand, idleTimeoutMs } = this.#app.spec.share;
    if (!onDemand || idleTimeoutMs === null || !states.some(({ name }) => name === 'running')) this.#forgetIdle();
    else this.#idle ??= new IdleWatch(this.#app, this.#held, idleTimeoutMs);
  }

  close(): void {
    this.#unwatch();
    this.#forgetIdle();
  }

  #arrived(): void {
    if (!this.hasConnection()) return;
    this.#unwatch();
    for (const instance of this.#app.instances) instance.dispatch({ type: 'connection' });
  }

  #unwatch(): void {
    for (const arrival of this.#arrivals) arrival.close();
    this.#arrivals = [];
  }

  #forgetIdle(): void {
    this.#idle?.close();
    this.#idle = null;
  }
}

/**
 * Notices that an app has had no connection for so long that it may be stopped until the next one. Nothing tells of that, so it is looked at now and then: of one
 * that came and went between two looks there is a trace if the server ended it, and none if the client did.
 */
import { monotonicMs } from '../../host/clock.ts';
import { countConnections } from '../../sockets/connections.ts';
import type { HeldSockets } from '../../sockets/held.ts';
import type { App } from '../app.ts';

const shortestLookMs = 250;
const longestLookMs = 60_000;

export class IdleWatch {
  readonly #app: App;
  readonly #held: HeldSockets;
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  #busyAt = monotonicMs();
  #lookedAt = this.#busyAt;

  constructor(app: App, held: HeldSockets, timeoutMs: number) {
    this.#app = app;
    this.#held = held;
    this.#timeoutMs = timeoutMs;
    const every = Math.min(longestLookMs, Math.max(shortestLookMs, timeoutMs / 4));
    this.#timer = setInterval(() => this.#look(), every);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = monotonicMs();
    const sinceMs = now - this.#lookedAt;
    this.#lookedAt = now;
    const keys = this.#held.entries().map(({ key }) => key);
    if (countConnections(keys, sinceMs) > 0) this.#busyAt = now;
    if (now - this.#busyAt < this.#timeoutMs) return;
    for (const instance of this.#app.instances) {
      const { state, run } = instance.model;
      if (state.name === 'running') instance.dispatch({ type: 'idle', run });
    }
  }
}

/** How a client asks: with whom it is for on record, cancelled with its signal or its client, and with a daemon started or not. */
import { type ActOptions, act } from '../client/act.ts';
import { captureCaller, presentEnvironment } from '../client/caller.ts';
import { quickTimeoutMs, request } from '../client/http.ts';
import { startDaemonApart } from '../client/start-daemon.ts';
import { isDaemonAway, isDaemonDown } from '../client/unreachable.ts';
import { pause } from '../host/pause.ts';
import type { Answers } from '../protocol/answers.ts';
import type { Asker, Caller, DaemonView, EventsResponse, RouteName } from '../protocol/api.ts';
import { Lifetimes } from './lifetimes.ts';

/** How long a daemon that died may take to be there again: its guardian needs a quarter of a second. */
const backPatienceMs = 15_000;
const lookMs = 100;
/** It has nothing to wait for but its files. */
const stopPatienceMs = 20_000;

export interface AskingOptions {
  readonly home: string;
  readonly start: boolean;
  readonly by: string;
}

export type Asked = Pick<ActOptions, 'params' | 'query' | 'body'>;

export class Asking {
  readonly home: string;
  readonly lifetimes = new Lifetimes();
  readonly #isStarting: boolean;
  readonly #by: string;
  /** What has been called before, and is to be there before anything else is asked. */
  readonly #beginnings = new Set<Promise<void>>();

  constructor({ home, start, by }: AskingOptions) {
    this.home = home;
    this.#isStarting = start;
    this.#by = by;
  }

  /** Who asks, for the record. */
  get asker(): Required<Asker> {
    return { pid: process.pid, command: this.#by };
  }

  /** What a program has from this process. Throws CWD_MISSING. */
  get caller(): Caller {
    return captureCaller({ env: presentEnvironment(), command: this.#by });
  }

  /** For `act`: within a lifetime. */
  within(signal: AbortSignal): Required<Pick<ActOptions, 'bringUp'>> & { readonly signal: AbortSignal } {
    return { signal, bringUp: (home, failure) => this.#bringUp(home, failure, signal) };
  }

  /** One thing that is asked for: with its signal, and after what has been called before. */
  during<T>(outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.lifetimes.during(outer, async (signal) => {
      await this.begun(signal);
      return work(signal);
    });
  }

  /** Asks, and waits for the effect for as long as it takes. */
  act<R extends RouteName>(outer: AbortSignal | undefined, route: R, asked: Asked): Promise<Answers[R]> {
    return this.during(outer, (signal) => act(this.home, route, { ...asked, ...this.within(signal) }));
  }

  /** Asks what is answered at once. A daemon is started only for what needs one. */
  read<R extends RouteName>(outer: AbortSignal | undefined, route: R, asked: Asked = {}): Promise<Answers[R]> {
    if (this.#isStarting) return this.act(outer, route, asked);
    return this.during(outer, (signal) => request(this.home, route, { ...asked, signal }));
  }

  /** What is asked from now on waits until the returned function is called. */
  begin(): () => void {
    let done = () => {};
    const beginning = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#beginnings.add(beginning);
    const over = () => {
      clearTimeout(timer);
      this.#beginnings.delete(beginning);
      done();
    };
    // A daemon that hangs is found to do so by who asks.
    const timer = setTimeout(over, quickTimeoutMs);
    return over;
  }

  /** Throws the signal's reason. */
  async begun(signal: AbortSignal): Promise<void> {
    if (this.#beginnings.size === 0) return;
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([Promise.all(this.#beginnings), aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Sees to it that a daemon answers, if that is wanted. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#isStarting) await act(this.home, 'daemonStatus', this.within(signal));
  }

  /** Without starting one. */
  status(signal: AbortSignal): Promise<DaemonView> {
    return request(this.home, 'daemonStatus', { signal });
  }

  /** The kept events with an id over this. */
  past(after: number | null, signal: AbortSignal): Promise<EventsResponse> {
    return request(this.home, 'events', { query: { since: String(after ?? 0) }, signal });
  }

  /** Without starting one to be stopped. */
  stop(signal: AbortSignal): Promise<DaemonView> {
    return request(this.home, 'daemonStop', { body: {}, timeoutMs: stopPatienceMs, signal });
  }

  /** One that died over the question is about to be there again: its guardian sees to that. */
  async #bringUp(home: string, failure: unknown, signal: AbortSignal): Promise<void> {
    if (this.#isStarting) return startDaemonApart(home, signal);
    if (isDaemonDown(failure)) throw failure;
    for (const deadline = performance.now() + backPatienceMs; ; await pause(lookMs, signal)) {
      try {
        await request(home, 'daemonStatus', { signal });
        return;
      } catch (error) {
        if (!isDaemonAway(error) || performance.now() > deadline) throw error;
      }
    }
  }
}

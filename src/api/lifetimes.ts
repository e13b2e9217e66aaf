import { defaultMaxListeners, getMaxListeners, setMaxListeners } from 'node:events';
import { SteadError } from '../protocol/errors.ts';

/** Enough for all that a program does at a time with one signal; Node warns of more than ten listeners. */
const manyListeners = 10_000;

export interface Lifetime {
  /** Aborted with the caller's signal, or with the client. */
  readonly signal: AbortSignal;
  /** It is over: nobody listens any more. */
  end(): void;
}

/** All that goes on for one client, so that its end is theirs. */
export class Lifetimes {
  readonly #open = new Set<{ readonly controller: AbortController; readonly ended: Promise<void> }>();
  isClosed = false;

  /** Throws the signal's reason, or CLIENT_CLOSED. */
  begin(outer: AbortSignal | undefined): Lifetime {
    if (this.isClosed) throw closed();
    outer?.throwIfAborted();
    const controller = new AbortController();
    setMaxListeners(manyListeners, controller.signal);
    let over = () => {};
    const one = {
      controller,
      ended: new Promise<void>((resolve) => {
        over = resolve;
      }),
    };
    const onAbort = () => controller.abort(outer!.reason);
    if (outer !== undefined && getMaxListeners(outer) === defaultMaxListeners) setMaxListeners(manyListeners, outer);
    outer?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(one);
    return {
      signal: controller.signal,
      end: () => {
        outer?.removeEventListener('abort', onAbort);
        this.#open.delete(one);
        over();
      },
    };
  }

  async during<T>(outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, end } = this.begin(outer);
    try {
      return await work(signal);
    } finally {
      end();
    }
  }

  /** Resolves when all is over. */
  async close(): Promise<void> {
    this.isClosed = true;
    const open = [...this.#open];
    for (const { controller } of open) controller.abort(closed());
    await Promise.all(open.map(({ ended }) => ended));
  }
}

const closed = () => new SteadError('CLIENT_CLOSED', 'The client was closed.', { hint: 'connect() gives another' });

/** Whether something ended because its client was closed. */
export const isClosing = (error: unknown): boolean => error instanceof SteadError && error.code === 'CLIENT_CLOSED';

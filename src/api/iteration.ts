import { isClosing, type Lifetime } from './lifetimes.ts';

interface Running<T> {
  readonly lifetime: Lifetime;
  readonly items: AsyncGenerator<T>;
}

/**
 * An iteration over what comes that can be left at any time, also while the next is waited for. It ends quietly with its client, and with the signal's reason
 * otherwise. It begins with the first `next()`, or at once.
 */
export class Iteration<T> implements AsyncIterableIterator<T> {
  readonly #begin: () => Running<T>;
  readonly #left = new AbortController();
  #running: Running<T> | null = null;
  #first: Promise<IteratorResult<T>> | null = null;
  /** Not told to anybody yet. */
  #failure: { readonly error: unknown } | null = null;
  #isOver = false;

  /** `generate` is given a signal that is aborted when nobody wants any more. */
  constructor(begin: () => Lifetime, generate: (signal: AbortSignal) => AsyncGenerator<T>, { isEager = false } = {}) {
    this.#begin = () => {
      const lifetime = begin();
      lifetime.signal.addEventListener('abort', () => this.#leave(lifetime.signal.reason), { once: true });
      return { lifetime, items: generate(this.#left.signal) };
    };
    if (!isEager) return;
    this.#first = this.#step();
    // Told to who asks for it.
    this.#first.catch(() => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    const first = this.#first;
    this.#first = null;
    return first ?? this.#step();
  }

  async return(): Promise<IteratorResult<T>> {
    await this.#leave(new Left());
    return over();
  }

  /** Also while nobody waits for the next: what it holds is let go. */
  async #leave(reason: unknown): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!isQuiet(reason)) this.#failure = { error: reason };
    this.#left.abort(reason);
    // What it waits for ends now, and then it.
    await this.#running?.items.return(undefined).catch(() => {});
    this.#running?.lifetime.end();
  }

  async #step(): Promise<IteratorResult<T>> {
    if (this.#isOver) return this.#told();
    this.#running ??= this.#begin();
    const { lifetime, items } = this.#running;
    try {
      const result = await items.next();
      if (result.done === true) this.#end(lifetime);
      return this.#isOver && result.done === true ? this.#told() : result;
    } catch (error) {
      if (!this.#isOver) this.#failure = { error };
      this.#end(lifetime);
      return this.#told();
    }
  }

  #end(lifetime: Lifetime): void {
    this.#isOver = true;
    lifetime.end();
  }

  /** Why it is over, once. */
  #told(): IteratorReturnResult<undefined> {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
    return over();
  }
}

const over = (): IteratorReturnResult<undefined> => ({ done: true, value: undefined });

/** Nobody wants any more. */
class Left extends Error {}

const isQuiet = (reason: unknown): boolean => reason instanceof Left || isClosing(reason);

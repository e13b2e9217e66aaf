import { isClosing, type Lifetime } from './lifetimes.ts';

/**
 * An iteration over what comes that can be left at any time, also while the next is waited for. It ends quietly with its client, and with the signal's reason
 * otherwise. `begin` is called with the first `next()`, or at once.
 */
export class Iteration<T> implements AsyncIterableIterator<T> {
  readonly #begin: () => { readonly lifetime: Lifetime; readonly items: AsyncGenerator<T> };
  readonly #left = new AbortController();
  #running: { readonly lifetime: Lifetime; readonly items: AsyncGenerator<T> } | null = null;
  #first: Promise<IteratorResult<T>> | null = null;
  #isOver = false;

  /** `generate` is given a signal that is aborted when nobody wants any more. */
  constructor(begin: () => Lifetime, generate: (signal: AbortSignal) => AsyncGenerator<T>, { isEager = false } = {}) {
    this.#begin = () => {
      const lifetime = begin();
      const onAbort = () => this.#left.abort(lifetime.signal.reason);
      lifetime.signal.addEventListener('abort', onAbort, { once: true });
      return { lifetime, items: generate(this.#left.signal) };
    };
    if (!isEager) return;
    this.#running = this.#begin();
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
    this.#left.abort(new Left());
    const running = this.#running;
    this.#isOver = true;
    // What it waits for ends now, and then it.
    await running?.items.return(undefined).catch(() => {});
    this.#end();
    return over();
  }

  async #step(): Promise<IteratorResult<T>> {
    if (this.#isOver) return over();
    try {
      this.#running ??= this.#begin();
      const result = await this.#running.items.next();
      if (result.done === true) this.#end();
      return result;
    } catch (error) {
      this.#end();
      if (error instanceof Left || (isClosing(error) && this.#running !== null)) return over();
      throw error;
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#running?.lifetime.end();
  }
}

const over = (): IteratorReturnResult<undefined> => ({ done: true, value: undefined });

/** Nobody wants any more. */
class Left extends Error {}

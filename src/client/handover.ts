/** So many may wait: who gives more is held up. */
const mostWaiting = 1000;

/** From who has things at any time to who asks for one after the other. */
export class Handover<T> {
  readonly #waiting: T[] = [];
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;
  #wakeTaker = () => {};
  #wakeGivers: (() => void)[] = [];

  /** Resolves once there is room for more, or nobody takes anything any more. */
  async give(items: readonly T[]): Promise<void> {
    if (this.#isOver) return;
    this.#waiting.push(...items);
    this.#wakeTaker();
    if (this.#waiting.length > mostWaiting) await new Promise<void>((resolve) => this.#wakeGivers.push(resolve));
  }

  /** Nothing more is given; what waits can still be taken. */
  end(): void {
    this.#isOver = true;
    this.#wakeTaker();
    this.#letGiversGo();
  }

  /** As `end`, and who takes is told. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.end();
  }

  async *taken(): AsyncGenerator<T> {
    for (;;) {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        if (this.#waiting.length <= mostWaiting) this.#letGiversGo();
        yield next;
      }
      if (this.#failure !== null) throw this.#failure.error;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
    }
  }

  #letGiversGo(): void {
    const givers = this.#wakeGivers;
    this.#wakeGivers = [];
    for (const wake of givers) wake();
  }
}

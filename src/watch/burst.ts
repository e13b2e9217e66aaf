/** Gathers what happens in quick succession: over when nothing has come for a while, or after so long in any case. */
import { monotonicMs, wallMs } from '../host/clock.ts';

/** While git writes its index, a checkout goes on: waited for, but not for ever, as an editor for a commit's message keeps it open as well. */
const heldMs = 10_000;
/** A checkout of very many files on a slow disk: as long as it goes on. */
const longestMs = 120_000;
const heldLookMs = 50;

export interface BurstOptions {
  /** 0: each event is a burst, as far as the loop tells them apart. */
  readonly quietMs: number;
  readonly mostMs: number;
  /** More is sure to come. */
  isHeld(): boolean;
  /** `at`: when it began, in milliseconds since the epoch. */
  onEnd(at: number): void;
}

export class Burst {
  readonly #options: BurstOptions;
  #timer: NodeJS.Timeout | null = null;
  #firstMs = 0;
  #lastMs = 0;
  #at = 0;

  constructor(options: BurstOptions) {
    this.#options = options;
  }

  /** Something happened. One timer serves a burst, however many events it has. */
  touch(): void {
    this.#lastMs = monotonicMs();
    if (this.#timer !== null) return;
    this.#firstMs = this.#lastMs;
    this.#at = wallMs();
    this.#wait(this.#options.quietMs);
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    const { quietMs, mostMs, isHeld } = this.#options;
    const now = monotonicMs();
    const left = Math.min(this.#lastMs + quietMs, this.#firstMs + mostMs) - now;
    // A timer may fire a part of a millisecond early.
    if (left >= 1) this.#wait(left);
    else if (now < Math.min(this.#lastMs + heldMs, this.#firstMs + longestMs) && isHeld())
      this.#wait(Math.max(quietMs, heldLookMs));
    else this.#end();
  }

  #end(): void {
    this.#timer = null;
    this.#options.onEnd(this.#at);
  }
}

/** How fast crashed apps may be started again, all together: so that a crash storm does not eat the machine. What a person asks for is never delayed. */
const burst = 20;
const perSecond = 20;
const intervalMs = 1000 / perSecond;

export class CrashBucket {
  /** When the bucket will have been full again, in milliseconds of the caller's clock. */
  #fullAt = 0;

  /** How long the next restart would have to wait. */
  delayMs(now: number): number {
    return Math.max(0, Math.ceil(this.#fullAt - now - (burst - 1) * intervalMs));
  }

  /** A restart was granted, with the delay of now. */
  take(now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now) + intervalMs;
  }
}

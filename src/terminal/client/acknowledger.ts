/** Tells the host what this client is done with: for much output now and then, and all of it soon after it came to rest. */

const tellEachBytes = 32 * 1024;
/** Not with every echo of a key. */
const restMs = 25;

export class Acknowledger {
  readonly #tell: (bytes: number) => void;
  #done = 0;
  #told = 0;
  #skipped = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `tell`: the sum of all bytes so far. */
  constructor(tell: (bytes: number) => void) {
    this.#tell = tell;
  }

  /** So many of the bytes that come next are not counted. */
  skip(bytes: number): void {
    this.#skipped += bytes;
  }

  taken(bytes: number, isIdle: boolean): void {
    const skipped = Math.min(this.#skipped, bytes);
    this.#skipped -= skipped;
    this.#done += bytes - skipped;
    if (this.#done - this.#told >= tellEachBytes) this.#now();
    else if (isIdle && this.#done > this.#told) this.#timer ??= setTimeout(() => this.#now(), restMs);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #now(): void {
    this.stop();
    if (this.#done === this.#told) return;
    this.#told = this.#done;
    this.#tell(this.#done);
  }
}

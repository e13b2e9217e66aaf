/** When a screen's checkpoint is written: after output, once it is quiet; else now and then. */

const quietMs = 1000;
/** What streams on is written less often: a snapshot costs some 25 ms. */
const longestMs = 10_000;
const leastMs = 2000;
/** A second of parsing, by which a new host is late. */
const mostBytes = 16 * 1024 * 1024;

export class Checkpoints {
  readonly #write: () => void;
  #timer: NodeJS.Timeout | null = null;
  #bytes = 0;
  #lastOutputAt = 0;
  #lastWriteAt = performance.now();

  constructor(write: () => void) {
    this.#write = write;
  }

  /** The screen has seen so much more, or (0) has another size. */
  changed(bytes: number): void {
    this.#bytes += bytes;
    this.#lastOutputAt = performance.now();
    this.#timer ??= setTimeout(() => this.#look(), quietMs);
  }

  now(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#bytes = 0;
    this.#lastWriteAt = performance.now();
    this.#write();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = null;
    const now = performance.now();
    const since = now - this.#lastWriteAt;
    const isQuiet = now - this.#lastOutputAt >= quietMs - 50;
    if (isQuiet || since >= longestMs || (since >= leastMs && this.#bytes >= mostBytes)) this.now();
    else this.#timer = setTimeout(() => this.#look(), quietMs);
  }
}

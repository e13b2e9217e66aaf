/** What is typed, on its way into the terminal. A terminal takes some KB whose program does not read; the rest waits here. Nothing blocks. */
import { writeSync } from 'node:fs';
import { errnoOf } from '../../host/files.ts';

export class InputQueue {
  readonly #master: number;
  readonly #waiting: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  constructor(master: number) {
    this.#master = master;
  }

  /** How much waits. */
  get bytes(): number {
    return this.#bytes;
  }

  write(bytes: Buffer): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#waiting.length === 1) this.flush();
  }

  /** Writes what the terminal takes; to be called when it may take more. */
  flush(): void {
    // The kernel tells of room once it has refused something. What was read between its refusal and its taking note of that, nobody tells of: hence twice.
    for (let refusals = 0; this.#waiting.length > 0 && refusals < 2; )
      refusals = this.#writeOne(this.#waiting[0]!) ? 0 : refusals + 1;
  }

  close(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
    this.#bytes = 0;
  }

  /** False if there is no room. */
  #writeOne(bytes: Buffer): boolean {
    try {
      const written = writeSync(this.#master, bytes);
      this.#bytes -= written;
      if (written === bytes.length) this.#waiting.shift();
      else this.#waiting[0] = bytes.subarray(written);
      return written > 0;
    } catch (error) {
      // EIO: nobody will read it any more.
      if (errnoOf(error) !== 'EAGAIN') this.close();
      return false;
    }
  }
}

/** Where a session's output goes: in order, one piece at a time, and told when it has been taken. So what is queued can still be dropped. */
import type { Writable } from 'node:stream';

/** Small enough that a terminal which stands still is left with little. */
const pieceBytes = 16 * 1024;

export interface SinkEvents {
  /** So many bytes have been taken since the last time; `isIdle`: and there are no more. */
  onTaken(bytes: number, isIdle: boolean): void;
  /** Nobody is there to take anything: EPIPE, EIO. */
  onGone(): void;
}

export class Sink {
  readonly #stream: Writable;
  readonly #events: SinkEvents;
  #queue: Buffer[] = [];
  #queued = 0;
  #isWriting = false;
  #isOver = false;
  #waiting: (() => void)[] = [];
  readonly #onError = (): void => this.#fail();

  constructor(stream: Writable, events: SinkEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('error', this.#onError);
  }

  /** Bytes that have not been taken yet. */
  get queued(): number {
    return this.#queued;
  }

  write(bytes: Buffer): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.#next();
  }

  /** Drops what has not been begun. Gives how many bytes are still on their way. */
  clear(): number {
    this.#queued -= this.#queue.reduce((sum, { length }) => sum + length, 0);
    this.#queue = [];
    return this.#queued;
  }

  /** When all has been taken, or can't be. */
  async drained(): Promise<void> {
    if (this.#queued === 0 || this.#isOver) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Drops what is queued; resolves when the piece that was begun has been taken, or after `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    this.#isOver = true;
    this.#queue = [];
    if (this.#isWriting) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceMs);
      });
      await Promise.race([late, new Promise<void>((resolve) => this.#waiting.push(resolve))]);
      clearTimeout(timer);
    }
    // What is still being written may fail later, and then there is nobody to care.
    this.#stream.removeListener('error', this.#onError);
    this.#stream.on('error', () => {});
  }

  #next(): void {
    if (this.#isWriting) return;
    const piece = this.#takePiece();
    if (!piece) return;
    this.#isWriting = true;
    this.#stream.write(piece, (error) => {
      this.#isWriting = false;
      if (error) this.#fail();
      else this.#taken(piece.length);
    });
  }

  /** Small pieces go together, large ones in parts. */
  #takePiece(): Buffer | undefined {
    const first = this.#queue.shift();
    if (!first) return undefined;
    if (first.length > pieceBytes) {
      this.#queue.unshift(first.subarray(pieceBytes));
      return first.subarray(0, pieceBytes);
    }
    const together = [first];
    for (let length = first.length; this.#queue.length > 0; ) {
      length += this.#queue[0]!.length;
      if (length > pieceBytes) break;
      together.push(this.#queue.shift()!);
    }
    return together.length === 1 ? first : Buffer.concat(together);
  }

  #taken(bytes: number): void {
    this.#queued -= bytes;
    if (!this.#isOver) {
      this.#events.onTaken(bytes, this.#queue.length === 0);
      this.#next();
    }
    if (!this.#isWriting) this.#wake();
  }

  #fail(): void {
    const isNews = !this.#isOver;
    this.#isOver = true;
    this.#queue = [];
    this.#wake();
    if (isNews) this.#events.onGone();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** Several may type into one terminal. What one pastes stays in one piece: the others wait meanwhile. */

const begin = Buffer.from('\x1b[200~');
const end = Buffer.from('\x1b[201~');
/** A paste whose end does not come, e.g. as its client is gone, holds nobody up for longer. */
const patienceMs = 2000;
const mostWaiting = 1024 * 1024;

interface Typed {
  readonly by: object;
  readonly bytes: Buffer;
}

export class TypingTurns {
  readonly #write: (bytes: Buffer) => void;
  #pasting: object | null = null;
  /** A marker may come in two pieces. */
  #tail = Buffer.alloc(0);
  #timer: NodeJS.Timeout | null = null;
  #waiting: Typed[] = [];
  #waitingBytes = 0;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  type(by: object, bytes: Buffer): void {
    if (this.#pasting !== null && this.#pasting !== by) this.#wait({ by, bytes });
    else this.#pass(by, bytes);
  }

  /** `by` is gone. */
  leave(by: object): void {
    if (this.#pasting === by) this.#finish();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #wait(typed: Typed): void {
    this.#waiting.push(typed);
    this.#waitingBytes += typed.bytes.length;
    if (this.#waitingBytes > mostWaiting) this.#finish();
  }

  #pass(by: object, bytes: Buffer): void {
    this.#write(bytes);
    if (this.#pasting === null && !bytes.includes(0x1b)) return;
    const seen = this.#pasting === by ? Buffer.concat([this.#tail, bytes]) : bytes;
    const isPasting = seen.lastIndexOf(begin) > seen.lastIndexOf(end) || (this.#pasting === by && !seen.includes(end));
    this.#tail = Buffer.from(seen.subarray(-(end.length - 1)));
    if (isPasting) this.#goOn(by);
    else if (this.#pasting === by) this.#finish();
  }

  #goOn(by: object): void {
    this.#pasting = by;
    this.#timer ??= setTimeout(() => this.#finish(), patienceMs);
    this.#timer.refresh();
  }

  #finish(): void {
    this.#pasting = null;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    // One of them may begin a paste of its own.
    for (const { by, bytes } of waiting) this.type(by, bytes);
  }
}

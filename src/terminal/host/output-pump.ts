/**
 * When a run's output is moved: as SIGIO tells of it, and while it streams in, over and over without waiting for a signal. Two things hold it up: a log that takes
 * nothing (tried again each second), and a screen that is too far behind (`room`).
 */
import { watchReadable } from '../../host/arrivals.ts';
import { signalArrivals } from '../../host/socket-calls.ts';
import type { RunOutput } from './run-output.ts';

/** Some 10 ms of a program at full speed. */
const turnBytes = 256 * 1024;
/** More at once is a stream. */
const streamBytes = 8192;
/** Less room is none. */
const leastRoom = 4096;
/** A stream is over when so many turns bring nothing: the program may have been waiting for its processor. */
const quietTurns = 4;
const tryAgainMs = 1000;
/** The program is over: how long others may still have its terminal, and when they are taken to be silent. */
const drainMs = 1000;
const silenceMs = 200;
/** No signal tells that the last one closed a terminal. */
const lookAgainMs = 10;

export interface PumpOptions {
  /** How many bytes may be moved now, as the screen follows. */
  room(): number;
  moved(): void;
  /** A stream is over: from now on signals tell again, also of room for what is typed. */
  calmed(): void;
  failed(error: unknown): void;
  /** The log takes nothing any more, or does again. */
  stuck(): void;
}

export class OutputPump {
  readonly #output: RunOutput;
  readonly #options: PumpOptions;
  readonly #watch: { close(): void };
  #isDue = false;
  #isStreaming = false;
  /** The failure of the log that was told of last. */
  #told: string | null = null;
  #isHeld = false;
  #quiet = 0;
  #retry: NodeJS.Timeout | null = null;
  #isOpen = true;

  /** Of an output with a master. */
  constructor(output: RunOutput, options: PumpOptions) {
    this.#output = output;
    this.#options = options;
    this.#watch = watchReadable(output.master!, () => this.#arrived());
    // What waits in the FIFO raises no signal.
    this.#schedule();
  }

  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  /** The program gives nothing at this moment. */
  get isQuiet(): boolean {
    return this.#quiet > 0;
  }

  /** It may be that there is room again. */
  resume(): void {
    if (this.#isHeld) this.#schedule();
  }

  /** Moves all to the end: nobody has the terminal any more, or those that do say nothing. */
  async drain(): Promise<void> {
    const deadline = performance.now() + drainMs;
    let silentFrom = performance.now();
    for (;;) {
      if (!this.#isOpen) return;
      const moved = this.#move(turnBytes);
      const now = performance.now();
      if (moved > 0) silentFrom = now;
      if (this.#output.isOver || now >= deadline || now - silentFrom >= silenceMs) return;
      await new Promise((resolve) => setTimeout(resolve, moved > 0 ? 0 : lookAgainMs));
    }
  }

  close(): void {
    this.#isOpen = false;
    if (this.#retry) clearTimeout(this.#retry);
    this.#watch.close();
  }

  #arrived(): void {
    if (!this.#isDue) this.#turn();
  }

  #schedule(): void {
    if (this.#isDue || !this.#isOpen) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (!this.#isOpen) return;
    const room = this.#options.room();
    this.#isHeld = room < leastRoom;
    if (this.#isHeld) return;
    const moved = this.#move(Math.min(room, turnBytes));
    this.#quiet = moved > 0 ? 0 : this.#quiet + 1;
    if (moved >= streamBytes) this.#setStreaming(true);
    else if (this.#quiet >= quietTurns) this.#setStreaming(false);
    if (this.#isStreaming && this.#output.failure === null) this.#schedule();
  }

  #move(most: number): number {
    try {
      const moved = this.#output.move(most);
      if (moved > 0) this.#options.moved();
      if (this.#output.failure !== null) this.#tryLater();
      if (this.#output.failure !== this.#told) {
        this.#told = this.#output.failure;
        this.#options.stuck();
      }
      return moved;
    } catch (error) {
      this.#options.failed(error);
      return 0;
    }
  }

  /** A signal for every piece of a stream would cost more than the piece. */
  #setStreaming(isStreaming: boolean): void {
    if (isStreaming === this.#isStreaming) return;
    this.#isStreaming = isStreaming;
    signalArrivals(this.#output.master!, !isStreaming);
    if (isStreaming) return;
    this.#options.calmed();
    // What came before the signals were on again.
    if (this.#output.failure === null) this.#schedule();
  }

  #tryLater(): void {
    this.#setStreaming(false);
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      this.#turn();
    }, tryAgainMs);
  }
}

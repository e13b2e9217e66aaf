/**
 * Feeds a screen with what a log says, in pieces, and gives way to all else between two. `parsed` is the offset up to which the screen has it.
 * Whoever needs the screen at rest (a snapshot, a new size) gets his turn between two pieces.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunOutput } from './run-output.ts';
import type { HostScreen } from './screen-type.ts';

/** Some 8 ms of parsing at most. */
export const pieceBytes = 64 * 1024;

export interface FollowerOptions {
  /** How many bytes the screen may be fed with now, `pieceBytes` at most; 0: something else comes first. */
  pace(): number;
  /** Bytes that the screen has from now on; `from` is where they lay. */
  parsed(bytes: Buffer, from: number): void;
  /** The screen has all that there is. */
  idle(): void;
  failed(error: unknown): void;
}

export class Follower {
  readonly screen: HostScreen;
  readonly #options: FollowerOptions;
  #output: RunOutput;
  #parsed: number;
  /** Where the piece under way begins. */
  #pieceFrom: number;
  #isRunning = false;
  #isHeld = false;
  #isOpen = true;
  readonly #turns: (() => void)[] = [];
  readonly #waiting: { readonly offset: number; resolve(): void }[] = [];

  constructor(screen: HostScreen, output: RunOutput, { from, ...options }: FollowerOptions & { from: number }) {
    this.screen = screen;
    this.#output = output;
    this.#parsed = from;
    this.#pieceFrom = from;
    this.#options = options;
  }

  get output(): RunOutput {
    return this.#output;
  }

  get parsed(): number {
    return this.#parsed;
  }

  /** Where that begins which the screen is being fed with, or was last. */
  get pieceFrom(): number {
    return this.#pieceFrom;
  }

  /** How much the screen has not seen yet. */
  get backlog(): number {
    return Math.max(0, this.#output.end - this.#parsed);
  }

  /** There may be more. */
  grew(): void {
    if (this.#isRunning || this.#isHeld || !this.#isOpen) return;
    this.#isRunning = true;
    this.#run().then(
      () => {
        this.#isRunning = false;
        // What came since the last piece.
        this.#takeTurns();
        if (this.backlog > 0) this.grew();
      },
      (error) => {
        this.#isRunning = false;
        this.#takeTurns();
        this.#options.failed(error);
      },
    );
  }

  /** Calls when the screen is at rest: now, or after the piece under way. */
  atRest(turn: () => void): void {
    if (this.#isRunning || this.#isHeld) this.#turns.push(turn);
    else turn();
  }

  /** Nothing is fed until `work` is done with the screen. */
  async hold(work: () => Promise<void>): Promise<void> {
    await new Promise<void>((resolve) =>
      this.atRest(() => {
        this.#isHeld = true;
        resolve();
      }),
    );
    try {
      await work();
    } finally {
      this.#isHeld = false;
      this.#takeTurns();
      this.grew();
    }
  }

  /** Resolves when the screen has all that is there now. */
  caughtUp(): Promise<void> {
    const offset = this.#output.end;
    if (!this.#isOpen || (this.#parsed >= offset && !this.#isHeld)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ offset, resolve }));
  }

  /** Goes on with another run's output, or at another place; only while it is held or at rest. */
  follow(output: RunOutput, from: number): void {
    this.#output = output;
    this.#parsed = from;
    this.#pieceFrom = from;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  close(): void {
    this.#isOpen = false;
    this.#takeTurns();
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    if (!this.#isRunning) this.screen.dispose();
  }

  async #run(): Promise<void> {
    // Not kept between two bursts: twenty idle sessions have none.
    const buffer = Buffer.allocUnsafeSlow(pieceBytes);
    while (this.#isOpen && !this.#isHeld && (await this.#feedPiece(buffer))) {
      this.#takeTurns();
      await nextTurn();
    }
    this.#takeTurns();
    if (!this.#isOpen) this.screen.dispose();
    else if (!this.#isHeld) this.#options.idle();
  }

  /** False if there was nothing. */
  async #feedPiece(buffer: Buffer): Promise<boolean> {
    const most = this.#options.pace();
    if (most === 0) return true;
    const { at, bytes } = this.#output.read(buffer.subarray(0, most), this.#parsed);
    this.#parsed = at;
    this.#pieceFrom = at;
    if (bytes > 0) {
      const piece = buffer.subarray(0, bytes);
      await this.screen.feed(piece);
      this.#parsed = at + bytes;
      this.#options.parsed(piece, at);
    }
    this.#wake();
    return bytes > 0;
  }

  #takeTurns(): void {
    while (this.#turns.length > 0 && (!this.#isHeld || !this.#isOpen)) this.#turns.shift()!();
  }

  #wake(): void {
    for (const waiting of this.#waiting.splice(0))
      if (waiting.offset <= this.#parsed) waiting.resolve();
      else this.#waiting.push(waiting);
  }
}

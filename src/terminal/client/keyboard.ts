/** What is typed on the user's terminal, without the keys that detach. */
import type { Readable } from 'node:stream';
import { DetachDetector, type DetachKeys } from '../keys-detach.ts';

export interface KeyboardOptions {
  readonly detachKeys: DetachKeys | null;
  /** Whether a lone ESC can't be the Escape key. */
  isKittyOn(): boolean;
  onInput(bytes: Buffer): void;
  onDetach(): void;
  /** The terminal is gone. */
  onGone(): void;
}

/**
 * How long an ESC may be the beginning of a sequence that comes in pieces, over a slow line. The Escape key reaches the program so much later, unless another
 * key follows; editors wait for about as long themselves.
 */
const escapeHoldMs = 150;
/** Nobody types what has begun like a sequence. */
const sequenceHoldMs = 1000;

export class Keyboard {
  readonly #stdin: Readable;
  readonly #options: KeyboardOptions;
  readonly #detector: DetachDetector;
  #timer: NodeJS.Timeout | null = null;
  #isListening = false;
  /** Counts what came, so that a late timer knows whether it is about something old. */
  #arrivals = 0;
  readonly #onData = (bytes: Buffer): void => this.#sift(bytes);
  readonly #onGone = (): void => this.#options.onGone();

  constructor(stdin: Readable, options: KeyboardOptions) {
    this.#stdin = stdin;
    this.#options = options;
    this.#detector = new DetachDetector(options.detachKeys);
  }

  listen(): void {
    this.#isListening = true;
    for (const name of ['end', 'close', 'error'] as const) this.#stdin.on(name, this.#onGone);
    this.#stdin.on('data', this.#onData);
    this.#stdin.resume();
  }

  /** The program, or the host, does not take what is typed. */
  pause(): void {
    this.#stdin.pause();
  }

  resume(): void {
    if (this.#isListening) this.#stdin.resume();
  }

  stop(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#stdin.removeListener('data', this.#onData);
    for (const name of ['end', 'close', 'error'] as const) this.#stdin.removeListener(name, this.#onGone);
    this.#stdin.on('error', () => {});
    this.#stdin.pause();
  }

  #sift(bytes: Buffer): void {
    this.#arrivals += 1;
    if (this.#timer) clearTimeout(this.#timer);
    const { pass, isDetach } = this.#detector.feed(bytes);
    if (pass.length > 0) this.#options.onInput(pass);
    if (isDetach) this.#options.onDetach();
    else this.#holdBack();
  }

  #holdBack(): void {
    const { holding } = this.#detector;
    if (holding === 'nothing' || holding === 'prefix') return;
    const isSurelySequence = holding === 'sequence' || this.#options.isKittyOn();
    this.#timer = setTimeout(() => this.#release(), isSurelySequence ? sequenceHoldMs : escapeHoldMs);
  }

  /** On a busy machine the timer is late, and what comes next may be there already, unread: it is read first. */
  #release(): void {
    const arrivals = this.#arrivals;
    setImmediate(() => {
      if (!this.#isListening || arrivals !== this.#arrivals) return;
      const rest = this.#detector.flush();
      if (rest.length > 0) this.#options.onInput(rest);
    });
  }
}

/**
 * A session without a terminal on our side: what it prints from now on, as it is, and what we are given as its input. Nothing is drawn and no key detaches
 * what comes from a pipe. The end of our input does not end the session, as it would end no person at a terminal: once its output has come to rest, we go.
 */
import type { WriteStream } from 'node:tty';
import type { Hello } from '../frames-messages.ts';
import type { AttachOptions } from './attach.ts';
import { Keyboard } from './keyboard.ts';
import { Link, type LinkEnd, type Outcome, outcomeOf } from './link.ts';
import { Sink } from './sink.ts';
import { isTerminal, sizeOf, usualSize } from './user-terminal.ts';

/** As long as a command may think before it answers to what was piped into it. */
const quietMs = 1000;
const fullSinkBytes = 1024 * 1024;
const stalledMs = 300;

export class Streaming {
  readonly #options: AttachOptions;
  readonly #keyboard: Keyboard;
  readonly #sink: Sink;
  readonly #link: Link;
  #isInputOver = false;
  #quietTimer: NodeJS.Timeout | null = null;
  #end!: (end: LinkEnd) => void;
  readonly #ended = new Promise<LinkEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(options: AttachOptions) {
    this.#options = options;
    this.#keyboard = new Keyboard(options.stdin, {
      // Bytes from a pipe mean what they are.
      detachKeys: isTerminal(options.stdin) ? options.detachKeys : null,
      isKittyOn: () => false,
      onInput: (bytes) => this.#type(bytes),
      onDetach: () => this.#end({ reason: 'detached' }),
      onGone: () => this.#inputEnded(),
    });
    this.#sink = new Sink(options.stdout, {
      onTaken: (bytes, isIdle) => this.#taken(bytes, isIdle),
      onGone: () => this.#end({ reason: 'detached' }),
    });
    this.#link = new Link(
      { ...options, hello: (isFirst) => this.#hello(isFirst) },
      {
        onJoined: (isFirst) => isFirst && !options.readOnly && this.#keyboard.listen(),
        onOutput: (bytes) => this.#print(bytes),
        onDrain: () => this.#drained(),
        onEnd: (end) => this.#sink.drained().then(() => this.#end(end)),
      },
    );
  }

  async run(): Promise<Outcome> {
    try {
      await this.#link.open();
      return outcomeOf(await this.#ended);
    } finally {
      await this.#leave();
    }
  }

  /** The size of a terminal that can but print counts; without one the session's stays. */
  #hello(isFirst: boolean): Omit<Hello, 'v' | 'session'> {
    const { stdin, stdout, readOnly, steal, env } = this.#options;
    const terminal = [stdout, stdin].find(isTerminal) as WriteStream | undefined;
    return {
      ...(terminal?.getWindowSize ? sizeOf(terminal) : usualSize),
      isSized: terminal?.getWindowSize !== undefined,
      readOnly,
      steal: steal && isFirst,
      term: env.TERM ?? '',
      wantsSnapshot: false,
      scrollback: 0,
      ...(this.#options.isFromStart && isFirst && { isFromStart: true }),
    };
  }

  #print(bytes: Buffer): void {
    this.#awaitQuiet();
    this.#sink.write(bytes);
    if (this.#sink.queued > fullSinkBytes) this.#link.pauseOutput();
  }

  #taken(bytes: number, isIdle: boolean): void {
    this.#link.taken(bytes, isIdle);
    if (!isIdle) return;
    this.#link.resumeOutput();
    this.#awaitQuiet();
  }

  #type(bytes: Buffer): void {
    this.#link.send(bytes);
    if (this.#link.isFull) this.#keyboard.pause();
  }

  #drained(): void {
    this.#keyboard.resume();
    this.#awaitQuiet();
  }

  #inputEnded(): void {
    this.#isInputOver = true;
    this.#awaitQuiet();
  }

  /** Once there is no more input, each sign of life puts off our leave. */
  #awaitQuiet(): void {
    if (!this.#isInputOver) return;
    if (this.#quietTimer) clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => this.#leaveIfQuiet(), quietMs);
  }

  #leaveIfQuiet(): void {
    const isQuiet = this.#sink.queued === 0 && this.#link.unsent === 0;
    if (isQuiet) this.#end({ reason: 'detached' });
    // Whoever still takes something will tell; a host that is being replaced does not.
    else this.#awaitQuiet();
  }

  async #leave(): Promise<void> {
    if (this.#quietTimer) clearTimeout(this.#quietTimer);
    this.#keyboard.stop();
    await this.#sink.stop(stalledMs);
    await this.#link.detach();
  }
}

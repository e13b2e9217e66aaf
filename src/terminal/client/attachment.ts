/** A session on the user's terminal: keys to the program, its output to the screen. */
import type { Hello } from '../frames-messages.ts';
import type { TerminalAttachOptions } from './attach.ts';
import { Keyboard } from './keyboard.ts';
import { Link, type LinkEnd, type Outcome, outcomeOf } from './link.ts';
import { Sink } from './sink.ts';
import { UserTerminal } from './user-terminal.ts';

/** From so many bytes on that the terminal has not taken, the host is not read: its window should have stopped it before. */
const fullSinkBytes = 1024 * 1024;
/** How long the terminal may take for what is on its way when the session is left. */
const stalledMs = 300;
/** Ends the sequence in the middle of which a lost host stopped. */
const stringTerminator = Buffer.from('\x1b\\');

export class Attachment {
  readonly #options: TerminalAttachOptions;
  readonly #terminal: UserTerminal;
  readonly #keyboard: Keyboard;
  readonly #sink: Sink;
  readonly #link: Link;
  #isHungUp = false;
  #end!: (end: LinkEnd) => void;
  readonly #ended = new Promise<LinkEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(options: TerminalAttachOptions) {
    this.#options = options;
    this.#terminal = new UserTerminal(options.stdin, options.stdout, {
      onResize: (size) => this.#link.resize(size),
      onContinue: () => this.#link.rejoin(),
    });
    this.#keyboard = new Keyboard(options.stdin, {
      detachKeys: options.detachKeys,
      isKittyOn: () => this.#terminal.seen.isKittyOn,
      onInput: (bytes) => this.#type(bytes),
      onDetach: () => this.#end({ reason: 'detached' }),
      onGone: () => this.#hangUp(),
    });
    this.#sink = new Sink(options.stdout, {
      onTaken: (bytes, isIdle) => this.#taken(bytes, isIdle),
      onGone: () => this.#hangUp(),
    });
    this.#link = new Link(
      { ...options, hello: (isFirst) => this.#hello(isFirst) },
      {
        onJoined: (isFirst) => this.#joined(isFirst),
        onOutput: (bytes) => this.#show(bytes),
        onDrain: () => this.#keyboard.resume(),
        onEnd: (end) => this.#linkEnded(end),
      },
    );
  }

  async run(): Promise<Outcome> {
    try {
      await this.#link.open();
      return outcomeOf(await this.#ended);
    } finally {
      await this.#leave();
      if (this.#isHungUp) this.#terminal.die();
    }
  }

  /** The terminal is gone. */
  #hangUp(): void {
    this.#isHungUp = true;
    this.#end({ reason: 'detached' });
  }

  #hello(isFirst: boolean): Omit<Hello, 'v' | 'session'> {
    const { readOnly, scrollback, env } = this.#options;
    return {
      ...this.#terminal.size,
      readOnly,
      // After a lost host nobody is to be thrown out again.
      steal: this.#options.steal && isFirst,
      term: env.TERM ?? '',
      wantsSnapshot: true,
      // What is above the screen is in the user's scrollback already.
      scrollback: isFirst ? scrollback : 0,
    };
  }

  #joined(isFirst: boolean): void {
    if (isFirst) this.#begin();
    else {
      this.#link.skip(this.#sink.clear() + stringTerminator.length);
      this.#sink.write(stringTerminator);
    }
  }

  #begin(): void {
    try {
      this.#terminal.enter();
      this.#keyboard.listen();
    } catch {
      this.#hangUp();
    }
  }

  #show(bytes: Buffer): void {
    // What is missed is in the snapshot when we are back.
    if (!this.#terminal.isTaken) {
      this.#link.taken(bytes.length, true);
      return;
    }
    this.#terminal.seen.feed(bytes);
    this.#sink.write(bytes);
    if (this.#sink.queued > fullSinkBytes) this.#link.pauseOutput();
  }

  #taken(bytes: number, isIdle: boolean): void {
    this.#link.taken(bytes, isIdle);
    if (isIdle) this.#link.resumeOutput();
  }

  #type(bytes: Buffer): void {
    if (this.#options.readOnly) return;
    this.#link.send(bytes);
    if (this.#link.isFull) this.#keyboard.pause();
  }

  /** What the program wrote last is shown before we go; keys still detach if the terminal stands still. */
  #linkEnded(end: LinkEnd): void {
    if (end.reason === 'ended') this.#sink.drained().then(() => this.#end(end));
    else this.#end(end);
  }

  async #leave(): Promise<void> {
    this.#keyboard.stop();
    await this.#sink.stop(stalledMs);
    this.#terminal.leave();
    await this.#link.detach();
  }
}

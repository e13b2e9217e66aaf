import type { Terminal } from '../client/reach-terminal.ts';
import { Link, type LinkEnd, outcomeOf, type Place } from '../terminal/client/link.ts';
import type { Hello } from '../terminal/frames-messages.ts';
import { isClosing, type Lifetime } from './lifetimes.ts';
import type { AttachOptions, Session, SessionEnd } from './types.ts';

/** From so many bytes on that nobody has taken, the host is not read. */
const fullBytes = 1024 * 1024;
const usualSize = { cols: 80, rows: 24 };
/** Ends the sequence in the middle of which a lost host stopped. */
const stringTerminator = Buffer.from('\x1b\\');

export class TerminalSession implements Session {
  readonly name: string;
  readonly index: number;
  readonly ended: Promise<SessionEnd>;
  readonly #options: AttachOptions;
  readonly #lifetime: Lifetime;
  readonly #link: Link;
  #size: { readonly cols: number; readonly rows: number } | null;
  #chunks: Buffer[] = [];
  #queued = 0;
  #isPaused = false;
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;
  #leaving: Promise<void> = Promise.resolve();
  #wakeTaker = () => {};
  #wakeWriters: (() => void)[] = [];
  #settle!: { readonly resolve: (end: SessionEnd) => void; readonly reject: (error: unknown) => void };
  readonly #onAbort = (): void => this.#aborted();

  constructor(
    terminal: Terminal,
    options: AttachOptions,
    { lifetime, reconnect }: { readonly lifetime: Lifetime; readonly reconnect: () => Promise<Place> },
  ) {
    this.name = terminal.name;
    this.index = terminal.index;
    this.#options = options;
    this.#lifetime = lifetime;
    const { cols, rows } = options;
    this.#size = cols === undefined || rows === undefined ? null : { cols, rows };
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Nobody has to look.
    this.ended.catch(() => {});
    this.#link = new Link(
      { socket: terminal.socket, session: terminal.session, reconnect, hello: (isFirst) => this.#hello(isFirst) },
      {
        onJoined: (isFirst) => !isFirst && this.#joinedAgain(),
        onOutput: (bytes) => this.#put(bytes),
        onDrain: () => this.#letWritersGo(),
        onEnd: (end) => this.#linkEnded(end),
      },
    );
  }

  /** Resolves once the host has it. */
  async open(): Promise<void> {
    const { signal } = this.#lifetime;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    try {
      await Promise.race([this.#link.open(), this.ended]);
      signal.throwIfAborted();
    } catch (error) {
      this.#end(null, { error });
      throw error;
    }
  }

  async write(input: string | Uint8Array): Promise<void> {
    if (this.#isOver || this.#options.readOnly === true) return;
    this.#link.send(typeof input === 'string' ? Buffer.from(input) : Buffer.from(input));
    if (this.#link.isFull) await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
  }

  resize(cols: number, rows: number): void {
    this.#size = { cols, rows };
    this.#link.resize({ cols, rows });
  }

  async detach(): Promise<void> {
    this.#end({ reason: 'detached', exit: null });
    await this.#leaving;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.detach();
        return { done: true, value: undefined };
      },
    };
  }

  #hello(isFirst: boolean): Omit<Hello, 'v' | 'session'> {
    const { readOnly = false, steal = false, from = 'screen', scrollback = 0 } = this.#options;
    return {
      ...(this.#size ?? usualSize),
      isSized: this.#size !== null,
      readOnly,
      // After a lost host nobody is to be thrown out again.
      steal: steal && isFirst,
      term: 'xterm-256color',
      wantsSnapshot: from === 'screen',
      scrollback: isFirst ? scrollback : 0,
      ...(from === 'start' && isFirst && { isFromStart: true }),
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error;
      const bytes = this.#chunks.shift();
      if (bytes !== undefined) {
        this.#taken(bytes.length);
        return { done: false, value: bytes };
      }
      if (this.#isOver) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
    }
  }

  #taken(bytes: number): void {
    this.#queued -= bytes;
    const isIdle = this.#queued === 0;
    this.#link.taken(bytes, isIdle);
    if (!isIdle || !this.#isPaused) return;
    this.#isPaused = false;
    this.#link.resumeOutput();
  }

  #put(bytes: Buffer): void {
    // A copy: what is iterated over may be kept.
    this.#chunks.push(Buffer.from(bytes));
    this.#queued += bytes.length;
    this.#wakeTaker();
    if (this.#queued <= fullBytes) return;
    this.#isPaused = true;
    this.#link.pauseOutput();
  }

  /** What is missed is in the snapshot. */
  #joinedAgain(): void {
    if ((this.#options.from ?? 'screen') !== 'screen') return;
    this.#chunks = [];
    this.#queued = 0;
    this.#isPaused = false;
    this.#link.skip(stringTerminator.length);
    this.#put(stringTerminator);
  }

  #linkEnded(end: LinkEnd): void {
    try {
      this.#end(outcomeOf(end));
    } catch (error) {
      this.#end(null, { error });
    }
  }

  #aborted(): void {
    const { reason } = this.#lifetime.signal;
    if (isClosing(reason)) this.#end({ reason: 'detached', exit: null });
    else this.#end(null, { error: reason });
  }

  #end(outcome: SessionEnd | null, failure: { readonly error: unknown } | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#lifetime.signal.removeEventListener('abort', this.#onAbort);
    this.#leaving = this.#link.detach().finally(() => this.#lifetime.end());
    if (outcome !== null) this.#settle.resolve(outcome);
    else this.#settle.reject(failure?.error);
    this.#wakeTaker();
    this.#letWritersGo();
  }

  #letWritersGo(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}

/** Who is attached to a session: whose size it has, who answers its program's queries, and what they type. */
import type { ResizePolicy } from '../control-messages.ts';
import { type ByeReason, encodeHostMessage, type Size } from '../frames-messages.ts';
import type { Attached } from './attached.ts';
import { chooseSize, isSameSize, latestOf } from './sizes.ts';
import { withoutAnswers } from './terminal-answers.ts';
import { TypingTurns } from './typing-turns.ts';

/** Sizes that come thick and fast are applied once in so long. */
const sizePauseMs = 50;
/** With so much typed that the program has not taken, its clients are not read from. */
const mostTypedBytes = 2 * 1024 * 1024;

export interface AudienceOptions {
  policy: ResizePolicy;
  size: Size;
  type(bytes: Buffer): void;
  /** What was typed and is not taken. */
  typedBytes(): number;
  resize(size: Size): void;
  /** Somebody came or went. */
  changed(): void;
  /** A terminal that answered queries is gone; it had seen the log up to here. */
  answered(position: number): void;
}

export class Audience {
  readonly #options: AudienceOptions;
  readonly #members = new Set<Attached>();
  /** Whose terminals have another size, and show what they made of it. */
  readonly #resized = new Set<Attached>();
  readonly #turns: TypingTurns;
  #size: Size;
  #activity = 0;
  #sizedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #isPaused = false;

  constructor(options: AudienceOptions) {
    this.#options = options;
    this.#size = options.size;
    this.#turns = new TypingTurns((bytes) => options.type(bytes));
  }

  get count(): number {
    return this.#members.size;
  }

  get size(): Size {
    return this.#size;
  }

  /** Whose terminal answers queries; null: the screen has to. */
  get leader(): Attached | null {
    const terminals = [...this.#members].filter(({ isTerminal }) => isTerminal);
    return terminals.length === 0 ? null : latestOf(terminals);
  }

  join(attached: Attached, { steal }: { readonly steal: boolean }): void {
    if (steal) this.dismiss('stolen');
    this.#members.add(attached);
    this.#act(attached);
    this.#options.changed();
  }

  leave(attached: Attached): void {
    if (!this.#members.delete(attached)) return;
    this.#resized.delete(attached);
    attached.close();
    if (attached.isTerminal && !attached.isStale) this.#options.answered(attached.position);
    this.#turns.leave(attached);
    this.#sizeSoon();
    this.#options.changed();
  }

  typed(attached: Attached, bytes: Buffer): void {
    if (attached.isReadOnly) return;
    const wanted = this.leader === attached ? bytes : withoutAnswers(bytes);
    if (wanted.length === 0) return;
    this.#act(attached);
    this.#turns.type(attached, wanted);
    if (this.#options.typedBytes() > mostTypedBytes) this.#pause(true);
  }

  /** The program took some of what was typed. */
  taken(): void {
    if (this.#isPaused && this.#options.typedBytes() < mostTypedBytes / 2) this.#pause(false);
  }

  resized(attached: Attached, size: Size): void {
    attached.size = size;
    this.#resized.add(attached);
    this.#act(attached);
    if (!attached.isSized) this.#refreshResized();
  }

  /** By order, not by anybody's terminal. */
  setSize(size: Size): void {
    if (!isSameSize(size, this.#size)) this.#apply(size);
  }

  setPolicy(policy: ResizePolicy): void {
    this.#options.policy = policy;
    this.#sizeSoon();
  }

  each(act: (attached: Attached) => void): void {
    for (const attached of [...this.#members]) act(attached);
  }

  /** All go. */
  dismiss(reason: ByeReason): void {
    this.each((attached) => {
      attached.wire.send(encodeHostMessage({ type: 'bye', reason }));
      attached.wire.end();
      this.leave(attached);
    });
  }

  close(): void {
    this.dismiss('stopped');
    if (this.#timer) clearTimeout(this.#timer);
    this.#turns.close();
  }

  #act(attached: Attached): void {
    attached.activity = ++this.#activity;
    if (attached.isSized) this.#sizeSoon();
  }

  #pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.each(({ wire }) => wire.pause(isPaused));
  }

  /** Now, unless that was done just now. */
  #sizeSoon(): void {
    if (this.#timer) return;
    const pause = this.#sizedAt + sizePauseMs - performance.now();
    if (pause <= 0) this.#chooseSize();
    else
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#chooseSize();
      }, pause);
  }

  #chooseSize(): void {
    const sized = [...this.#members].filter(({ isSized }) => isSized);
    const size = chooseSize(this.#options.policy, sized);
    if (size !== null && !isSameSize(size, this.#size)) this.#apply(size);
    else this.#refreshResized();
  }

  #refreshResized(): void {
    for (const attached of this.#resized) attached.refresh();
    this.#resized.clear();
  }

  /** All see it anew once the screen has that size. */
  #apply(size: Size): void {
    this.#resized.clear();
    this.#sizedAt = performance.now();
    this.#size = size;
    this.#options.resize(size);
    this.each((attached) => attached.tellSize(size));
  }
}

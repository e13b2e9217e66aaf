/**
 * The screen of a program that has a terminal, kept while nobody looks: what it prints is fed in, and out come snapshots for terminals that join, text, and
 * answers to what the program asks.
 *
 * xterm.js without a display does the work. It is called at once and not through its queue, which waits a millisecond before each chunk; so a key's echo is on
 * the screen when `feed` returns. Long input is cut up, and the event loop gets its turn.
 */
import type { Terminal } from '@xterm/headless';
import { answerQueries } from './answers.ts';
import { type CaptureOptions, captureText } from './capture.ts';
import { guard } from './guards.ts';
import type { Charset, Core } from './internals.ts';
import { Links } from './links.ts';
import { ModeTracker } from './mode-tracker.ts';
import { type SnapshotOptions, snapshotText } from './snapshot.ts';
import { Tail } from './tail.ts';
import { createTerminal } from './xterm.ts';

export interface ScreenSize {
  readonly cols: number;
  readonly rows: number;
}

export interface ScreenOptions extends ScreenSize {
  /** Lines of history that are kept, at most. */
  readonly scrollback: number;
  /** Bytes for the program, which asked for them. */
  onAnswer(bytes: Buffer): void;
  onTitle?(title: string): void;
}

/** What is parsed in one go: some milliseconds' worth at worst, and little enough that xterm.js need not grow its buffers. */
const sliceBytes = 16 * 1024;
/** How long a feed may go on before others have their turn. */
const sliceMs = 8;
const most: ScreenSize = { cols: 2000, rows: 1000 };

export class Screen {
  /** False: questions are not answered, as somebody else does. */
  answers = true;
  readonly #terminal: Terminal;
  readonly #core: Core;
  readonly #tracker: ModeTracker;
  readonly #links: Links;
  readonly #tail = new Tail();
  readonly #charsetNames = new Map<Charset, string>();
  #feeding: Promise<void> | null = null;
  #isRebuilding = false;
  #isDisposed = false;

  constructor(options: ScreenOptions) {
    const { scrollback } = options;
    const { terminal, core } = createTerminal({ ...bounded(options), scrollback });
    this.#terminal = terminal;
    this.#core = core;
    guard(this.#core);
    this.#links = new Links(this.#core);
    this.#tracker = new ModeTracker(this.#core, (title) => options.onTitle?.(title));
    this.#rememberCharsets();
    const tell = (text: string) => {
      if (this.answers && !this.#isRebuilding) options.onAnswer(Buffer.from(text, 'utf8'));
    };
    this.#terminal.onData(tell);
    this.#terminal.onTitleChange((title) => this.#tracker.setTitle(title));
    answerQueries(this.#core, this.#tracker, tell);
  }

  get size(): ScreenSize {
    return { cols: this.#core.cols, rows: this.#core.rows };
  }

  get title(): string {
    return this.#tracker.title;
  }

  get alternate(): boolean {
    return this.#core.buffers.active === this.#core.buffers.alt;
  }

  get applicationCursor(): boolean {
    return this.#terminal.modes.applicationCursorKeysMode;
  }

  /** From 0; `col` is the last column also when the next character will go to the next line. */
  get cursor(): { row: number; col: number; visible: boolean } {
    const { x, y } = this.#core.buffers.active;
    return { row: y, col: Math.min(x, this.#core.cols - 1), visible: !this.#core.coreService.isCursorHidden };
  }

  /** What the program printed, cut anywhere. Resolves when all of it is on the screen. Never rejects. */
  feed(bytes: Buffer): Promise<void> {
    if (this.#feeding === null && bytes.length <= sliceBytes) {
      this.#parse(bytes);
      return Promise.resolve();
    }
    const feeding = (this.#feeding ?? Promise.resolve()).then(() => this.#feedSlices(bytes));
    this.#feeding = feeding;
    return feeding.then(() => {
      if (this.#feeding === feeding) this.#feeding = null;
    });
  }

  resize(size: ScreenSize): void {
    const { cols, rows } = bounded(size);
    this.#terminal.resize(cols, rows);
  }

  /** What makes another terminal of this size show and know the same, and go on right with what comes next. */
  snapshot(options: SnapshotOptions): Buffer {
    const source = {
      core: this.#core,
      tracker: this.#tracker,
      links: this.#links,
      charsetName: (charset: Charset) => this.#charsetNames.get(charset) ?? 'B',
    };
    const text = Buffer.from(snapshotText(source, options), 'utf8');
    return Buffer.concat([text, this.#tail.bytes(this.#state)]);
  }

  capture(options: CaptureOptions): string {
    return captureText(this.#core, this.#links, options);
  }

  /** Begins anew with a snapshot's content. */
  async rebuild(snapshot: Buffer): Promise<void> {
    await this.#feeding;
    this.#isRebuilding = true;
    try {
      this.#tail.reset();
      this.#parse(Buffer.from('\x18\x1bc'));
      await this.#feedSlices(snapshot);
    } finally {
      this.#isRebuilding = false;
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#terminal.dispose();
  }

  get #state(): number {
    return this.#core._inputHandler._parser.currentState;
  }

  async #feedSlices(bytes: Buffer): Promise<void> {
    let began = performance.now();
    for (let at = 0; at < bytes.length && !this.#isDisposed; at += sliceBytes) {
      if (performance.now() - began > sliceMs) {
        await new Promise(setImmediate);
        began = performance.now();
      }
      this.#parse(bytes.subarray(at, at + sliceBytes));
    }
  }

  #parse(bytes: Buffer): void {
    const { _inputHandler: input } = this.#core;
    const whole = this.#tail.whole(bytes);
    if (whole.length === 0 || this.#isDisposed) return;
    try {
      input.parse(whole);
    } catch {
      // A handler of a string: what was left of the slice is lost, what comes is not.
      input._parser.reset();
    }
    if (!this.#tail.parsed(whole, this.#state)) return;
    input._parser._oscParser.reset();
    input._parser._dcsParser.reset();
  }

  /** xterm.js knows the sets by their content alone. */
  #rememberCharsets(): void {
    const input = this.#core._inputHandler;
    const select = input.selectCharset;
    input.selectCharset = (collectAndFlag) => {
      const result = select.call(input, collectAndFlag);
      const at = '()*+'.indexOf(collectAndFlag[0] ?? '');
      const charset = this.#core._charsetService._charsets[at];
      if (charset) this.#charsetNames.set(charset, collectAndFlag.slice(1));
      return result;
    };
  }
}

/** Two columns, as a wide character needs them. */
function bounded({ cols, rows }: ScreenSize): ScreenSize {
  return { cols: within(cols, 2, most.cols), rows: within(rows, 1, most.rows) };
}

function within(value: number, least: number, greatest: number): number {
  return Math.max(least, Math.min(greatest, Math.floor(value) || least));
}

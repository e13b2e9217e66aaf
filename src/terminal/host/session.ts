/**
 * One session: the output of its run, its screen, who is attached, what is typed. It outlives runs: when the program is started again, the next run's output goes on where
 * the last one's ended, on the same screen and before the same clients.
 */
import type { EndedOrder, SessionView, TakeOrder } from '../control-messages.ts';
import type { Hello, SessionExit, Size } from '../frames-messages.ts';
import { Attached, type Wire } from './attached.ts';
import { Audience } from './audience.ts';
import { noteRestart, resetModes } from './between-runs.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { Checkpoints } from './checkpoints.ts';
import { Follower, pieceBytes } from './follower.ts';
import { RunTerminal } from './run-terminal.ts';
import type { HostScreen, MakeScreen } from './screen-type.ts';

/**
 * How far the log may run ahead of the screen, so that the program need not wait for it: with nobody attached; else. The first is some seconds of parsing, which a burst of output
 * leaves for afterwards; nothing of it is in memory.
 */
const mostBacklog = { alone: 96 * 1024 * 1024, watched: 4 * 1024 * 1024 } as const;
/** What the screen is fed with while output streams in, when the program gives nothing: half a millisecond's worth. Else, when the log is far ahead. */
const hurriedBytes = { quiet: 8 * 1024, behind: 16 * 1024 } as const;
/** Less is no room to speak of. */
const leastRoom = 256 * 1024;
/** Without a checkpoint, a screen is made of the last so many bytes. */
const mostReplayed = 8 * 1024 * 1024;

export interface SessionOptions {
  readonly makeScreen: MakeScreen;
  /** Its view is another. */
  changed(session: Session): void;
  failed(error: unknown): void;
}

/** Whoever waits for what happens on a screen. */
export interface Watcher {
  saw(bytes: Buffer): void;
  /** The screen is up to date, or the session has ended. */
  settled(): void;
}

export class Session {
  key: string;
  readonly watchers = new Set<Watcher>();
  readonly #options: SessionOptions;
  readonly #audience: Audience;
  readonly #follower: Follower;
  readonly #checkpoints: Checkpoints;
  readonly #scrollback: number;
  #terminal: RunTerminal;
  /** Where in the log the present run's output begins. */
  #logFrom: number;
  #exit: SessionExit | null;
  /** The program will be started again: who is attached stays, and who comes may come. */
  #goesOn = false;
  /** Queries before this place in the log are no longer to be answered by the screen. */
  #answeredTo: number;
  /** Runs follow each other one by one. */
  #switching: Promise<void> = Promise.resolve();
  #isOpen = true;

  /** Throws the system's errors; `master` is closed then. */
  constructor(order: TakeOrder, master: number | null, options: SessionOptions) {
    this.key = order.session;
    this.#options = options;
    this.#scrollback = order.scrollback;
    this.#logFrom = order.logFrom;
    this.#exit = order.exit ?? null;
    this.#terminal = this.#openTerminal(order, master);
    const { output } = this.#terminal;
    const checkpoint = order.isNew ? null : usable(readCheckpoint(output.directory), order, output.end);
    const from = checkpoint?.offset ?? startOf(order, output.end);
    this.#answeredTo = order.isNew ? from : output.end;
    this.#follower = new Follower(this.#makeScreen(checkpoint ?? order, order.scrollback), output, {
      from,
      pace: () => this.#pace(),
      parsed: (bytes) => this.#parsed(bytes),
      idle: () => this.#settled(),
      failed: options.failed,
    });
    this.#checkpoints = new Checkpoints(() => this.#follower.atRest(() => this.#writeCheckpoint()));
    this.#audience = this.#makeAudience(order);
    if (checkpoint) this.#follower.hold(() => this.screen.rebuild(checkpoint.snapshot)).catch(options.failed);
    this.#terminal.setSize(order);
    this.#resizeScreen(order);
    this.#follower.grew();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get run(): number {
    return this.#terminal.run;
  }

  get master(): number | null {
    return this.#terminal.output.master;
  }

  get screen(): HostScreen {
    return this.#follower.screen;
  }

  /** Null while the program runs. */
  get exit(): SessionExit | null {
    return this.#exit;
  }

  get size(): Size {
    return this.#audience.size;
  }

  get view(): SessionView {
    return {
      session: this.key,
      run: this.run,
      ...this.#audience.size,
      clients: this.#audience.count,
      title: this.screen.title,
      problem: this.#terminal.output.failure,
    };
  }

  /** What was typed and is not taken by the program, in bytes. */
  get typedBytes(): number {
    return this.#terminal.typed;
  }

  /** Another run of it begins. Throws as the constructor does, and is what it was. */
  goOn(order: TakeOrder, master: number | null): void {
    const before = this.#terminal;
    this.#terminal = this.#openTerminal(order, master);
    this.#logFrom = order.logFrom;
    const next = this.#terminal;
    before.stop();
    this.#exit = order.exit ?? null;
    this.#goesOn = false;
    next.setSize(this.size);
    this.#audience.setPolicy(order.resize);
    this.#switching = this.#switching.then(() => this.#follow(before, next, order)).catch(this.#options.failed);
    this.#options.changed(this);
  }

  /** Resolves when all that the run put out is in the log. */
  async ended({ exit, goesOn }: EndedOrder): Promise<void> {
    const terminal = this.#terminal;
    await terminal.drain();
    if (this.#terminal !== terminal || !this.#isOpen) return;
    this.#exit = exit;
    this.#goesOn = goesOn;
    this.#switching = this.#switching.then(() => this.#tellEnd(exit, goesOn)).catch(this.#options.failed);
  }

  attach(hello: Hello, wire: Wire): Attached {
    const attached = new Attached(hello, wire, this.#follower, this.#logFrom);
    this.#audience.join(attached, hello);
    return attached;
  }

  /** What a client sees now that it was welcomed. */
  show(attached: Attached): void {
    attached.begin();
    if (this.#exit && !this.#goesOn) this.#follower.caughtUp().then(() => attached.tellExit(this.#exit));
  }

  detach(attached: Attached): void {
    this.#audience.leave(attached);
  }

  typed(attached: Attached, bytes: Buffer): void {
    this.#audience.typed(attached, bytes);
  }

  resized(attached: Attached, size: Size): void {
    this.#audience.resized(attached, size);
  }

  setSize(size: Size): void {
    this.#audience.setSize(size);
  }

  /** By nobody who is attached. */
  type(bytes: Buffer): void {
    this.#terminal.type(bytes);
  }

  /** The terminal may take more of what was typed. */
  flush(): void {
    if (this.#terminal.typed === 0) return;
    this.#terminal.flush();
    this.#audience.taken();
  }

  /** Resolves when the screen shows all that was put out until now. */
  caughtUp(): Promise<void> {
    return this.#follower.caughtUp();
  }

  atRest(turn: () => void): void {
    this.#follower.atRest(turn);
  }

  /** Writes what a new host would otherwise have to read again. */
  save(): void {
    this.#writeCheckpoint();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#audience.close();
    this.#checkpoints.close();
    this.#terminal.close();
    this.#follower.close();
    for (const watcher of [...this.watchers]) watcher.settled();
  }

  #openTerminal(order: TakeOrder, master: number | null): RunTerminal {
    const terminal: RunTerminal = new RunTerminal(order, master, {
      room: () => this.#room(terminal),
      moved: () => this.#moved(),
      calmed: () => this.flush(),
      stuck: () => this.#options.changed(this),
      failed: this.#options.failed,
    });
    return terminal;
  }

  #makeScreen(size: Size, scrollback: number): HostScreen {
    return this.#options.makeScreen({
      cols: size.cols,
      rows: size.rows,
      scrollback,
      onAnswer: (bytes) => this.#answer(bytes),
      onTitle: () => this.#options.changed(this),
    });
  }

  #makeAudience({ resize, cols, rows }: TakeOrder): Audience {
    return new Audience({
      policy: resize,
      size: { cols, rows },
      type: (bytes) => this.#terminal.type(bytes),
      typedBytes: () => this.#terminal.typed,
      resize: (size) => this.#resize(size),
      changed: () => this.#options.changed(this),
      answered: (position) => {
        this.#answeredTo = Math.max(this.#answeredTo, position);
      },
    });
  }

  /** The screen answers where no terminal does that sees the query as well. */
  #answer(bytes: Buffer): void {
    const { leader } = this.#audience;
    if (leader && !leader.isStale) return;
    // What the last run asked is not for the next one.
    if (this.#follower.output !== this.#terminal.output) return;
    const isAnswered = this.#follower.pieceFrom < Math.max(this.#answeredTo, leader?.position ?? 0);
    if (!isAnswered) this.#terminal.type(bytes);
  }

  get #mostBacklog(): number {
    return this.#audience.count === 0 ? mostBacklog.alone : mostBacklog.watched;
  }

  /** How far the log may still run ahead. */
  #room(terminal: RunTerminal): number {
    const most = this.#mostBacklog;
    const { backlog, output } = this.#follower;
    return output === terminal.output ? Math.max(0, most - backlog) : most;
  }

  /** The log comes first, as the program waits for it. */
  #pace(): number {
    const terminal = this.#terminal;
    if (!terminal.isStreaming) return pieceBytes;
    const room = this.#room(terminal);
    if (room < leastRoom) return hurriedBytes.behind;
    return terminal.isPressing || room > this.#mostBacklog / 2 ? 0 : hurriedBytes.quiet;
  }

  #moved(): void {
    this.flush();
    // Who looks on does not wait for the screen.
    this.#audience.each((attached) => attached.more());
    this.#follower.grew();
  }

  #parsed(bytes: Buffer): void {
    this.#checkpoints.changed(bytes.length);
    for (const watcher of this.watchers) watcher.saw(bytes);
    this.#terminal.resume();
    this.flush();
  }

  #settled(): void {
    for (const watcher of [...this.watchers]) watcher.settled();
  }

  #resize(size: Size): void {
    this.#terminal.setSize(size);
    this.#resizeScreen(size);
    this.#options.changed(this);
  }

  /** What was put out until now was for the old size. */
  #resizeScreen({ cols, rows }: Size): void {
    const apply = () =>
      this.#follower.atRest(() => {
        if (!this.#isOpen) return;
        this.screen.resize({ cols, rows });
        this.#checkpoints.changed(0);
        // What a terminal of the old size has made of it is its own affair.
        this.#audience.each((attached) => attached.refresh());
      });
    if (this.#follower.backlog === 0) apply();
    else this.#follower.caughtUp().then(apply);
  }

  async #follow(before: RunTerminal, next: RunTerminal, order: TakeOrder): Promise<void> {
    await this.#follower.caughtUp();
    await this.#follower.hold(async () => {
      if (this.#isOpen) await resetModes(this.screen);
      const from = startOf(order, next.output.end);
      this.#answeredTo = from;
      this.#follower.follow(next.output, from);
    });
    before.close();
    this.#audience.each((attached) => attached.refresh());
  }

  async #tellEnd(exit: SessionExit, goesOn: boolean): Promise<void> {
    await this.#follower.caughtUp();
    if (!this.#isOpen) return;
    if (goesOn) {
      await this.#follower.hold(() => noteRestart(this.screen, this.key, exit));
      this.#audience.each((attached) => attached.refresh());
    } else this.#audience.each((attached) => attached.tellExit(exit));
    this.#checkpoints.now();
    this.#settled();
  }

  #writeCheckpoint(): void {
    if (!this.#isOpen) return;
    const { screen, parsed, output } = this.#follower;
    try {
      const snapshot = screen.snapshot({ scrollback: this.#scrollback });
      writeCheckpoint(output.directory, { offset: parsed, ...screen.size, title: screen.title, snapshot });
    } catch {
      // The disk is full, or the run's directory is gone: the log has it.
    }
  }
}

/** One that belongs to this run and this log. */
function usable(checkpoint: Checkpoint | null, { logFrom }: TakeOrder, end: number): Checkpoint | null {
  return checkpoint && checkpoint.offset >= logFrom && checkpoint.offset <= end ? checkpoint : null;
}

const startOf = ({ logFrom, isNew }: TakeOrder, end: number): number =>
  isNew ? Math.min(logFrom, end) : Math.max(Math.min(logFrom, end), end - mostReplayed);

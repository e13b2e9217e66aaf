/**
 * The terminal in front of the user while a session is attached to it: every byte passes in both directions, and on every way out it is as it was before.
 *
 * The ways out: `leave`, the process's end by itself or by an exception that nobody caught, and signals, after which the process ends by that signal, as it
 * would have without us. All of them restore synchronously, and once. What SIGKILL leaves, `reset` mends.
 *
 * A stop by SIGTSTP from outside gives the terminal back first; after any stop it is taken again, and whoever draws on it is told to draw anew.
 */
import { writeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import {
  isInForeground,
  rawOf,
  readTerminalMode,
  setTerminalMode,
  type TerminalMode,
} from '../../host/terminal-mode.ts';
import type { Size } from '../frames-fields.ts';
import { ModesSeen } from './modes-seen.ts';

/** The types of Node have no `fd` there. */
export type TerminalInput = ReadStream & { readonly fd: number };
export type TerminalOutput = WriteStream & { readonly fd: number };

export interface UserTerminalEvents {
  /** The window has another size. Told once it has been at rest for a moment. */
  onResize(size: Size): void;
  /** The process was stopped and goes on: the terminal shows what others left on it. */
  onContinue(): void;
}

/** A window that is dragged changes its size with every pixel. */
const resizeRestMs = 40;
/** How long a terminal that takes nothing is waited for when it is left. */
const stalledMs = 200;
const stalledPauseMs = 5;
/** For a terminal that doesn't know its size, as on a serial line. */
export const usualSize: Size = { cols: 80, rows: 24 };
const maxSide = 2000;

/** The window's title is kept on the terminal's own stack. */
const entering = '\x1b[22;0t';
const leaving = '\x1b[23;0t';

const endings = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

export class UserTerminal {
  readonly seen = new ModesSeen();
  readonly #stdin: TerminalInput;
  readonly #stdout: TerminalOutput;
  readonly #events: UserTerminalEvents;
  /** As it was; null where only Node can set it. */
  #mode: TerminalMode | null = null;
  #isTaken = false;
  #resizeTimer: NodeJS.Timeout | null = null;
  #undoHandlers: () => void = () => {};

  constructor(stdin: TerminalInput, stdout: TerminalOutput, events: UserTerminalEvents) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#events = events;
  }

  /** Not while the process is in the background after a stop: others draw then. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  get size(): Size {
    return sizeOf(this.#stdout);
  }

  /** From here on keys come as bytes. Throws EIO if the terminal is gone. */
  enter(): void {
    this.#mode = readTerminalMode(this.#stdin.fd);
    this.#undoHandlers = this.#handle();
    this.#take();
  }

  /** As it was before; the cursor stands at the beginning of an empty last line. Does nothing the second time. */
  leave(): void {
    this.#undoHandlers();
    this.#undoHandlers = () => {};
    if (this.#resizeTimer) clearTimeout(this.#resizeTimer);
    this.#giveBack();
  }

  /**
   * After the terminal is gone: ends this process as a hangup does. At an end of its own, Node would put the terminal's mode back, and abort, leaving a core file, as that can't be done.
   */
  die(): void {
    this.leave();
    process.kill(process.pid, 'SIGHUP');
  }

  #take(): void {
    if (this.#mode) setTerminalMode(this.#stdin.fd, rawOf(this.#mode));
    else this.#stdin.setRawMode(true);
    // A terminal that stands still must not hold up keys and signals. libuv has opened it anew, so nobody else is affected.
    setBlocking(this.#stdout, false);
    if (!this.#isTaken) this.#write(entering);
    this.#isTaken = true;
  }

  /** Synchronous, and never throws: it may be the last that this process does. */
  #giveBack(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    try {
      // In the background the terminal is another's, and touching it would stop this process.
      if (!isInForeground()) return;
      this.#write(`${this.seen.leavingSequence()}${leaving}`);
      if (this.#mode) setTerminalMode(this.#stdin.fd, this.#mode);
      else this.#stdin.setRawMode(false);
      setBlocking(this.#stdout, true);
    } catch {
      // It is gone.
    }
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    const deadline = performance.now() + stalledMs;
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.#stdout.fd, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > deadline) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stalledPauseMs);
      }
    }
  }

  #handle(): () => void {
    const handlers: readonly (readonly [string, () => void])[] = [
      ['exit', () => this.#giveBack()],
      // Before Node prints what went wrong.
      ['uncaughtExceptionMonitor', () => this.#giveBack()],
      ['SIGWINCH', () => this.#noteResize()],
      ['SIGTSTP', () => this.#suspend()],
      ['SIGCONT', () => this.#resume()],
      ...endings.map((signal) => [signal, () => this.#endBy(signal)] as const),
    ];
    for (const [name, handler] of handlers) process.on(name, handler);
    return () => {
      for (const [name, handler] of handlers) process.removeListener(name, handler);
    };
  }

  #endBy(signal: NodeJS.Signals): void {
    this.leave();
    process.kill(process.pid, signal);
  }

  #suspend(): void {
    this.#giveBack();
    // SIGTSTP itself is caught, and an orphaned group would ignore it.
    process.kill(process.pid, 'SIGSTOP');
  }

  /** In the background it would be stopped again, with whatever else it was sent: `kill %1` is SIGTERM and SIGCONT. `fg` sends another SIGCONT. */
  #resume(): void {
    try {
      if (!isInForeground()) {
        this.#isTaken = false;
        return;
      }
      this.#take();
    } catch {
      // Gone: whoever reads from it learns so.
      return;
    }
    this.#events.onContinue();
  }

  #noteResize(): void {
    if (this.#resizeTimer) clearTimeout(this.#resizeTimer);
    this.#resizeTimer = setTimeout(() => this.#events.onResize(this.size), resizeRestMs);
  }
}

export const isTerminal = (stream: Readable | Writable): boolean => (stream as { isTTY?: boolean }).isTTY === true;

/** The present size of a terminal, within what a session can have. */
export function sizeOf(stream: WriteStream): Size {
  try {
    // Node asks the kernel by itself at SIGWINCH alone, and for process.stdout alone.
    (stream as WriteStream & { _refreshSize?(): void })._refreshSize?.();
    const [cols, rows] = stream.getWindowSize();
    return { cols: Math.min(cols || usualSize.cols, maxSide), rows: Math.min(rows || usualSize.rows, maxSide) };
  } catch {
    return usualSize;
  }
}

/** Node makes terminals blocking, and has no public word for the contrary. */
function setBlocking(stream: WriteStream, isBlocking: boolean): void {
  const { _handle: handle } = stream as WriteStream & { readonly _handle?: { setBlocking?(value: boolean): void } };
  handle?.setBlocking?.(isBlocking);
}

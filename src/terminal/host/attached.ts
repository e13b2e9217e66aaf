/**
 * One client of a session: what it is sent, and how far it is. Its queue is the log itself: it has a `position` there, and at most a window of bytes is under way that it has not
 * acknowledged. One that falls too far behind what the screen has seen is `stale`: once it has what is under way, it gets a fresh snapshot and goes on from there. So a client that
 * stands still costs a window, and holds nobody up.
 */
import { chunkBytes, encodeFrame } from '../frames.ts';
import { encodeHostMessage, type Hello, type SessionExit, type Size } from '../frames-messages.ts';
import type { Follower } from './follower.ts';

const windowBytes = 256 * 1024;
/** For less room no frame is made. */
const leastBytes = 8 * 1024;
/** Behind the screen. */
const mostBehind = 1024 * 1024;
/** With less under way a stale client has caught up. */
const caughtUpBytes = 32 * 1024;
const snapshotPauseMs = 100;
const mostSnapshotBytes = 512 * 1024;

/** A connection's sending side. */
export interface Wire {
  send(frame: Buffer): void;
  /** What waits in this process to be sent, in bytes. */
  readonly waiting: number;
  /** Whether what the client says is read. */
  pause(isPaused: boolean): void;
  /** After what was sent; at once if it isn't taken. */
  end(): void;
}

export class Attached {
  size: Size;
  activity = 0;
  readonly isReadOnly: boolean;
  /** It is a terminal that answers queries. */
  readonly isTerminal: boolean;
  /** Its size counts. */
  readonly isSized: boolean;
  readonly #hello: Hello;
  readonly wire: Wire;
  readonly #follower: Follower;
  #position = 0;
  #sent = 0;
  #acknowledged = 0;
  #isStale = true;
  /** What is left of a snapshot. */
  #snapshot: Buffer | null = null;
  #isFirstPiece = true;
  /** No snapshot was sent yet. */
  #isFirst = true;
  #isWaiting = false;
  #lastSnapshotAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #sizeToTell: Size | null = null;
  #exit: SessionExit | null = null;
  #isWelcomed = false;
  #isOpen = true;

  /** `start`: where in the log the run's output begins. */
  constructor(hello: Hello, wire: Wire, follower: Follower, start: number) {
    this.#hello = hello;
    this.size = { cols: hello.cols, rows: hello.rows };
    this.isReadOnly = hello.readOnly;
    this.isSized = !hello.readOnly && hello.isSized !== false;
    this.isTerminal = !hello.readOnly && hello.wantsSnapshot && hello.term !== 'dumb';
    this.wire = wire;
    this.#follower = follower;
    if (!hello.wantsSnapshot && hello.isFromStart) {
      this.#isStale = false;
      this.#position = start;
    }
  }

  /** Up to where in the log it was sent what there is. */
  get position(): number {
    return this.#position;
  }

  /** It misses output, queries among it. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** It was welcomed: from now on it is sent what there is, and not before, whatever its coming has changed. */
  begin(): void {
    this.#isWelcomed = true;
    this.more();
  }

  /** Shows all anew, as what it has seen is not what the screen is made of now. */
  refresh(): void {
    if (!this.#hello.wantsSnapshot) return;
    this.#isStale = true;
    this.#snapshot = null;
    this.more();
  }

  /** So many bytes of output and snapshots since the beginning are done with. */
  acknowledge(bytes: number): void {
    this.#acknowledged = Math.min(Math.max(this.#acknowledged, bytes), this.#sent);
    this.more();
  }

  tellSize(size: Size): void {
    this.#sizeToTell = size;
    this.more();
  }

  /** After all output. */
  tellExit(exit: SessionExit | null): void {
    this.#exit = exit;
    this.more();
  }

  /** Sends what there is and may be sent. */
  more(): void {
    if (!this.#isOpen || !this.#isWelcomed) return;
    if (this.#sizeToTell && this.wire.waiting < windowBytes) {
      this.wire.send(encodeHostMessage({ type: 'size', size: this.#sizeToTell }));
      this.#sizeToTell = null;
    }
    while (this.#isOpen && this.#room >= leastBytes && this.#sendOne());
    // One that draws nothing reads the log at its own speed.
    if (!this.#hello.wantsSnapshot) return;
    if (this.#room < leastBytes && !this.#snapshot && this.#position + mostBehind < this.#follower.parsed)
      this.#isStale = true;
  }

  close(): void {
    this.#isOpen = false;
    this.#snapshot = null;
    if (this.#timer) clearTimeout(this.#timer);
  }

  get #room(): number {
    return windowBytes - (this.#sent - this.#acknowledged);
  }

  /** False if there is nothing to send now. */
  #sendOne(): boolean {
    if (this.#snapshot) return this.#sendSnapshot(this.#snapshot);
    if (this.#isStale) {
      this.#wantSnapshot();
      return false;
    }
    const { output } = this.#follower;
    const frame = Buffer.allocUnsafeSlow(
      Math.min(chunkBytes, this.#room, Math.max(0, output.end - this.#position)) + 5,
    );
    if (frame.length > 5) {
      const { at, bytes } = output.read(frame.subarray(5), this.#position);
      this.#position = at + bytes;
      if (bytes > 0) this.#send('o', frame.subarray(5, 5 + bytes));
      return true;
    }
    if (this.#exit) this.#sendExit(this.#exit);
    return false;
  }

  /** Its first frame replaces what the client shows, the others go on as output does. */
  #sendSnapshot(bytes: Buffer): boolean {
    const length = Math.min(chunkBytes, this.#room);
    this.#send(this.#isFirstPiece ? 's' : 'o', bytes.subarray(0, length));
    this.#isFirstPiece = false;
    this.#snapshot = bytes.length > length ? bytes.subarray(length) : null;
    return true;
  }

  #send(type: 's' | 'o', bytes: Buffer): void {
    this.#sent += bytes.length;
    this.wire.send(encodeFrame(type, bytes));
  }

  #wantSnapshot(): void {
    if (this.#isWaiting || this.#sent - this.#acknowledged > caughtUpBytes) return;
    this.#isWaiting = true;
    const pause = this.#lastSnapshotAt + snapshotPauseMs - performance.now();
    if (pause <= 0) this.#follower.atRest(() => this.#takeSnapshot());
    else this.#timer = setTimeout(() => this.#follower.atRest(() => this.#takeSnapshot()), pause);
  }

  #takeSnapshot(): void {
    this.#isWaiting = false;
    if (!this.#isOpen) return;
    this.#lastSnapshotAt = performance.now();
    this.#snapshot = this.#makeSnapshot();
    this.#isFirstPiece = true;
    this.#position = this.#follower.parsed;
    this.#isStale = false;
    this.#isFirst = false;
    this.more();
  }

  /** Only the first has what is above the screen: the user's own terminal keeps that. */
  #makeSnapshot(): Buffer | null {
    if (!this.#hello.wantsSnapshot) return null;
    const { screen } = this.#follower;
    for (let lines = this.#isFirst ? this.#hello.scrollback : 0; ; lines = Math.floor(lines / 2)) {
      const bytes = screen.snapshot({ scrollback: lines, wraps: this.size.cols === screen.size.cols });
      if (bytes.length <= mostSnapshotBytes || lines === 0) return bytes;
    }
  }

  #sendExit(exit: SessionExit): void {
    this.close();
    this.wire.send(encodeHostMessage({ type: 'exit', exit }));
    this.wire.end();
  }
}

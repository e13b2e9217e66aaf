/**
 * JSON lines over a Unix socket, each with at most one descriptor: daemon and pty host talk so. Not by Node's net, which can't receive a descriptor; SIGIO tells
 * of what arrives and of room to write. A descriptor goes with the first byte of its line, so it is there when the line is: whose line has one (`fd: true`)
 * takes the first that came and is not taken.
 */
import { closeSync } from 'node:fs';
import { onArrivals, watchReadable } from '../host/arrivals.ts';
import { controlBytes, messageFlags, readControl, recvmsg, sendmsg } from '../host/fd-passing.ts';
import { errnoOf } from '../host/files.ts';
import { duplicate } from '../host/socket-calls.ts';

/** A list of a thousand sessions fits. */
const longestLine = 1024 * 1024;
/** Descriptors of lines that are not whole yet. */
const mostFds = 64;

export type Line = Readonly<Record<string, unknown>>;

export interface LineHandlers {
  /** `fd`: what came with the line, the handler's from now on; null if nothing did. */
  line(line: Line, fd: number | null): void;
  /** The other side is gone, or speaks something else; called once, and not for `close`. */
  closed(): void;
}

interface Outgoing {
  bytes: Buffer;
  /** A duplicate. */
  fd: number | null;
}

export class LineChannel {
  readonly #fd: number;
  readonly #handlers: LineHandlers;
  readonly #watch: { close(): void };
  readonly #unwatchRoom: () => void;
  /** What is no whole line yet. */
  #text = Buffer.alloc(0);
  readonly #fds: number[] = [];
  readonly #queue: Outgoing[] = [];
  #isOpen = true;

  /** Of a connected socket that does not block; it is the channel's from now on. */
  constructor(fd: number, handlers: LineHandlers) {
    this.#fd = fd;
    this.#handlers = handlers;
    this.#watch = watchReadable(fd, () => this.#read());
    this.#unwatchRoom = onArrivals(() => this.#flush());
  }

  /** `fd` stays the caller's. Nothing is sent to who is gone: `closed` tells of that. */
  send(line: Line, fd: number | null = null): void {
    if (!this.#isOpen) return;
    const bytes = Buffer.from(`${JSON.stringify(fd === null ? line : { ...line, fd: true })}\n`);
    this.#queue.push({ bytes, fd: fd === null ? null : duplicate(fd) });
    this.#flush();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#watch.close();
    this.#unwatchRoom();
    for (const fd of this.#fds.splice(0)) closeSync(fd);
    for (const { fd } of this.#queue.splice(0)) if (fd !== null) closeSync(fd);
    closeSync(this.#fd);
  }

  #fail(): void {
    if (!this.#isOpen) return;
    this.close();
    this.#handlers.closed();
  }

  #flush(): void {
    try {
      while (this.#isOpen && this.#queue.length > 0) this.#sendOne(this.#queue[0]!);
    } catch (error) {
      // Its room is told of by SIGIO; what else goes wrong is the end.
      if (errnoOf(error) !== 'EAGAIN') setImmediate(() => this.#fail());
    }
  }

  #sendOne(next: Outgoing): void {
    const sent = sendmsg(this.#fd, next.bytes, next.fd === null ? [] : [next.fd]);
    if (next.fd !== null) closeSync(next.fd);
    next.fd = null;
    next.bytes = next.bytes.subarray(sent);
    if (next.bytes.length === 0) this.#queue.shift();
  }

  #read(): void {
    while (this.#isOpen && this.#readOnce()) this.#takeLines();
  }

  /** False if there is nothing more for now. */
  #readOnce(): boolean {
    const data = Buffer.allocUnsafe(65_536);
    const control = Buffer.alloc(controlBytes);
    try {
      const received = recvmsg(this.#fd, data, control);
      if (received === null) return false;
      this.#fds.push(...readControl(control.subarray(0, received.controlBytes)).fds);
      this.#text = Buffer.concat([this.#text, data.subarray(0, received.bytes)]);
      const isWrong = this.#fds.length > mostFds || (received.flags & messageFlags.controlTruncated) !== 0;
      if (received.bytes === 0 || isWrong) this.#fail();
    } catch {
      this.#fail();
    }
    return this.#isOpen;
  }

  #takeLines(): void {
    while (this.#isOpen) {
      const end = this.#text.indexOf('\n');
      if (end > longestLine || (end < 0 && this.#text.length > longestLine)) this.#fail();
      if (end < 0 || !this.#isOpen) return;
      const line = parseLine(this.#text.toString('utf8', 0, end));
      this.#text = this.#text.subarray(end + 1);
      if (line === null) this.#fail();
      else this.#handlers.line(line, line.fd === true ? (this.#fds.shift() ?? null) : null);
    }
  }
}

/** Null for what is no object. */
function parseLine(text: string): Line | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : null;
  } catch {
    return null;
  }
}

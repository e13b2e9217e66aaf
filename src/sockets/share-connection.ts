/** One connection of a `share-server.ts`. */
import { closeSync } from 'node:fs';
import { watchReadable } from '../host/arrivals.ts';
import { controlBytes, messageFlags, readControl, recvmsg, sendmsg } from '../host/fd-passing.ts';
import { peerOf } from '../host/socket-calls.ts';
import { parseKey } from './address.ts';
import { isSocketOf } from './bind.ts';
import type { Peer, Refusal, ShareHandlers } from './share-server.ts';

const longestLine = 65_536;
/** From the connection, or the last answer, to the next answer. */
const patienceMs = 5000;
/** Descriptors that wait for their line: a line comes with one. */
const mostFds = 4;
/** Of one connection, so that none keeps the event loop for itself. */
const mostRequests = 64;

interface Request {
  readonly do: 'give' | 'ask';
  readonly key: string;
  readonly backlog: number | null;
}

export class ShareConnection {
  readonly #fd: number;
  readonly #peer: Peer;
  readonly #handlers: ShareHandlers;
  readonly #onClose: () => void;
  readonly #timer: NodeJS.Timeout;
  #watch: { close(): void } | null = null;
  /** What is no whole line yet. */
  #text = Buffer.alloc(0);
  #fds: number[] = [];
  /** A handler thinks about an answer; the next line waits. */
  #isBusy = false;
  #isOpen = true;
  #requests = 0;

  constructor(fd: number, handlers: ShareHandlers, onClose: () => void) {
    this.#fd = fd;
    this.#peer = peerOf(fd);
    this.#handlers = handlers;
    this.#onClose = onClose;
    this.#timer = setTimeout(() => this.close(), patienceMs).unref();
  }

  start(): void {
    this.#watch = watchReadable(this.#fd, () => this.#read());
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#watch?.close();
    for (const fd of this.#fds.splice(0)) closeSync(fd);
    closeSync(this.#fd);
    this.#onClose();
  }

  #read(): void {
    while (this.#isOpen && !this.#isBusy && this.#readOnce()) this.#takeLines();
  }

  /** False if there is nothing more for now. */
  #readOnce(): boolean {
    const data = Buffer.allocUnsafe(4096);
    const control = Buffer.alloc(controlBytes);
    try {
      const received = recvmsg(this.#fd, data, control);
      if (received === null) return false;
      this.#fds.push(...readControl(control.subarray(0, received.controlBytes)).fds);
      this.#text = Buffer.concat([this.#text, data.subarray(0, received.bytes)]);
      const isWrong = this.#fds.length > mostFds || (received.flags & messageFlags.controlTruncated) !== 0;
      if (received.bytes === 0 || isWrong) this.close();
    } catch {
      this.close();
    }
    return this.#isOpen;
  }

  #takeLines(): void {
    while (this.#isOpen && !this.#isBusy) {
      const end = this.#text.indexOf('\n');
      if (end > longestLine || (end < 0 && this.#text.length > longestLine)) this.close();
      if (end < 0 || !this.#isOpen) return;
      const line = this.#text.toString('utf8', 0, end);
      this.#text = this.#text.subarray(end + 1);
      this.#takeLine(line);
    }
  }

  #takeLine(line: string): void {
    const request = parseRequest(line);
    this.#requests += 1;
    if (request === null || this.#requests > mostRequests) this.close();
    else if (request.do === 'give') this.#take(request.key);
    else this.#ask(request);
  }

  #take(key: string): void {
    const fd = this.#fds.shift();
    const isTaken = fd !== undefined && isSocketOf(key, fd) && this.#give(key, fd);
    if (fd !== undefined && !isTaken) closeSync(fd);
    this.#answer({ ok: isTaken });
    this.#handlers.gave?.(key);
  }

  #give(key: string, fd: number): boolean {
    try {
      return this.#handlers.give(key, fd, this.#peer);
    } catch (error) {
      this.#handlers.failed?.(error);
      return false;
    }
  }

  #ask({ key, backlog }: Request): void {
    this.#isBusy = true;
    this.#askHandler(key, backlog).then(
      (answer) => {
        this.#isBusy = false;
        if (typeof answer === 'number') this.#answer({ ok: true }, [answer]);
        else this.#answer({ ok: false, ...answer });
        this.#takeLines();
        this.#read();
      },
      (error) => {
        this.#handlers.failed?.(error);
        this.close();
      },
    );
  }

  async #askHandler(key: string, backlog: number | null): Promise<number | Refusal> {
    return this.#handlers.ask(key, { backlog, from: this.#peer });
  }

  #answer(answer: object, fds: readonly number[] = []): void {
    if (!this.#isOpen) return;
    const bytes = Buffer.from(`${JSON.stringify(answer)}\n`);
    try {
      // Who does not read what it asked for has no room for more.
      if (sendmsg(this.#fd, bytes, fds) !== bytes.length) this.close();
      else this.#timer.refresh();
    } catch {
      this.close();
    }
  }
}

/** Null for what is no request. */
function parseRequest(line: string): Request | null {
  try {
    const { v, do: what, key, backlog } = JSON.parse(line);
    if (v !== 1 || (what !== 'give' && what !== 'ask')) return null;
    if (typeof key !== 'string' || parseKey(key) === null) return null;
    const isCount = Number.isInteger(backlog) && backlog > 0 && backlog <= 0x7fffffff;
    return { do: what, key, backlog: isCount ? backlog : null };
  } catch {
    return null;
  }
}

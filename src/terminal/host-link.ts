/** The daemon's end of its connection to the pty host (`control-messages.ts`). */
import { closeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { socketAddress } from '../host/home.ts';
import { connect, socket } from '../host/socket-calls.ts';
import type {
  ControlFailure,
  ControlRequest,
  EndedOrder,
  SessionRun,
  SessionView,
  TakeOrder,
} from './control-messages.ts';
import type { Size } from './frames-messages.ts';
import { type Line, LineChannel } from './line-channel.ts';

/** What the host answers that it can't do; or, with the code `HOST_GONE`, that it is gone. */
export class HostError extends Error {
  readonly code: string;

  constructor({ code, message }: ControlFailure) {
    super(message);
    this.name = 'HostError';
    this.code = code;
  }
}

interface Pending {
  resolve(answer: Line): void;
  reject(error: Error): void;
}

/** A run's key in `masters`. */
export const runKey = ({ session, run }: SessionRun): string => `${session} ${run}`;

export class HostLink {
  /** A session changed. */
  onSession: (view: SessionView) => void = () => {};
  /** The host is gone; not called for `close`. */
  onClose: () => void = () => {};
  readonly #channel: LineChannel;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #isOpen = true;
  /** Masters that are announced and have not come yet. */
  #masters: { readonly found: Map<string, number>; left: number | null; done(): void } | null = null;

  /** Throws ECONNREFUSED or ENOENT where no host listens, and NativeMissing. */
  static async connect(path: string): Promise<HostLink> {
    const fd = socket('unix', 'stream', { nonblock: true });
    try {
      const address = socketAddress(dirname(path), basename(path));
      try {
        connect(fd, { family: 'unix', path: address.path });
      } finally {
        address.close();
      }
      return new HostLink(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Of a connected socket that does not block. */
  constructor(fd: number) {
    this.#channel = new LineChannel(fd, { line: (line, given) => this.#take(line, given), closed: () => this.#lost() });
  }

  /** `master` stays the caller's. */
  async take(order: TakeOrder, master: number | null): Promise<void> {
    await this.#ask({ do: 'take', ...order }, master);
  }

  /** Resolves when all that the run put out is in its log: at once, or after a second at most where others still have its terminal. */
  async ended(order: EndedOrder): Promise<void> {
    await this.#ask({ do: 'ended', ...order });
  }

  async forget(session: string): Promise<void> {
    await this.#ask({ do: 'forget', session });
  }

  /** Of each run that goes on, under its `runKey`: a descriptor of its master, the caller's from now on. */
  async masters(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    // Before the answer is there: with it, in one piece, may come what is announced.
    const all = new Promise<void>((resolve) => {
      this.#masters = { found, left: null, done: resolve };
    });
    await this.#ask({ do: 'masters' });
    await all;
    return found;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#ask({ do: 'rename', from, to });
  }

  async resize(session: string, { cols, rows }: Size): Promise<void> {
    await this.#ask({ do: 'resize', session, cols, rows });
  }

  async list(): Promise<readonly SessionView[]> {
    return (await this.#ask({ do: 'list' })).sessions as readonly SessionView[];
  }

  /** The host ends; what runs does not. `onClose` tells when it is gone. */
  quit(): void {
    if (this.#isOpen) this.#channel.send({ id: ++this.#lastId, do: 'quit' });
  }

  close(): void {
    this.#channel.close();
    this.#end();
  }

  #ask(request: ControlRequest, fd: number | null = null): Promise<Line> {
    if (!this.#isOpen) return Promise.reject(gone());
    const id = ++this.#lastId;
    const answer = new Promise<Line>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    this.#channel.send({ id, ...request }, fd);
    return answer;
  }

  #take(line: Line, fd: number | null): void {
    if (line.event === 'session') this.onSession(line as unknown as SessionView);
    else if (line.master !== undefined) this.#takeMaster(line.master as SessionRun, fd);
    else this.#takeAnswer(line);
  }

  #takeAnswer(line: Line): void {
    const pending = this.#pending.get(line.id as number);
    this.#pending.delete(line.id as number);
    if (Array.isArray(line.masters)) this.#expectMasters(line.masters.length);
    if (line.ok === true) pending?.resolve(line);
    else pending?.reject(new HostError(line.error as ControlFailure));
  }

  #takeMaster(run: SessionRun, fd: number | null): void {
    if (this.#masters && fd !== null) this.#masters.found.set(runKey(run), fd);
    else if (fd !== null) closeSync(fd);
    if (this.#masters?.left) this.#expectMasters(this.#masters.left - 1);
  }

  #expectMasters(left: number): void {
    if (this.#masters === null) return;
    this.#masters.left = left;
    if (left > 0) return;
    this.#masters.done();
    this.#masters = null;
  }

  #lost(): void {
    this.#end();
    this.onClose();
  }

  #end(): void {
    this.#isOpen = false;
    for (const { reject } of this.#pending.values()) reject(gone());
    this.#pending.clear();
    // What came so far is worth having.
    this.#masters?.done();
    this.#masters = null;
  }
}

const gone = () => new HostError({ code: 'HOST_GONE', message: 'the pty host is gone' });

/** A connection to the pty host: frames in, frames out. */
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { socketAddress } from '../../host/home.ts';
import { type ErrorCode, SteadError } from '../../protocol/errors.ts';
import { FrameReader, ProtocolError } from '../frames.ts';
import {
  type ClientMessage,
  encodeClientMessage,
  type HostMessage,
  hostTypes,
  parseHostMessage,
  type Refusal,
} from '../frames-messages.ts';

export interface ConnectionEvents {
  onMessage(message: HostMessage): void;
  /** It is over: by either side; `problem` if the host does not speak as it should. Comes once, and nothing after it. */
  onClose(problem: ProtocolError | null): void;
  /** What was sent has left for the kernel. */
  onDrain?(): void;
}

export class Connection {
  readonly #socket: Socket;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** To a socket by its absolute path, which may be of any length. Rejects with DAEMON_UNREACHABLE where nobody listens. */
  static async open(path: string): Promise<Connection> {
    const address = socketAddress(dirname(path), basename(path));
    try {
      const socket = connect(address.path);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject);
      });
      return new Connection(socket);
    } catch (error) {
      throw isAbsence(error) ? noHost('does not listen') : error;
    } finally {
      address.close();
    }
  }

  /** Begins to read. */
  listen(events: ConnectionEvents): void {
    const reader = new FrameReader(hostTypes);
    const close = (problem: ProtocolError | null) => {
      if (this.#isClosed) return;
      this.close();
      events.onClose(problem);
    };
    this.#socket.removeAllListeners('error');
    this.#socket.on('error', () => close(null)).on('close', () => close(null));
    this.#socket.on('drain', () => this.#isClosed || events.onDrain?.());
    this.#socket.on('data', (chunk) => {
      try {
        for (const frame of reader.push(chunk)) if (!this.#isClosed) events.onMessage(parseHostMessage(frame));
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        close(error);
      }
    });
  }

  /** Bytes that the kernel has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  send(message: ClientMessage): void {
    this.sendFrame(encodeClientMessage(message));
  }

  /** `onFailed`: the kernel did not take all of it. */
  sendFrame(frame: Buffer, onFailed: () => void = () => {}): void {
    if (this.#isClosed) return;
    this.#socket.write(frame, (error) => {
      if (error) onFailed();
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** At once; no event follows. */
  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  /** Once what was sent has left; resolves when the other side has closed, too, or after `patienceMs`. */
  async finish(patienceMs: number): Promise<void> {
    this.#isClosed = true;
    if (this.#socket.closed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    const timer = setTimeout(() => this.#socket.destroy(), patienceMs);
    this.#socket.resume().end();
    await closed;
    clearTimeout(timer);
  }
}

const isAbsence = (error: unknown): boolean =>
  ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '');

/** `clause`: what it did. */
export const noHost = (clause: string): SteadError =>
  new SteadError('DAEMON_UNREACHABLE', `The terminals' host ${clause}`, {
    hint: 'again in a moment, else stead daemon restart; no program notices',
  });

/** What the host refuses, as an error of ours. Codes of a newer host are kept. */
export const refused = ({ code, message, hint }: Refusal): SteadError =>
  SteadError.fromBody({ code: code as ErrorCode, message, ...(hint === null ? {} : { hint }) });

/** The host's words are not understood. */
export const misunderstood = (problem: Error): SteadError =>
  new SteadError('VERSION_SKEW', `The terminals' host is not understood: ${problem.message}`, {
    hint: 'stead daemon restart, if it is of another version; no program notices',
  });

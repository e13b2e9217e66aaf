/** HTTP requests without a pause, each counted exactly: answered, or how it failed. Bounded by whoever stops it. */
import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  /** Requests under way at a time. */
  readonly concurrency?: number;
  /** Several requests over one connection, until the server says close. */
  readonly keepAlive?: boolean;
  readonly path?: string;
  /** Between an answer and the next request. */
  readonly pauseMs?: number;
}

export interface LoadResult {
  readonly ok: number;
  /** By what went wrong: `ECONNREFUSED`, `reset`, `status 500` … */
  readonly failures: Readonly<Record<string, number>>;
  /** How often each body came. */
  readonly bodies: Readonly<Record<string, number>>;
}

export const failed = ({ failures }: LoadResult): number => Object.values(failures).reduce((sum, one) => sum + one, 0);

const answerPatienceMs = 15_000;

/** To a port of this machine, or to a Unix socket's path. */
export class Load {
  readonly #to: number | string;
  readonly #options: Required<LoadOptions>;
  readonly #failures: Record<string, number> = {};
  readonly #bodies: Record<string, number> = {};
  readonly #loops: readonly Promise<void>[];
  #ok = 0;
  #isStopped = false;

  constructor(to: number | string, { concurrency = 8, keepAlive = false, path = '/', pauseMs = 0 }: LoadOptions = {}) {
    this.#to = to;
    this.#options = { concurrency, keepAlive, path, pauseMs };
    this.#loops = Array.from({ length: concurrency }, () => this.#loop());
  }

  get ok(): number {
    return this.#ok;
  }

  /** Each body that has come. */
  get bodies(): readonly string[] {
    return Object.keys(this.#bodies);
  }

  /** Once so many more have been answered. */
  async more(count: number): Promise<void> {
    const goal = this.#ok + count;
    const deadline = performance.now() + 60_000;
    while (this.#ok < goal) {
      if (performance.now() > deadline) throw new Error(`${this.#ok} of ${goal} requests answered in a minute`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async stop(): Promise<LoadResult> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
    return { ok: this.#ok, failures: this.#failures, bodies: this.#bodies };
  }

  async #loop(): Promise<void> {
    let socket: Socket | null = null;
    while (!this.#isStopped) {
      socket ??= this.#open();
      const { body, isLast, failure } = await ask(socket, this.#options);
      if (failure === null) {
        this.#ok += 1;
        this.#bodies[body] = (this.#bodies[body] ?? 0) + 1;
      } else this.#failures[failure] = (this.#failures[failure] ?? 0) + 1;
      if (isLast) {
        socket.destroy();
        socket = null;
      }
      // Not a storm of failures.
      const pauseMs = failure === null ? this.#options.pauseMs : 2;
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    socket?.destroy();
  }

  #open(): Socket {
    const socket = typeof this.#to === 'string' ? connect(this.#to) : connect(this.#to, '127.0.0.1');
    socket.on('error', () => {});
    return socket;
  }
}

interface Asked {
  readonly body: string;
  /** The connection is of no more use. */
  readonly isLast: boolean;
  readonly failure: string | null;
}

/** One request, and all of its answer: by its length, or up to the connection's end. */
function ask(socket: Socket, { keepAlive, path }: Required<LoadOptions>): Promise<Asked> {
  return new Promise((resolve) => {
    let text = '';
    const end = (failure: string | null, isLast: boolean) => {
      clearTimeout(timer);
      for (const name of ['data', 'error', 'close'] as const) socket.removeAllListeners(name);
      socket.on('error', () => {});
      resolve({ body: text.slice(text.indexOf('\r\n\r\n') + 4), isLast, failure });
    };
    const timer = setTimeout(() => end('no answer', true), answerPatienceMs);
    const look = (isEnd: boolean) => {
      const head = text.indexOf('\r\n\r\n');
      if (head < 0) return isEnd ? end(text === '' ? 'reset' : 'truncated', true) : undefined;
      const length = /^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1];
      const isWhole = length === undefined ? isEnd : text.length - head - 4 >= Number(length);
      if (!isWhole) return isEnd ? end('truncated', true) : undefined;
      const status = text.slice(9, 12);
      const isLast = isEnd || !keepAlive || /^connection: *close/im.test(text.slice(0, head));
      end(status === '200' ? null : `status ${status}`, isLast);
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      look(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message, true));
    socket.on('close', () => look(true));
    socket.write(`GET ${path} HTTP/1.1\r\nhost: test\r\nconnection: ${keepAlive ? 'keep-alive' : 'close'}\r\n\r\n`);
  });
}

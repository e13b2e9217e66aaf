/** One question to a server by each protocol, over a connection of its own; and such questions without end, each counted. */
import { createSocket } from 'node:dgram';
import { request as plainRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Protocol = 'http' | 'https' | 'h2c' | 'tcp' | 'udp';

/** Where a server is: a port of this machine, or a path. */
export interface Place {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

const answerPatienceMs = 15_000;
/** Between two questions: many servers are asked at a time. */
const betweenMs = 10;

/** The answer's text. */
export function ask(protocol: Protocol, place: Place): Promise<string> {
  const to = place.path === undefined ? { host: '127.0.0.1', ...place } : { path: place.path };
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error('no answer')), answerPatienceMs).unref(),
  );
  return Promise.race([asks[protocol](to), late]);
}

const asks: Readonly<Record<Protocol, (to: Place) => Promise<string>>> = {
  http: askHttp(plainRequest),
  https: askHttp(secureRequest),
  h2c: askHttp2,
  tcp: askStream,
  udp: askDatagram,
};

function askHttp(request: typeof plainRequest) {
  return ({ path, ...place }: Place) =>
    new Promise<string>((resolve, reject) => {
      const to = { ...place, ...(path !== undefined && { socketPath: path }), agent: false, rejectUnauthorized: false };
      const asked = request(to, (response) => {
        let text = '';
        response.setEncoding('latin1');
        response.on('data', (part) => {
          text += part;
        });
        response.once('error', reject);
        response.once('end', () => resolve(text));
      });
      asked.once('error', reject);
      asked.end();
    });
}

function askHttp2({ host, port }: Place): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${host}:${port}`);
    session.once('error', reject);
    const stream = session.request({ ':path': '/' });
    let text = '';
    stream.setEncoding('latin1');
    stream.on('data', (part) => {
      text += part;
    });
    stream.once('error', reject);
    stream.once('end', () => {
      session.close();
      if (text === '') reject(new Error('an empty answer'));
      else resolve(text);
    });
  });
}

function askStream(place: Place): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = place.path === undefined ? connect(place.port!, place.host!) : connect(place.path);
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part) => {
      text += part;
    });
    socket.once('error', reject);
    socket.once('close', () => (text === '' ? reject(new Error('closed without an answer')) : resolve(text)));
  });
}

function askDatagram({ host, port }: Place): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host!.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => socket.close(), answerPatienceMs);
    socket.once('close', () => clearTimeout(timer));
    socket.once('error', reject);
    socket.once('message', (message) => {
      socket.close();
      resolve(String(message));
    });
    socket.send('who', port!, host!);
  });
}

export interface Answers {
  /** How often each answer came. */
  readonly texts: Readonly<Record<string, number>>;
  /** By what went wrong. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Asks one server again and again until it is told to stop. */
export class Asking {
  readonly #texts: Record<string, number> = {};
  readonly #failures: Record<string, number> = {};
  readonly #loop: Promise<void>;
  #isStopped = false;

  constructor(protocol: Protocol, place: Place) {
    this.#loop = this.#ask(protocol, place);
  }

  get texts(): readonly string[] {
    return Object.keys(this.#texts);
  }

  async stop(): Promise<Answers> {
    this.#isStopped = true;
    await this.#loop;
    return { texts: this.#texts, failures: this.#failures };
  }

  async #ask(protocol: Protocol, place: Place): Promise<void> {
    while (!this.#isStopped) {
      try {
        const text = await ask(protocol, place);
        this.#texts[text] = (this.#texts[text] ?? 0) + 1;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const what = code ?? message;
        this.#failures[what] = (this.#failures[what] ?? 0) + 1;
      }
      await pause(betweenMs);
    }
  }
}

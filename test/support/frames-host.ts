/** A stand-in for the pty host: speaks frames on a socket, keeps what clients say, and says what the test wants. */
import { createServer, type Server, type Socket } from 'node:net';
import { encodeChunks, encodeFrame, FrameReader, terminalVersion } from '../../src/terminal/frames.ts';
import {
  type ClientMessage,
  clientTypes,
  encodeHostMessage,
  type Hello,
  type HostMessage,
  parseClientMessage,
} from '../../src/terminal/frames-messages.ts';
import type { Question } from '../../src/terminal/frames-questions.ts';
import { waitFor } from './wait.ts';

export class FramesClient {
  readonly messages: ClientMessage[] = [];
  readonly hello: Promise<Hello>;
  isClosed = false;
  readonly #socket: Socket;
  #greeted!: (hello: Hello) => void;

  constructor(socket: Socket, onQuestion: (client: FramesClient, question: Question) => void) {
    this.#socket = socket;
    this.hello = new Promise((resolve) => {
      this.#greeted = resolve;
    });
    const reader = new FrameReader(clientTypes);
    socket
      .on('error', () => {})
      .on('close', () => {
        this.isClosed = true;
      });
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk)) {
        const message = parseClientMessage(frame);
        this.messages.push(message);
        if (message.type === 'hello') this.#greeted(message.hello);
        if (message.type === 'question') onQuestion(this, message.question);
      }
    });
  }

  /** All that was typed. */
  get input(): string {
    return this.messages.map((message) => (message.type === 'input' ? message.bytes.toString('latin1') : '')).join('');
  }

  get acked(): number {
    return Math.max(0, ...this.messages.map((message) => (message.type === 'ack' ? message.bytes : 0)));
  }

  has(type: ClientMessage['type']): boolean {
    return this.messages.some((message) => message.type === type);
  }

  say(message: HostMessage): void {
    this.#socket.write(encodeHostMessage(message));
  }

  /** Resolves when the kernel or Node has it all: false if more should not be written yet. */
  output(text: string | Buffer): void {
    for (const frame of encodeChunks('o', Buffer.from(text as string))) this.#socket.write(frame);
  }

  snapshot(text: string): void {
    this.#socket.write(encodeFrame('s', Buffer.from(text)));
  }

  welcome(): void {
    const welcome = { v: terminalVersion, session: 'build:0', cols: 80, rows: 24, clients: 1, readOnly: false };
    this.say({ type: 'welcome', welcome });
  }

  raw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Waits until so much has been typed. */
  typed(text: string): Promise<unknown> {
    return waitFor(`${JSON.stringify(text)} to be typed`, () => this.input === text).catch((error: Error) => {
      throw new Error(`${error.message}; typed was ${JSON.stringify(this.input)}`);
    });
  }
}

export interface FramesHostOptions {
  /** By default a client is welcomed with a short snapshot. */
  readonly onHello?: (client: FramesClient, hello: Hello) => void;
  readonly onQuestion?: (client: FramesClient, question: Question) => void;
}

export class FramesHost {
  readonly clients: FramesClient[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(path: string, { onHello = greet, onQuestion = () => {} }: FramesHostOptions = {}) {
    const server = createServer((socket) => {
      const client = new FramesClient(socket, onQuestion);
      host.clients.push(client);
      client.hello.then((hello) => onHello(client, hello));
    });
    const host = new FramesHost(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return host;
  }

  /** The client that came as the nth. */
  client(index = 0): Promise<FramesClient> {
    return waitFor(`client ${index}`, () => this.clients[index]);
  }

  /** As if it was killed. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const client of this.clients) client.close();
    await closed;
  }
}

function greet(client: FramesClient): void {
  client.welcome();
  client.snapshot('\x1b[2J\x1b[Hscreen$ ');
}

/** A client of a pty host that a test drives frame by frame, with a terminal of its own to look at. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Frame, FrameReader } from '../../src/terminal/frames.ts';
import {
  type ClientMessage,
  encodeClientMessage,
  type Hello,
  type HostMessage,
  hostTypes,
  parseHostMessage,
} from '../../src/terminal/frames-messages.ts';
import type { Answer, Question } from '../../src/terminal/frames-questions.ts';
import { Screen } from '../../src/terminal/screen/screen.ts';
import { waitFor } from './wait.ts';

const mostKept = 1024 * 1024;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

export class TerminalClient {
  readonly socket: Socket;
  readonly messages: HostMessage[] = [];
  readonly #reader = new FrameReader(hostTypes);
  /** All bytes of snapshots and output. */
  bytes = 0;
  /** Of output alone; of much its end. */
  output = '';
  isAcknowledging = true;
  isClosed = false;
  screen: Screen | null = null;
  /** What it says as a real terminal would. */
  answersWith: ((query: Buffer) => Buffer | null) | null = null;
  #lastId = 0;
  #fed: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (chunk) => {
      for (const frame of this.#reader.push(chunk)) this.#take(frame);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async attach(path: string, session: string, options: Partial<Hello> = {}): Promise<TerminalClient> {
    const client = new TerminalClient(path);
    await client.hello(session, options);
    return client;
  }

  async hello(session: string, options: Partial<Hello> = {}): Promise<void> {
    const size = { cols: options.cols ?? 80, rows: options.rows ?? 24 };
    this.screen = new Screen({ ...size, scrollback: 1000, onAnswer() {} });
    const kept = { v: 1, readOnly: false, steal: false, term: 'xterm-256color', wantsSnapshot: true, scrollback: 1000 };
    this.send({ type: 'hello', hello: { ...kept, session, ...size, ...options } });
    await waitFor('a welcome and what is shown', () => this.messages.length > 0 && this.bytes > 0);
  }

  send(message: ClientMessage): void {
    this.socket.write(encodeClientMessage(message));
  }

  type(text: string | Buffer): void {
    const bytes = Buffer.from(text as string);
    for (let at = 0; at < bytes.length; at += 65_536)
      this.send({ type: 'input', bytes: bytes.subarray(at, at + 65_536) });
  }

  of<Type extends HostMessage['type']>(type: Type): Extract<HostMessage, { type: Type }>[] {
    return this.messages.filter((message) => message.type === type) as Extract<HostMessage, { type: Type }>[];
  }

  async gets<Type extends HostMessage['type']>(type: Type): Promise<Extract<HostMessage, { type: Type }>> {
    return waitFor(`a message ${type}`, () => this.of(type)[0]);
  }

  /** What its screen shows, once it matches. */
  async shows(pattern: RegExp): Promise<string> {
    let text = '';
    try {
      return await waitFor(`a screen that shows ${pattern}`, async () => {
        text = await this.shown();
        return pattern.test(text) && { text };
      }).then((found) => found.text);
    } catch (error) {
      throw new Error(`${(error as Error).message}; it shows ${JSON.stringify(text)}`);
    }
  }

  async shown(): Promise<string> {
    await this.#fed;
    return this.screen!.capture({ ansi: false, lines: null });
  }

  async ask(question: WithoutId<Question>): Promise<Answer> {
    const id = ++this.#lastId;
    this.send({ type: 'question', question: { id, ...question } as Question });
    const answer = await waitFor(`an answer to ${question.what}`, () => this.#answerTo(id));
    if (answer.type === 'error') throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
    return answer.answer;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }

  #answerTo(id: number): Extract<HostMessage, { type: 'answer' | 'error' }> | undefined {
    return this.messages.find(
      (message) =>
        (message.type === 'answer' && message.answer.id === id && message.answer.what !== 'part') ||
        (message.type === 'error' && message.error.id === id),
    ) as Extract<HostMessage, { type: 'answer' | 'error' }> | undefined;
  }

  #take(frame: Frame): void {
    const message = parseHostMessage(frame);
    if (message.type !== 'output' && message.type !== 'snapshot') this.messages.push(message);
    else this.#show(message.type, Buffer.from(message.bytes));
    if (message.type === 'size') this.#fed = this.#fed.then(() => this.screen?.resize(message.size));
  }

  #show(type: string, bytes: Buffer): void {
    this.bytes += bytes.length;
    if (type === 'output') this.output += bytes.toString('latin1');
    // Now and then: a text that is cut is copied.
    if (this.output.length > 2 * mostKept) this.output = this.output.slice(-mostKept);
    const answer = this.answersWith?.(bytes);
    if (answer) this.send({ type: 'input', bytes: answer });
    this.#fed = this.#fed.then(() => this.screen?.feed(bytes));
    if (this.isAcknowledging) this.send({ type: 'ack', bytes: this.bytes });
  }
}

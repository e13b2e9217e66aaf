/** One connection to `host.sock`: questions, any number; or a hello, and from then on a client that is attached. */
import type { Socket } from 'node:net';
import { FrameReader, ProtocolError, terminalVersion } from '../frames.ts';
import {
  type ClientMessage,
  clientTypes,
  encodeHostMessage,
  type Hello,
  parseClientMessage,
  type Refusal,
} from '../frames-messages.ts';
import { encodeAnswer, type Question } from '../frames-questions.ts';
import type { Attached, Wire } from './attached.ts';
import { type Asking, ask, Unanswerable } from './questions.ts';
import type { Session } from './session.ts';

/** Who does not take its last frames in this time goes without. */
const endPatienceMs = 1000;
const mostAsked = 64;

export class ClientConnection implements Wire {
  readonly #socket: Socket;
  readonly #find: (key: string) => Session | null;
  readonly #reader = new FrameReader(clientTypes);
  readonly #asked = new Set<Asking>();
  #attached: { readonly session: Session; readonly client: Attached } | null = null;
  #isOver = false;

  constructor(socket: Socket, find: (key: string) => Session | null) {
    this.#socket = socket;
    this.#find = find;
    socket.on('data', (chunk) => this.#read(chunk));
    // A client has nothing more to say when it closes its side.
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    socket.on('close', () => this.#gone());
  }

  get waiting(): number {
    return this.#socket.writableLength;
  }

  send(frame: Buffer): void {
    if (this.#socket.writable) this.#socket.write(frame);
  }

  pause(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), endPatienceMs).unref();
  }

  #gone(): void {
    this.#isOver = true;
    for (const asking of this.#asked) asking.cancel();
    this.#attached?.session.detach(this.#attached.client);
    this.#attached = null;
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      for (const frame of this.#reader.push(chunk)) {
        if (this.#isOver) return;
        this.#take(parseClientMessage(frame));
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse({ code: 'PROTOCOL', message: error.message, hint: null });
    }
  }

  #take(message: ClientMessage): void {
    if (message.type === 'question') this.#takeQuestion(message.question);
    else if (message.type === 'hello') this.#takeHello(message.hello);
    else if (this.#attached) this.#takeOfAttached(message, this.#attached);
    else throw new ProtocolError('a client says hello first');
  }

  #takeHello(hello: Hello): void {
    if (this.#attached) throw new ProtocolError('a client says hello once');
    const session = this.#find(hello.session);
    if (hello.v !== terminalVersion) this.#refuse(otherVersion(hello.v));
    else if (session === null) this.#refuse(noSession(hello.session));
    else this.#attach(session, hello);
  }

  #attach(session: Session, hello: Hello): void {
    const client = session.attach(hello, this);
    this.#attached = { session, client };
    const { cols, rows, clients } = session.view;
    const { readOnly } = hello;
    this.send(
      encodeHostMessage({
        type: 'welcome',
        welcome: { v: terminalVersion, session: session.key, cols, rows, clients, readOnly },
      }),
    );
    session.show(client);
  }

  #takeOfAttached(message: ClientMessage, { session, client }: { session: Session; client: Attached }): void {
    if (message.type === 'input') session.typed(client, message.bytes);
    else if (message.type === 'resize') session.resized(client, message.size);
    else if (message.type === 'ack') client.acknowledge(message.bytes);
    else if (message.type === 'detach') this.#detach();
  }

  #detach(): void {
    this.send(encodeHostMessage({ type: 'bye', reason: 'detached' }));
    this.#attached?.session.detach(this.#attached.client);
    this.#attached = null;
    this.end();
  }

  #takeQuestion(question: Question): void {
    const session = this.#find(question.session);
    if (this.#asked.size >= mostAsked) throw new ProtocolError('too many questions at once');
    if (session === null) this.#refuseQuestion(question.id, noSession(question.session));
    else this.#ask(session, question);
  }

  #ask(session: Session, question: Question): void {
    try {
      this.#answerLater(question.id, ask(session, question));
    } catch (error) {
      this.#refuseQuestion(question.id, refusalOf(error));
    }
  }

  #answerLater(id: number, asking: Asking): void {
    this.#asked.add(asking);
    asking.answer
      .then(
        (answer) => {
          for (const frame of encodeAnswer(answer)) this.send(frame);
        },
        (error) => this.#refuseQuestion(id, refusalOf(error)),
      )
      .finally(() => this.#asked.delete(asking));
  }

  #refuseQuestion(id: number, refusal: Refusal): void {
    this.send(encodeHostMessage({ type: 'error', error: { ...refusal, id } }));
  }

  #refuse(error: Refusal): void {
    this.send(encodeHostMessage({ type: 'error', error }));
    this.end();
  }
}

const noSession = (key: string): Refusal => ({
  code: 'NO_SESSION',
  message: `there is no session "${key}"`,
  hint: 'stead list shows those that there are',
});

const otherVersion = (v: number): Refusal => ({
  code: 'VERSION_SKEW',
  message: `the terminal host speaks version ${terminalVersion}, the client version ${v}`,
  hint: 'use the version of stead that started the session',
});

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Unanswerable)) throw error;
  return { code: error.code, message: error.message, hint: null };
}

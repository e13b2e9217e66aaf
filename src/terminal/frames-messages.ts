/** What the frames say, as values: made, and checked when they come. */
import { encodeFrame, type Frame, ProtocolError } from './frames.ts';
import {
  count,
  type Fields,
  fieldsOf,
  flag,
  optional,
  parseExit,
  parseSize,
  type SessionExit,
  type Size,
  text,
  wrong,
} from './frames-fields.ts';
import { type Answer, encodeQuestion, parseAnswer, parseQuestion, type Question } from './frames-questions.ts';

export type { SessionExit, Size };

export interface Hello extends Size {
  readonly v: number;
  readonly session: string;
  /** Takes no input and no size from this client. */
  readonly readOnly: boolean;
  /** All other clients go. */
  readonly steal: boolean;
  /** The client's TERM. */
  readonly term: string;
  readonly wantsSnapshot: boolean;
  /** Lines above the screen that the snapshot begins with, at most. */
  readonly scrollback: number;
  /** False: it has no terminal, and its size is not to count. */
  readonly isSized?: boolean;
  /** Without a snapshot: all that the run has put out so far comes first. */
  readonly isFromStart?: boolean;
}

export interface Welcome extends Size {
  readonly v: number;
  readonly session: string;
  /** How many are attached, this one included. */
  readonly clients: number;
  readonly readOnly: boolean;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** The question that is refused, if it is one. */
  readonly id?: number;
}

export const byeReasons = ['detached', 'stolen', 'stopped'] as const;
export type ByeReason = (typeof byeReasons)[number];

export type ClientMessage =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'input'; readonly bytes: Buffer }
  | { readonly type: 'resize'; readonly size: Size }
  /** All bytes of output and snapshots since welcome that the client is done with. */
  | { readonly type: 'ack'; readonly bytes: number }
  | { readonly type: 'detach' }
  /** May come instead of hello, any number of times. */
  | { readonly type: 'question'; readonly question: Question };

export type HostMessage =
  | { readonly type: 'welcome'; readonly welcome: Welcome }
  | { readonly type: 'snapshot'; readonly bytes: Buffer }
  | { readonly type: 'output'; readonly bytes: Buffer }
  | { readonly type: 'size'; readonly size: Size }
  | { readonly type: 'exit'; readonly exit: SessionExit }
  | { readonly type: 'error'; readonly error: Refusal }
  | { readonly type: 'bye'; readonly reason: ByeReason }
  | { readonly type: 'answer'; readonly answer: Answer };

/** For a FrameReader. */
export const clientTypes = 'hiradq';
export const hostTypes = 'wsozxebq';

/** A client's message as a frame; its bytes must fit in one (`encodeChunks`). */
export function encodeClientMessage(message: ClientMessage): Buffer {
  switch (message.type) {
    case 'hello':
      return encodeFrame('h', message.hello);
    case 'input':
      return encodeFrame('i', message.bytes);
    case 'resize':
      return encodeFrame('r', message.size);
    case 'ack':
      return encodeFrame('a', { bytes: message.bytes });
    case 'detach':
      return encodeFrame('d', {});
    case 'question':
      return encodeQuestion(message.question);
  }
}

/** A host's message as a frame; its bytes must fit in one (`encodeChunks`), as must an answer (`encodeAnswer`). */
export function encodeHostMessage(message: HostMessage): Buffer {
  switch (message.type) {
    case 'welcome':
      return encodeFrame('w', message.welcome);
    case 'snapshot':
      return encodeFrame('s', message.bytes);
    case 'output':
      return encodeFrame('o', message.bytes);
    case 'size':
      return encodeFrame('z', message.size);
    case 'exit':
      return encodeFrame('x', message.exit);
    case 'error':
      return encodeFrame('e', message.error);
    case 'bye':
      return encodeFrame('b', { reason: message.reason });
    case 'answer':
      return encodeFrame('q', message.answer);
  }
}

/** What a client's frame says; throws ProtocolError. */
export function parseClientMessage({ type, payload }: Frame): ClientMessage {
  switch (type) {
    case 'h':
      return { type: 'hello', hello: parseHello(fieldsOf(payload)) };
    case 'i':
      return { type: 'input', bytes: payload };
    case 'r':
      return { type: 'resize', size: parseSize(fieldsOf(payload)) };
    case 'a':
      return { type: 'ack', bytes: count(fieldsOf(payload), 'bytes') };
    case 'd':
      return { type: 'detach' };
    case 'q':
      return { type: 'question', question: parseQuestion(fieldsOf(payload)) };
    default:
      throw new ProtocolError(`a client sends no frame of type "${type}"`);
  }
}

/** What a host's frame says; throws ProtocolError. */
export function parseHostMessage({ type, payload }: Frame): HostMessage {
  switch (type) {
    case 'w':
      return { type: 'welcome', welcome: parseWelcome(fieldsOf(payload)) };
    case 's':
      return { type: 'snapshot', bytes: payload };
    case 'o':
      return { type: 'output', bytes: payload };
    case 'z':
      return { type: 'size', size: parseSize(fieldsOf(payload)) };
    case 'x':
      return { type: 'exit', exit: parseExit(fieldsOf(payload)) };
    case 'e':
      return { type: 'error', error: parseRefusal(fieldsOf(payload)) };
    case 'b':
      return { type: 'bye', reason: parseReason(fieldsOf(payload)) };
    case 'q':
      return { type: 'answer', answer: parseAnswer(fieldsOf(payload)) };
    default:
      throw new ProtocolError(`a host sends no frame of type "${type}"`);
  }
}

const parseHello = (fields: Fields): Hello => ({
  v: count(fields, 'v'),
  session: text(fields, 'session'),
  ...parseSize(fields),
  readOnly: flag(fields, 'readOnly'),
  steal: flag(fields, 'steal'),
  term: text(fields, 'term'),
  wantsSnapshot: flag(fields, 'wantsSnapshot'),
  scrollback: count(fields, 'scrollback'),
  ...(fields.isSized === undefined ? {} : { isSized: flag(fields, 'isSized') }),
  ...(fields.isFromStart === undefined ? {} : { isFromStart: flag(fields, 'isFromStart') }),
});

const parseWelcome = (fields: Fields): Welcome => ({
  v: count(fields, 'v'),
  session: text(fields, 'session'),
  ...parseSize(fields),
  clients: count(fields, 'clients'),
  readOnly: flag(fields, 'readOnly'),
});

const parseRefusal = (fields: Fields): Refusal => ({
  code: text(fields, 'code'),
  message: text(fields, 'message'),
  hint: optional(fields, 'hint', text),
  ...(fields.id === undefined ? {} : { id: count(fields, 'id') }),
});

function parseReason(fields: Fields): ByeReason {
  const found = byeReasons.find((reason) => reason === fields.reason);
  return found ?? wrong('reason', fields.reason);
}

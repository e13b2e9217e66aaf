/**
 * What can be asked of a session without being attached to it: what its terminal shows, to type something, to wait for something, its size. Frames `q` both
 * ways, each with the question's `id`, by which answers find their questions: one that waits does not hold up those after it. What can't be answered is
 * refused by an `e` with that id.
 */
import type { Captured, Waited } from '../protocol/terminal.ts';
import { encodeFrame } from './frames.ts';
import {
  count,
  type Fields,
  flag,
  longText,
  nested,
  optional,
  parseExit,
  parseSize,
  type SessionExit,
  type Size,
  text,
  wrong,
} from './frames-fields.ts';

export type { Captured, Waited };

export type Question = {
  readonly id: number;
  /** `<app>:<index>` */
  readonly session: string;
} & (
  | CaptureQuestion
  /** Answered when the bytes are in the kernel, or queued. At most `maxSentBytes`. */
  | { readonly what: 'send'; readonly bytes: Buffer }
  /** Answered once a line that is shown matches the pattern (RE2's syntax; flags of i, m, s), or the session has ended. Without a pattern: at its end. */
  | { readonly what: 'wait'; readonly pattern: string | null; readonly flags: string }
  | { readonly what: 'size' }
);

export interface CaptureQuestion {
  readonly what: 'capture';
  /** With colours and attributes, as escape sequences. */
  readonly ansi: boolean;
  /** So many last lines, those above the screen included; null: the screen. */
  readonly lines: number | null;
}

export interface Shape extends Size {
  /** The program asked for arrows as SS3 (DECCKM). */
  readonly applicationCursor: boolean;
}

export type Answer = { readonly id: number } & (
  | ({ readonly what: 'capture' } & Captured)
  /** Of a captured text that is too long for a frame: its beginning, more of it follows. */
  | { readonly what: 'part'; readonly text: string }
  | { readonly what: 'send'; readonly written: number }
  | ({ readonly what: 'wait' } & Waited)
  | ({ readonly what: 'size' } & Shape)
);

/** What fits into a frame as base64. */
export const maxSentBytes = 512 * 1024;
/** UTF-16 units; none takes more than six bytes in JSON. */
const maxPartLength = 128 * 1024;
/** The longest line that is worth telling. */
const maxLineLength = 4096;

/** The question as a frame. */
export function encodeQuestion(question: Question): Buffer {
  if (question.what !== 'send') return encodeFrame('q', question);
  return encodeFrame('q', { ...question, bytes: question.bytes.toString('base64') });
}

/** An answer as frames: one, or several for a long text. */
export function* encodeAnswer(answer: Answer): Generator<Buffer> {
  if (answer.what === 'wait') yield encodeFrame('q', { ...answer, line: answer.line?.slice(0, maxLineLength) ?? null });
  else if (answer.what !== 'capture') yield encodeFrame('q', answer);
  else {
    const { id, text: all } = answer;
    let at = 0;
    for (; all.length - at > maxPartLength; at += maxPartLength)
      yield encodeFrame('q', { id, what: 'part', text: all.slice(at, at + maxPartLength) });
    yield encodeFrame('q', { ...answer, text: all.slice(at) });
  }
}

/** What a client's `q` says. */
export function parseQuestion(fields: Fields): Question {
  const common = { id: count(fields, 'id'), session: text(fields, 'session') };
  switch (fields.what) {
    case 'capture':
      return {
        ...common,
        what: 'capture',
        ansi: flag(fields, 'ansi'),
        lines: optional(fields, 'lines', count),
      };
    case 'send':
      return { ...common, what: 'send', bytes: base64(fields, 'bytes') };
    case 'wait':
      return { ...common, what: 'wait', pattern: optional(fields, 'pattern', text), flags: text(fields, 'flags') };
    case 'size':
      return { ...common, what: 'size' };
    default:
      return wrong('what', fields.what);
  }
}

/** What a host's `q` says. */
export function parseAnswer(fields: Fields): Answer {
  const id = count(fields, 'id');
  switch (fields.what) {
    case 'capture':
      return { id, what: 'capture', ...parseCaptured(fields) };
    case 'part':
      return { id, what: 'part', text: longText(fields, 'text') };
    case 'send':
      return { id, what: 'send', written: count(fields, 'written') };
    case 'wait':
      return {
        id,
        what: 'wait',
        matched: flag(fields, 'matched'),
        line: optional(fields, 'line', longText),
        exit: parseOptionalExit(fields),
      };
    case 'size':
      return { id, what: 'size', ...parseSize(fields), applicationCursor: flag(fields, 'applicationCursor') };
    default:
      return wrong('what', fields.what);
  }
}

function parseCaptured(fields: Fields): Captured {
  const cursor = nested(fields, 'cursor');
  return {
    text: longText(fields, 'text'),
    ...parseSize(fields),
    cursor: { row: count(cursor, 'row'), col: count(cursor, 'col'), visible: flag(cursor, 'visible') },
    title: longText(fields, 'title'),
    alternate: flag(fields, 'alternate'),
    exit: parseOptionalExit(fields),
  };
}

const parseOptionalExit = (fields: Fields): SessionExit | null =>
  fields.exit === undefined || fields.exit === null ? null : parseExit(nested(fields, 'exit'));

function base64(fields: Fields, name: string): Buffer {
  const value = longText(fields, name);
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return wrong(name, value);
  return Buffer.from(value, 'base64');
}

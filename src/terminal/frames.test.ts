/** Frames in pieces, garbage, and what they say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  chunkBytes,
  encodeChunks,
  encodeFrame,
  type Frame,
  FrameReader,
  maxPayloadBytes,
  ProtocolError,
} from './frames.ts';
import {
  type ClientMessage,
  clientTypes,
  encodeClientMessage,
  encodeHostMessage,
  type HostMessage,
  hostTypes,
  parseClientMessage,
  parseHostMessage,
} from './frames-messages.ts';
import { type Answer, encodeAnswer, maxSentBytes, type Question } from './frames-questions.ts';

/** `bytes` cut at these places, each a fraction. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const readAll = (reader: FrameReader, pieces: readonly Buffer[]): Frame[] =>
  pieces.flatMap((piece) => [...reader.push(piece)]);

const anyFrames = fc.array(
  fc.record({ type: fc.constantFrom(...hostTypes), payload: fc.uint8Array({ maxLength: 300 }).map(Buffer.from) }),
);
const anyPlaces = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 });

test('frames come out as they went in, in whatever pieces', () => {
  fc.assert(
    fc.property(anyFrames, anyPlaces, (frames, places) => {
      const bytes = Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)));
      const got = readAll(new FrameReader(hostTypes), cut(bytes, places));
      assert.deepEqual(
        got.map(({ type, payload }) => [type, payload.toString('hex')]),
        frames.map(({ type, payload }) => [type, payload.toString('hex')]),
      );
    }),
  );
});

test('any bytes give messages or a ProtocolError, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...clientTypes), (noise, type) => {
      for (const bytes of [Buffer.from(noise), encodeFrame(type, noise)]) {
        try {
          for (const frame of new FrameReader(clientTypes).push(bytes)) parseClientMessage(frame);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('any JSON in a payload is a message or a ProtocolError', () => {
  const types = fc.constantFrom(...clientTypes, ...hostTypes);
  fc.assert(
    fc.property(types, fc.json(), (type, json) => {
      for (const parse of [parseClientMessage, parseHostMessage]) {
        try {
          parse({ type, payload: Buffer.from(json) });
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
  );
});

test('a length beyond the bound and a type that there is not are refused before their payload has come', () => {
  const tooLong = Buffer.from([0x6f, 0x00, 0x10, 0x00, 0x01]);
  assert.equal(tooLong.readUInt32BE(1), maxPayloadBytes + 1);
  for (const bytes of [tooLong, Buffer.from('G'), Buffer.from('\x00')]) {
    const reader = new FrameReader(hostTypes);
    assert.throws(() => [...reader.push(bytes)], ProtocolError);
    assert.throws(() => [...reader.push(encodeFrame('o', Buffer.from('later')))], ProtocolError);
  }
});

test('what came before garbage is given first', () => {
  const got: string[] = [];
  assert.throws(() => {
    for (const { payload } of new FrameReader('o').push(
      Buffer.concat([encodeFrame('o', Buffer.from('good')), Buffer.from('!')]),
    ))
      got.push(String(payload));
  }, ProtocolError);
  assert.deepEqual(got, ['good']);
});

test('a frame of the greatest length in pieces of some bytes takes no quadratic time', () => {
  const bytes = encodeFrame('o', Buffer.alloc(maxPayloadBytes, 7));
  const reader = new FrameReader('o');
  const began = performance.now();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += 16) frames.push(...reader.push(bytes.subarray(at, at + 16)));
  assert.equal(frames[0]!.payload.length, maxPayloadBytes);
  assert.ok(performance.now() - began < 5000);
  assert.throws(() => encodeFrame('o', Buffer.alloc(maxPayloadBytes + 1)), RangeError);
});

test('bytes of any length are split into frames', () => {
  const bytes = Buffer.alloc(2 * chunkBytes + 5, 1);
  const lengths = [...encodeChunks('i', bytes)].map((frame) => frame.length - 5);
  assert.deepEqual(lengths, [chunkBytes, chunkBytes, 5]);
  assert.deepEqual([...encodeChunks('i', Buffer.alloc(0))], []);
});

test('every message is understood as it was meant', () => {
  const size = { cols: 80, rows: 24 };
  const fromClients: ClientMessage[] = [
    {
      type: 'hello',
      hello: {
        v: 1,
        session: 'ä',
        ...size,
        readOnly: true,
        steal: false,
        term: 'xterm',
        wantsSnapshot: true,
        scrollback: 0,
      },
    },
    { type: 'input', bytes: Buffer.from([0, 255]) },
    { type: 'resize', size },
    { type: 'ack', bytes: 2 ** 40 },
    { type: 'detach' },
  ];
  const fromHosts: HostMessage[] = [
    { type: 'welcome', welcome: { v: 1, session: 'a', ...size, clients: 2, readOnly: false } },
    { type: 'snapshot', bytes: Buffer.from('s') },
    { type: 'output', bytes: Buffer.from('o') },
    { type: 'size', size },
    { type: 'exit', exit: { code: null, signal: 'SIGTERM', reason: 'was stopped' } },
    { type: 'error', error: { code: 'APP_NOT_FOUND', message: 'no', hint: null } },
    { type: 'bye', reason: 'stolen' },
  ];
  const clients = new FrameReader(clientTypes);
  for (const message of fromClients)
    assert.deepEqual([...clients.push(encodeClientMessage(message))].map(parseClientMessage), [message]);
  const hosts = new FrameReader(hostTypes);
  for (const message of fromHosts)
    assert.deepEqual([...hosts.push(encodeHostMessage(message))].map(parseHostMessage), [message]);
});

test('sizes that are no terminal’s are refused', () => {
  for (const cols of [0, -1, 1.5, 1e9, '80', null])
    assert.throws(
      () => parseClientMessage({ type: 'r', payload: Buffer.from(JSON.stringify({ cols, rows: 24 })) }),
      ProtocolError,
    );
});

const asked = { id: 7, session: 'build:0' };

test('questions and answers are understood as they were meant', () => {
  const ended = { code: 3, signal: null, reason: null };
  const questions: Question[] = [
    { ...asked, what: 'capture', ansi: true, lines: null },
    { ...asked, what: 'send', bytes: Buffer.alloc(maxSentBytes, 255) },
    { ...asked, what: 'wait', pattern: 'ready.*\\d', flags: 'i' },
    { ...asked, what: 'wait', pattern: null, flags: '' },
    { ...asked, what: 'size' },
  ];
  const answers: Answer[] = [
    {
      id: 7,
      what: 'capture',
      text: 'a\n\x1b[1mé',
      cols: 80,
      rows: 24,
      cursor: { row: 0, col: 79, visible: false },
      title: 'T',
      alternate: true,
      exit: ended,
    },
    { id: 7, what: 'send', written: 3 },
    { id: 7, what: 'wait', matched: false, line: null, exit: ended },
    { id: 7, what: 'wait', matched: true, line: 'ready 5', exit: null },
    { id: 7, what: 'size', cols: 1, rows: 2000, applicationCursor: false },
  ];
  const clients = new FrameReader(clientTypes);
  for (const question of questions) {
    const got = [...clients.push(encodeClientMessage({ type: 'question', question }))].map(parseClientMessage);
    assert.deepEqual(got, [{ type: 'question', question }]);
  }
  const hosts = new FrameReader(hostTypes);
  for (const answer of answers) {
    const got = [...hosts.push(Buffer.concat([...encodeAnswer(answer)]))].map(parseHostMessage);
    assert.deepEqual(got, [{ type: 'answer', answer }]);
  }
  const refusal: HostMessage = { type: 'error', error: { code: 'FULL', message: 'no', hint: null, id: 7 } };
  assert.deepEqual([...hosts.push(encodeHostMessage(refusal))].map(parseHostMessage), [refusal]);
});

test('a captured text of any length comes in parts', () => {
  const text = '\x1b\u{1f600}'.repeat(400_000);
  const cursor = { row: 0, col: 0, visible: true };
  const answer: Answer = {
    id: 1,
    what: 'capture',
    text,
    cols: 80,
    rows: 24,
    cursor,
    title: '',
    alternate: false,
    exit: null,
  };
  const hosts = new FrameReader(hostTypes);
  const got = [...encodeAnswer(answer)].flatMap((frame) => [...hosts.push(frame)].map(parseHostMessage));
  assert.ok(got.length > 2);
  const texts = got.map((message) =>
    message.type === 'answer' && 'text' in message.answer ? message.answer.text : '',
  );
  assert.ok(texts.join('') === text);
});

test('questions of another shape are refused', () => {
  for (const fields of [
    { ...asked, what: 'other' },
    { ...asked, what: 'capture', ansi: 1, lines: null },
    { ...asked, what: 'capture', ansi: true, lines: -1 },
    { ...asked, what: 'send', bytes: 'a' },
    { ...asked, what: 'send', bytes: '*&^%' },
    { ...asked, what: 'wait', pattern: 3, flags: '' },
    { ...asked, what: 'wait', pattern: 'a'.repeat(5000), flags: '' },
    { what: 'size', session: 'a:0' },
    { what: 'size', id: 1 },
  ])
    assert.throws(() => parseClientMessage({ type: 'q', payload: Buffer.from(JSON.stringify(fields)) }), ProtocolError);
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { FramesHost, type FramesHostOptions } from '../../../test/support/frames-host.ts';
import { type Cleanup, temporaryDirectory } from '../../../test/support/temporary.ts';
import { waitFor as until } from '../../../test/support/wait.ts';
import { type Answer, type Captured, encodeAnswer, type Question } from '../frames-questions.ts';
import { capture, send, shapeOfSession, waitFor } from './ask.ts';

async function start(cleanup: Cleanup, onQuestion: FramesHostOptions['onQuestion'] & {}) {
  const socket = join(temporaryDirectory(cleanup), 'host.sock');
  const host = await FramesHost.listen(socket, { onQuestion });
  cleanup.after(() => host.kill());
  return { host, place: { socket, session: 'build:0' } };
}

const captured: Captured = {
  text: 'é\n'.repeat(300_000),
  cols: 80,
  rows: 24,
  cursor: { row: 1, col: 2, visible: true },
  title: 'make',
  alternate: false,
  exit: null,
};

function answerOf(question: Question): Answer {
  const { id } = question;
  if (question.what === 'capture') return { id, what: 'capture', ...captured };
  if (question.what === 'send') return { id, what: 'send', written: question.bytes.length };
  if (question.what === 'size') return { id, what: 'size', cols: 3, rows: 4, applicationCursor: false };
  return { id, what: 'wait', matched: true, line: question.pattern, exit: null };
}

test('questions are answered, long texts and long inputs as well', async (t) => {
  const sent: Buffer[] = [];
  const { host, place } = await start(t, (client, question) => {
    if (question.what === 'send') sent.push(question.bytes);
    client.raw(Buffer.concat([...encodeAnswer(answerOf(question))]));
  });
  const { text, cursor, title } = await capture(place, { ansi: false, lines: null });
  assert.ok(text === captured.text);
  assert.deepEqual([cursor, title], [captured.cursor, 'make']);
  await send(place, Buffer.alloc(1_200_000, 'i'));
  assert.ok(Buffer.concat(sent).equals(Buffer.alloc(1_200_000, 'i')));
  const size = await shapeOfSession(place);
  assert.deepEqual([size.cols, size.rows], [3, 4]);
  const waited = await waitFor(place, { pattern: 'ready', flags: 'i', timeoutMs: null });
  assert.deepEqual([waited.matched, waited.line], [true, 'ready']);
  await until('all connections to be closed', () => host.clients.every(({ isClosed }) => isClosed));
});

test('what is refused, late, of another kind or not answered at all is an error', async (t) => {
  const refusing = await start(t, (client, { id }) =>
    client.say({ type: 'error', error: { code: 'APP_NOT_FOUND', message: 'none', hint: 'look', id } }),
  );
  await assert.rejects(send(refusing.place, Buffer.from('x')), { code: 'APP_NOT_FOUND', hint: 'look' });
  const silent = await start(t, () => {});
  await assert.rejects(waitFor(silent.place, { pattern: null, flags: '', timeoutMs: 50 }), { code: 'TIMED_OUT' });
  await until('the connection to be closed', () => silent.host.clients[0]!.isClosed);
  const mistaken = await start(t, (client) =>
    client.raw(Buffer.concat([...encodeAnswer({ id: 1, what: 'send', written: 1 })])),
  );
  await assert.rejects(shapeOfSession(mistaken.place), { code: 'VERSION_SKEW' });
  const dying = await start(t, (client) => client.close());
  await assert.rejects(shapeOfSession(dying.place), { code: 'DAEMON_UNREACHABLE' });
  await dying.host.kill();
  await assert.rejects(shapeOfSession(dying.place), { code: 'DAEMON_UNREACHABLE' });
});

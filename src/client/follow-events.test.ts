import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SteadError } from '../protocol/errors.ts';
import { followEvents } from './follow-events.ts';

/** A daemon that answers one request after the other as it is told. */
async function pretend(t: TestContext, answers: readonly ((response: ServerResponse, url: string) => void)[]) {
  const home = mkdtempSync(join(tmpdir(), 'stead-events-'));
  t.after(() => rmSync(home, { recursive: true }));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    response.sendDate = false;
    asked.push(request.url!);
    answers[asked.length - 1]!(response.setHeader('connection', 'close'), request.url!);
  });
  await new Promise<void>((resolve) => server.listen(join(home, 'stead.sock'), resolve));
  t.after(() => server.close());
  return { home, asked };
}

const event = (id: number) => `id: ${id}\nevent: start\ndata: ${JSON.stringify({ id, app: 'ä' })}\n\n`;

test('each event comes once, however its daemon ends; what happened before the first of them is not missed either', async (t) => {
  const { home, asked } = await pretend(t, [
    // It dies before anything has happened.
    (response) => response.end(': stead\nid: 41\n\n'),
    (response) => {
      const text = Buffer.from(event(42) + event(43));
      // In the midst of a character, then of an event.
      const [within, torn] = [text.indexOf('ä') + 1, Buffer.byteLength(event(42)) + 20];
      response.write(text.subarray(0, within));
      setImmediate(() => response.write(text.subarray(within, torn), () => response.destroy()));
    },
    (response) => response.writeHead(503).end('{"error":{"code":"DAEMON_STOPPING","message":"x"}}'),
    (response) => response.write(`: stead\nid: 42\n\n${event(42)}${event(43)}${event(44)}`),
  ]);
  const controller = new AbortController();
  const ids = [];
  for await (const { id } of followEvents(home, { after: null, signal: controller.signal })) {
    ids.push(id);
    if (id === 44) break;
  }
  assert.deepEqual(ids, [42, 43, 44]);
  assert.deepEqual(
    asked.map((url) => /since=(\d+)/.exec(url)?.[1] ?? null),
    [null, '41', '42', '42'],
  );
});

test('who needs an answer is told that there is none; an abort while it waits throws the reason', async (t) => {
  const { home } = await pretend(t, [(response) => response.write(': stead\nid: 1\n\n')]);
  const { signal } = new AbortController();
  const nobody = followEvents(join(home, 'none'), { after: null, mustAnswer: true, signal });
  await assert.rejects(
    nobody.next(),
    (error: unknown) => error instanceof SteadError && error.code === 'DAEMON_UNREACHABLE',
  );
  const reason = new Error('enough');
  for (const place of [home, join(home, 'none')]) {
    const controller = new AbortController();
    const next = followEvents(place, { after: null, signal: controller.signal }).next();
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(next, reason);
  }
});

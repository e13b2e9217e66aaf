/** An older command beside a newer daemon, and the other way round: each explains itself, and nobody takes a newer one's place. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { post } from '../faults/harness/requests.ts';
import { Stead } from '../support/stead.ts';

/** Something that answers in a daemon's place. */
async function pretendDaemon(t: TestContext, stead: Stead, answer: (path: string) => [status: number, body: unknown]) {
  mkdirSync(join(stead.home, 'apps'), { recursive: true, mode: 0o700 });
  const server = createServer((request, response) => {
    const [status, body] = answer(request.url!);
    const text = JSON.stringify(body);
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(join(stead.home, 'stead.sock'), resolve));
  t.after(() => server.close());
}

test('the daemon explains another protocol both ways', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '100']);
  const ask = async (protocol: string) => {
    const { status, body } = await post(join(stead.home, 'stead.sock'), '/v1/stop', '{"select":["web"]}', {
      'x-stead-protocol': protocol,
    });
    return { status, error: (body as { error: { code: string; message: string; hint: string } }).error };
  };
  const newer = await ask('99.0');
  assert.deepEqual([newer.status, newer.error.code], [409, 'VERSION_SKEW']);
  assert.match(newer.error.message, /daemon is older than this command/);
  assert.match(newer.error.hint, /stead daemon restart/);
  const older = await ask('0.9');
  assert.match(older.error.message, /daemon is newer than this command/);
  assert.match(older.error.hint, /which -a stead/);
  assert.equal((await stead.list())[0]!.state, 'running');
});

test('a command that an older daemon does not know says so, and what to do: exit code 7', async (t) => {
  const stead = new Stead(t);
  const unknown = { error: { code: 'UNKNOWN_ROUTE', message: 'There is no GET /v1/apps/web/why.' } };
  await pretendDaemon(t, stead, () => [404, unknown]);
  const { code, stderr } = await stead.run(['why', 'web']);
  assert.equal(code, 7, stderr);
  assert.match(stderr, /The daemon is older than this command and can't "why" yet/);
  assert.match(stderr, /stead daemon restart/);
});

test('an older command replaces no newer daemon', async (t) => {
  const stead = new Stead(t);
  const view = {
    running: true,
    pid: 1,
    guardian: null,
    version: '99.0.0',
    protocol: { major: 1, minor: 9 },
    home: stead.home,
  };
  await pretendDaemon(t, stead, () => [200, view]);
  const { code, stderr } = await stead.run(['daemon', 'restart']);
  assert.equal(code, 7, stderr);
  assert.match(stderr, /The daemon is 99\.0\.0, newer than this command/);
});

/** What anybody who reaches the socket may send: each request is refused in the same form, and the daemon is the same as before. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { errorCatalogue } from '../../src/protocol/errors.ts';
import { Stead } from '../support/stead.ts';
import { post, raw } from './harness/requests.ts';
import { fields } from './harness/wrong-values.ts';

async function daemonOf(t: TestContext) {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const socket = join(stead.home, 'stead.sock');
  const { pid } = await stead.daemon();
  const program = await stead.pid('web');
  const isUnharmed = async () => {
    assert.equal((await stead.daemon()).pid, pid, 'the daemon is the same');
    assert.equal(await stead.pid('web'), program, 'the app is the same');
    assert.deepEqual(
      (await stead.list()).map(({ name }) => name),
      ['web'],
    );
  };
  return { stead, socket, isUnharmed };
}

function isRefusal({ status, body }: { status: number; body: unknown }, what: string): void {
  const { error } = body as { error: { code: string; message: string } };
  assert.ok(status >= 400 && status < 500, `${what}: ${status} ${JSON.stringify(body)}`);
  assert.ok(Object.hasOwn(errorCatalogue, error.code) && error.message.length > 0, `${what}: ${JSON.stringify(body)}`);
}

for (const [route, table] of Object.entries(fields)) {
  test(`POST /v1/${route}: a wrong value in any field is refused`, async (t) => {
    const { socket, isUnharmed } = await daemonOf(t);
    const right = Object.fromEntries(Object.entries(table).map(([key, { right }]) => [key, right]));
    for (const [key, { wrong }] of Object.entries(table)) {
      for (const value of wrong) {
        const body = JSON.stringify({ ...right, [key]: value });
        isRefusal(await post(socket, `/v1/${route}`, body), `${key} = ${JSON.stringify(value).slice(0, 200)}`);
      }
    }
    for (const body of [
      'null',
      '5',
      '"x"',
      '[]',
      '{}',
      '{"__proto__":{"select":["web"],"targets":["sleep"]}}',
      '{"select":["all"]',
      '',
    ])
      isRefusal(await post(socket, `/v1/${route}`, body), body);
    await isUnharmed();
  });
}

test('wrong content types, methods, routes and protocols are refused', async (t) => {
  const { socket, isUnharmed } = await daemonOf(t);
  const body = '{"select":["all"]}';
  for (const type of ['text/plain', 'application/jsonx', 'multipart/form-data', ''])
    isRefusal(await post(socket, '/v1/stop', body, { 'content-type': type }), type);
  for (const path of [
    '/',
    '/v1',
    '/v2/stop',
    '/v1/stop/',
    '//v1/stop',
    '/v1/__proto__',
    '/v1/apps/%ff',
    '/v1/apps/..%2f..%2fetc',
  ])
    isRefusal(await post(socket, path, body), path);
  for (const path of ['/v1/apps/__proto__', '/v1/apps/%00', '/v1/apps/%ff', '/v1/stop'])
    isRefusal(await post(socket, path, '', {}, 'GET'), path);
  for (const version of ['99', 'x', '', '-1'])
    isRefusal(await post(socket, '/v1/stop', body, { 'x-stead-protocol': version }), version);
  await isUnharmed();
});

test('a body of 64 MB and one that is endless are refused', async (t) => {
  const { socket, isUnharmed } = await daemonOf(t);
  isRefusal(await post(socket, '/v1/stop', `"${'x'.repeat(64 * 2 ** 20)}"`), '64 MB');
  isRefusal(await post(socket, '/v1/stop', '['.repeat(7 * 2 ** 20)), 'deep nesting');
  await isUnharmed();
});

test('what is no HTTP is refused or hung up on', async (t) => {
  const { socket, isUnharmed } = await daemonOf(t);
  const bad = [
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /v1/apps HTTP/1.1\r\nhost\r\n\r\n',
    '\0\0\0\0\r\n\r\n',
    '{"select":["all"]}\r\n\r\n',
    'POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n',
    'POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
    'POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
  ];
  for (const text of bad) {
    const answer = await raw(socket, text);
    const title = text.slice(0, 80);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, title);
    isRefusal({ status: 400, body: JSON.parse(answer.split('\r\n\r\n')[1]!) }, title);
  }
  for (let round = 0; round < 300; round++)
    assert.doesNotMatch(await raw(socket, randomBytes(1 + round * 7)), /^HTTP\/1\.1 [235]/);
  await isUnharmed();
});

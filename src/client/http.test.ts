import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { socketAddress } from '../host/home.ts';
import { protocolVersion } from '../protocol/version.ts';
import { request } from './http.ts';
import { isBrokenOff, isDaemonDown } from './unreachable.ts';

function makeHome(t: TestContext, name = 'home'): string {
  const base = mkdtempSync(join(tmpdir(), 'stead-http-'));
  t.after(() => rmSync(base, { recursive: true }));
  const home = join(base, name);
  mkdirSync(home, { recursive: true });
  return home;
}

async function serve(t: TestContext, home: string, listener: RequestListener): Promise<void> {
  const server = createHttpServer(listener);
  await listenAt(t, home, server);
}

async function listenAt(t: TestContext, home: string, server: ReturnType<typeof createServer>): Promise<void> {
  const address = socketAddress(home);
  await new Promise<void>((resolve) => server.listen(address.path, resolve));
  address.close();
  t.after(() => new Promise((resolve) => server.close(resolve)));
}

async function serveRaw(t: TestContext, home: string, onConnection: (socket: Socket) => void): Promise<void> {
  const sockets = new Set<Socket>();
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    onConnection(socket);
  });
  await listenAt(t, home, server);
}

const failure = async (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail('was answered'),
    (error) => error,
  );

test('a request carries method, path, query, protocol and body; the answer comes parsed', async (t) => {
  const home = makeHome(t);
  await serve(t, home, async (req, res) => {
    const chunks = await req.toArray();
    const { method, url, headers } = req;
    res.end(
      JSON.stringify({ method, url, protocol: headers['x-stead-protocol'], body: Buffer.concat(chunks).toString() }),
    );
  });
  const got = await request(home, 'show', { params: { sel: 'a b/\udcff€' }, query: { showEnv: '1' } });
  assert.deepEqual(got, {
    method: 'GET',
    url: '/v1/apps/a%20b%2F%FF%E2%82%AC?showEnv=1',
    protocol: `${protocolVersion.major}.${protocolVersion.minor}`,
    body: '',
  });
  const posted = await request(home, 'stop', { body: { select: ['\udcff'] } });
  assert.deepEqual(posted, {
    method: 'POST',
    url: '/v1/stop',
    protocol: `${protocolVersion.major}.${protocolVersion.minor}`,
    body: '{"select":["\\udcff"]}',
  });
});

test('an answer of many chunks is read whole', async (t) => {
  const home = makeHome(t);
  const big = Array.from({ length: 100_000 }, (_, at) => `app-${at}`);
  await serve(t, home, (_, res) => res.end(JSON.stringify(big)));
  assert.deepEqual(await request(home, 'list'), big);
});

test('an error of the daemon comes as it is', async (t) => {
  const home = makeHome(t);
  const body = { code: 'APP_NOT_FOUND', message: 'There is no app "x"', hint: 'stead list', details: { near: [] } };
  await serve(t, home, (_, res) => res.writeHead(404).end(JSON.stringify({ error: body })));
  const error = await failure(request(home, 'list'));
  assert.deepEqual(error.toBody(), body);
});

test('a home whose path is longer than a socket address can be is reached', async (t) => {
  const home = makeHome(t, `${'d'.repeat(100)}/${'ä'.repeat(50)} x`);
  await serve(t, home, (_, res) => res.end('[]'));
  assert.deepEqual(await request(home, 'list'), []);
});

test('without a daemon nothing was asked', async (t) => {
  const home = makeHome(t);
  const missing = await failure(request(home, 'list'));
  assert.equal(missing.code, 'DAEMON_UNREACHABLE');
  assert.ok(isDaemonDown(missing));
  assert.ok(isDaemonDown(await failure(request(join(home, 'no', 'home'), 'list'))));
  assert.ok(isDaemonDown(await failure(request(join(home, 'x'.repeat(120)), 'list'))));
});

test('a daemon that is silent is named with its pid', async (t) => {
  const home = makeHome(t);
  writeFileSync(join(home, 'daemon.json'), '{"pid": 812}');
  await serveRaw(t, home, () => {});
  const error = await failure(request(home, 'list', { timeoutMs: 20 }));
  assert.equal(error.code, 'DAEMON_UNREACHABLE');
  assert.match(error.message, /pid 812\) has not answered/);
  assert.match(error.hint, /stead daemon restart/);
});

test('an answer that breaks off is no answer', async (t) => {
  const home = makeHome(t);
  const beginnings = [
    '',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[]',
    'HTTP/1.1 200 OK\r\n\r\n[1,',
    'nonsense\r\n\r\n',
  ];
  const left = [...beginnings];
  await serveRaw(t, home, (socket) => socket.once('data', () => socket.end(left.shift() ?? '')));
  for (const beginning of beginnings) assert.ok(isBrokenOff(await failure(request(home, 'list'))), beginning);
});

test('an aborted request ends at once', async (t) => {
  const home = makeHome(t);
  const controller = new AbortController();
  await serveRaw(t, home, (socket) => socket.once('data', () => controller.abort(new Error('enough'))));
  const error = await failure(request(home, 'list', { timeoutMs: null, signal: controller.signal }));
  assert.equal(error.message, 'enough');
});

/** Draining HTTP: what is open ends without a failed request. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { get as getHttps, Agent as HttpsAgent } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ask, drain, kinds, server, started } from '../../test/support/share-drain.ts';
import { waitFor } from '../../test/support/wait.ts';

test('in flight, idle and explicit keep-alive connections are all closed by their next answer', async (t) => {
  const { program, port } = await started(
    t,
    server(`if (q.url === '/asks') r.setHeader('Connection', 'keep-alive');
      q.url === '/slow' ? waiting.push(() => r.end('slow')) : r.end('quick');`),
  );
  const agents = [1, 2, 3].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(() => agents.forEach((agent) => void agent.destroy()));
  const [inFlight, idle, explicit] = agents as [Agent, Agent, Agent];
  assert.equal((await ask(port, '/', idle)).connection, 'keep-alive');
  assert.equal((await ask(port, '/asks', explicit)).connection, 'keep-alive');
  const slow = ask(port, '/slow', inFlight);
  await program.prints(/request \/slow/);
  await drain(program);
  assert.equal(kinds(program).includes('drained'), false);
  assert.deepEqual(await ask(port, '/', idle), { status: 200, text: 'quick', connection: 'close' });
  assert.deepEqual(await ask(port, '/asks', explicit), { status: 200, text: 'quick', connection: 'close' });
  assert.equal(kinds(program).includes('drained'), false);
  program.signal('SIGUSR2');
  assert.deepEqual(await slow, { status: 200, text: 'slow', connection: 'close' });
  await program.saysThat('drained');
  assert.equal(await program.ended(), 0);
});

test('a response that has begun is sent to its end', async (t) => {
  const { program, port } = await started(t, server(`r.write('begun '); waiting.push(() => r.end('ended'))`));
  const agent = new Agent({ keepAlive: false });
  const streamed = ask(port, '/', agent);
  await program.prints(/request/);
  await drain(program);
  program.signal('SIGUSR2');
  assert.equal((await streamed).text, 'begun ended');
  await program.saysThat('drained');
});

test('requests that a client sent ahead are all answered', async (t) => {
  const { program, port } = await started(t, server(`waiting.push(() => r.end(q.url))`));
  const socket = connect(port, '127.0.0.1');
  const chunks: string[] = [];
  socket.on('data', (data) => chunks.push(String(data)));
  const closed = new Promise((resolve) => socket.once('end', resolve));
  socket.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
  await program.prints(/request \/3/);
  await drain(program);
  program.signal('SIGUSR2');
  await closed;
  const text = chunks.join('');
  assert.deepEqual(text.match(/^\/\d/gm) ?? text.match(/\/\d(?=HTTP|$)/g), ['/1', '/2', '/3'], text);
  assert.deepEqual(
    text.match(/^Connection: .*$/gm)!.map((line) => line.trim()),
    ['Connection: keep-alive', 'Connection: keep-alive', 'Connection: close'],
  );
  socket.destroy();
});

test('an upgraded connection is left to end by itself', async (t) => {
  const { program, port } = await started(
    t,
    (p) =>
      `${server(`r.end()`)(p)} s.on('upgrade', (q, c) => { c.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n'); c.pipe(c); });`,
  );
  const socket = connect(port, '127.0.0.1');
  const said = { text: '' };
  socket.on('data', (data) => (said.text += data));
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await waitFor('the upgrade', () => said.text.includes('\r\n\r\n'));
  await drain(program);
  socket.write('after the drain');
  await waitFor('the echo', () => said.text.endsWith('after the drain'));
  assert.equal(kinds(program).includes('drained'), false);
  socket.end();
  await program.saysThat('drained');
});

test('an HTTP/2 session ends when its streams have, and none of them fails', async (t) => {
  const { program, port } = await started(
    t,
    (p) => `const waiting = []; process.on('SIGUSR2', () => { for (const go of waiting.splice(0)) go(); });
      require('node:http2').createServer((q, r) => { console.log('request ' + q.url); q.url === '/slow' ? waiting.push(() => r.end('slow')) : r.end('quick'); }).listen(${p});`,
  );
  const client = connectHttp2(`http://127.0.0.1:${port}`);
  t.after(() => client.destroy());
  const request = (path: string) =>
    new Promise<string>((resolve, reject) => {
      const stream = client.request({ ':path': path }).setEncoding('utf8');
      const said = { text: '' };
      stream
        .on('data', (data) => (said.text += data))
        .once('error', reject)
        .once('end', () => resolve(said.text));
    });
  assert.equal(await request('/'), 'quick');
  const slow = request('/slow');
  await program.prints(/request \/slow/);
  const goaway = new Promise((resolve) => client.once('goaway', resolve));
  program.signal('SIGURG');
  await goaway;
  program.signal('SIGUSR2');
  assert.equal(await slow, 'slow');
  await program.saysThat('drained');
  assert.equal(await program.ended(), 0);
});

test('an HTTP/2 client that had connected and not asked yet is answered', async (t) => {
  const { program, port } = await started(
    t,
    (p) =>
      `require('node:http2').createServer((q, r) => r.end('quick')).on('session', () => console.log('session')).listen(${p});`,
  );
  const socket = connect(port, '127.0.0.1');
  await program.prints(/session/);
  await drain(program);
  const client = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => socket });
  t.after(() => client.destroy());
  const text = await new Promise((resolve, reject) => {
    client.once('error', reject);
    client.request({ ':path': '/' }).setEncoding('utf8').once('error', reject).once('data', resolve);
  });
  assert.equal(text, 'quick');
  assert.equal(await program.ended(), 0);
});

test('a flood of requests over keep-alive connections sees no failure while programs change places', async (t) => {
  const source = server(`r.end('x'.repeat(100))`);
  const { daemon, program, port } = await started(t, source);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => void agent.destroy());
  const state = { stop: false, done: 0 };
  const worker = async () => {
    for (; !state.stop; state.done++) assert.equal((await ask(port, '/', agent)).status, 200);
  };
  const workers = Array.from({ length: 8 }, worker);
  let current = program;
  for (let round = 0; round < 5; round++) {
    const next = await daemon.program(source(port));
    await next.saysThat('listen');
    await drain(current);
    await current.saysThat('drained');
    assert.equal(await current.ended(), 0);
    current = next;
  }
  state.stop = true;
  await Promise.all(workers);
  assert.ok(state.done > 50, String(state.done));
});

test('HTTPS connections are closed by their next answer, too', async (t) => {
  const key = "{ psk: Buffer.from('00112233445566778899aabbccddeeff', 'hex') }";
  const { program, port } = await started(
    t,
    (p) =>
      `require('node:https').createServer({ ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: () => (${key}).psk }, (q, r) => r.end('x')).listen(${p});`,
  );
  const agent = new HttpsAgent({
    keepAlive: true,
    maxSockets: 1,
    ciphers: 'PSK',
    maxVersion: 'TLSv1.2',
    pskCallback: () => ({ psk: Buffer.from('00112233445566778899aabbccddeeff', 'hex'), identity: 'test' }),
    checkServerIdentity: () => undefined,
  });
  t.after(() => agent.destroy());
  const ask = () =>
    new Promise<string | undefined>((resolve, reject) => {
      getHttps({ port, host: '127.0.0.1', agent }, (response) => {
        response.resume().once('end', () => resolve(response.headers.connection));
      }).once('error', reject);
    });
  assert.equal(await ask(), 'keep-alive');
  await drain(program);
  assert.equal(kinds(program).includes('drained'), false);
  assert.equal(await ask(), 'close');
  await program.saysThat('drained');
  assert.equal(await program.ended(), 0);
});

/** What a program that can't bind its address gets: a sibling's socket from the daemon, or the error that it would get alone. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort } from '../../test/support/ports.ts';
import { ShareDaemon } from '../../test/support/share.ts';
import { greetingAt, greets } from '../../test/support/share-greeting.ts';

const unshared = { shares: false } as const;

test('a program that was started without its sibling’s socket asks for it, and has an address meanwhile', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const first = await daemon.program(greets(String(port)));
  await daemon.event('given', { taken: true });
  const second = await daemon.program(greets(String(port)), unshared);
  await second.prints(/listening\n/);
  assert.equal(second.out().split('\n')[0], `[true,{"address":"::","family":"IPv6","port":${port}}]`);
  assert.deepEqual(second.said(), first.said());
  first.signal('SIGKILL');
  await first.ended();
  assert.equal(await greetingAt(port), `from ${second.pid}`);
});

test('four that race for one free port all listen on it', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const racers = await Promise.all([1, 2, 3, 4].map(() => daemon.program(greets(String(port)), unshared)));
  await Promise.all(racers.map((one) => one.prints(/listening\n/)));
  for (const racer of racers)
    assert.deepEqual(
      racer.said().map((one) => one.isShared),
      [true],
    );
});

test('an address that a stranger has is the error that it is alone', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const stranger = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  t.after(() => stranger.close());
  const { port } = stranger.address() as { port: number };
  const source = `require('node:net').createServer().on('error', (e) => console.log(JSON.stringify([e, e.message]))).listen(${port}, '127.0.0.1')`;
  const alone = await daemon.program(source, { env: { NODE_OPTIONS: '' } });
  const program = await daemon.program(source);
  assert.deepEqual(await program.prints(/^.*\n/), await alone.prints(/^.*\n/));
  assert.equal(await program.ended(), 0);
  assert.deepEqual(program.said(), []);
});

test('two servers of one program can’t have one port', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const source = `const net = require('node:net'); const one = net.createServer().listen(${port}, '127.0.0.1');
    one.once('listening', () => net.createServer().on('error', (e) => { console.log(e.code); one.close(); }).listen(${port}, '127.0.0.1'));`;
  for (const isHeld of [false, true]) {
    if (isHeld) await daemon.hold(`tcp:127.0.0.1:${port}`, { address: ['127.0.0.1', port] });
    const program = await daemon.program(source);
    await program.prints(/EADDRINUSE/);
    assert.equal(await program.ended(), 0);
    assert.deepEqual(
      program.said().map((one) => one.do),
      ['listen', 'close'],
    );
    daemon.tell({ do: 'release', key: `tcp:127.0.0.1:${port}` });
    await daemon.event('released');
  }
});

test('a server that closes and listens anew has the same socket', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const source = `const s = require('node:net').createServer((c) => c.end('hello')); let times = 0;
    s.on('listening', () => { if (++times === 3) console.log('thrice'); else s.close(() => s.listen(${port})); }).listen(${port});`;
  for (const options of [{}, {}, unshared]) {
    const program = await daemon.program(source, options);
    await program.prints(/thrice/);
    assert.deepEqual(
      program.said().map((one) => one.do),
      ['listen', 'close', 'listen', 'close', 'listen'],
    );
  }
  assert.equal(await greetingAt(port), 'hello');
});

test('a server that is closed while it asks closes as one that listened', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  await daemon.hold(`tcp:*:${port}`, { family: 'AF_INET6', address: ['::', port] });
  const source = `const s = require('node:http').createServer().listen(${port}, () => console.log('never'));
    s.close((e) => console.log('closed', e));`;
  const program = await daemon.program(source, unshared);
  await program.prints(/^closed undefined\n$/);
  assert.equal(await program.ended(), 0);
});

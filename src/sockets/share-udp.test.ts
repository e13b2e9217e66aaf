/** UDP sockets are shared by their address; what is a client's, or shared already, stays the program's own. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type TestContext, test } from 'node:test';
import { freePort } from '../../test/support/ports.ts';
import { type Program, ShareDaemon } from '../../test/support/share.ts';

const answers = (args: string, options = "'udp4'") => `
  const s = require('node:dgram').createSocket(${options}, (m, from) => s.send('from ' + process.pid, from.port, from.address));
  s.on('listening', () => console.log('listening', JSON.stringify(s.address())));
  s.on('error', (e) => { console.log('error', JSON.stringify([e, e.message])); });
  s.bind(${args});`;

/** Who answers a datagram; asks until one does. */
async function asks(t: TestContext, port: number, address = '127.0.0.1'): Promise<string> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  t.after(() => socket.close());
  const answer = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
  const send = () => socket.send('who?', port, address);
  const timer = setInterval(send, 200);
  send();
  try {
    return await answer;
  } finally {
    clearInterval(timer);
  }
}

const last = (program: Program) => program.said().at(-1);

test('a program binds its address and gives it; a second one inherits it, a third one asks for it', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const first = await daemon.program(answers(String(port)));
  await daemon.event('given', { key: `udp4:*:${port}`, taken: true });
  const second = await daemon.program(answers(String(port)));
  const third = await daemon.program(answers(String(port)), { shares: false });
  for (const program of [first, second, third]) {
    await program.prints(new RegExp(`^listening .*"port":${port}`));
    assert.deepEqual(last(program), {
      do: 'listen',
      key: `udp4:*:${port}`,
      address: `0.0.0.0:${port}`,
      isShared: true,
    });
  }
  for (const program of [first, second]) {
    program.signal('SIGKILL');
    await program.ended();
  }
  assert.equal(await asks(t, port), `from ${third.pid}`);
});

test('IPv6, one address, and an option object', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  for (const [args, options, key] of [
    [`{ port: ${port}, address: '::1' }`, "'udp6'", `udp6:::1:${port}`],
    [`${port}, '127.0.0.1'`, "{ type: 'udp4' }", `udp4:127.0.0.1:${port}`],
  ] as const) {
    const first = await daemon.program(answers(args, options));
    await daemon.event('given', { key, taken: true });
    first.signal('SIGKILL');
    await first.ended();
    const second = await daemon.program(answers(args, options));
    await second.saysThat('listen');
    assert.equal(await asks(t, port, key.includes('::1') ? '::1' : '127.0.0.1'), `from ${second.pid}`);
  }
});

test('what is a client’s, and what shares its address by itself, is left alone', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  for (const [args, options] of [
    ['', "'udp4'"],
    ['{ port: 0, exclusive: true }', "'udp4'"],
    [String(port), "{ type: 'udp4', reuseAddr: true }"],
  ] as const) {
    const program = await daemon.program(answers(args, options));
    await program.prints(/^listening/);
    assert.deepEqual(program.said(), []);
    program.signal('SIGKILL');
    await program.ended();
  }
  assert.deepEqual(daemon.events, []);
});

test('an address that a stranger has is the error that it is alone', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const stranger = createSocket('udp4');
  await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.1', resolve));
  t.after(() => stranger.close());
  const source = answers(`${stranger.address().port}, '127.0.0.1'`);
  const alone = await daemon.program(source, { env: { NODE_OPTIONS: '' } });
  const program = await daemon.program(source);
  assert.deepEqual(await program.prints(/^error .*\n/), await alone.prints(/^error .*\n/));
});

test('a program that drains reads no more, and answers what it has read', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const source = `${answers(String(port))} process.on('SIGTERM', () => s.close()); setInterval(() => {}, 1e6);`;
  const first = await daemon.program(source);
  await daemon.event('given', { taken: true });
  const second = await daemon.program(source);
  await second.saysThat('listen');
  first.signal('SIGURG');
  await first.saysThat('drained');
  for (let n = 0; n < 5; n++) assert.equal(await asks(t, port), `from ${second.pid}`);
  first.signal('SIGTERM');
  await first.saysThat('close');
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { connect as connectTo } from 'node:net';
import { test } from 'node:test';
import { accept, bind, getsockname, listen, readable, reusePort, shutdown, socket, steerTo } from './socket-calls.ts';

test('whoever looks for what can be read is not disturbed by signals', async () => {
  const fd = socket('unix', 'datagram', { nonblock: true });
  let signals = 0;
  const count = () => {
    signals += 1;
  };
  process.on('SIGUSR2', count);
  const storm = spawn('/bin/sh', ['-c', `while kill -USR2 ${process.pid}; do :; done`], { stdio: 'ignore' });
  try {
    for (const end = performance.now() + 500; performance.now() < end; ) {
      for (let look = 0; look < 200; look++) assert.deepEqual(readable([fd]), []);
      await new Promise(setImmediate);
    }
    assert.ok(signals > 0);
  } finally {
    storm.kill();
    await once(storm, 'exit');
    // Those under way would end this process.
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off('SIGUSR2', count);
    closeSync(fd);
  }
});

test('a second socket at the address of one that listens gets all that comes from then on', async (t) => {
  const address = { family: 'ip4', host: '127.0.0.1', port: 0 } as const;
  const opened: number[] = [];
  t.after(() => {
    for (const fd of opened) closeSync(fd);
  });
  const listening = (port: number, isShared: boolean) => {
    const fd = socket('ip4', 'stream', { nonblock: true });
    opened.push(fd);
    if (isShared) reusePort(fd);
    bind(fd, { ...address, port });
    listen(fd, 64);
    return fd;
  };
  const ours = listening(0, false);
  const bound = getsockname(ours);
  assert.ok(bound?.family === 'ip4');
  assert.throws(() => listening(bound.port, true), { code: 'EADDRINUSE' });
  reusePort(ours);
  const theirs = listening(bound.port, true);
  const queued = (fd: number) => {
    let count = 0;
    for (let one = accept(fd); one !== null; one = accept(fd)) {
      closeSync(one);
      count += 1;
    }
    return count;
  };
  const come = async () => {
    const clients = Array.from({ length: 20 }, () => connectTo(bound.port, '127.0.0.1'));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    for (const client of clients) client.destroy();
    return [queued(ours), queued(theirs)];
  };
  steerTo(ours, 1);
  assert.deepEqual(await come(), [0, 20]);
  steerTo(ours, 0);
  assert.deepEqual(await come(), [20, 0]);
  steerTo(ours, 1);
  shutdown(ours);
  assert.deepEqual((await come())[1], 20);
});

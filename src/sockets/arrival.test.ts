import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { waitFor } from '../../test/support/wait.ts';
import { accept, getsockname } from '../host/socket-calls.ts';
import { watchArrival } from './arrival.ts';
import { openSocket } from './bind.ts';
import { queueLengths } from './queue.ts';

function opened(t: TestContext, key: string) {
  const fd = openSocket(key, { nonblock: true });
  t.after(() => closeSync(fd));
  return { fd, port: (getsockname(fd) as { port: number }).port };
}

async function connected(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const isAsync = (fd: number): boolean =>
  (Number.parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8) & 0o20000) !== 0;

test('a connection is noticed and not taken, whether it was there before or comes later', async (t) => {
  const { fd, port } = opened(t, 'tcp:127.0.0.1:0#1');
  await connected(t, port);
  let arrivals = 0;
  const watch = watchArrival(fd, () => {
    arrivals += 1;
  });
  assert.equal(arrivals, 0);
  await waitFor('the first', () => arrivals >= 1);
  closeSync(accept(fd)!);
  assert.equal(accept(fd), null);
  const first = arrivals;
  await connected(t, port);
  await waitFor('the second', () => arrivals > first);
  watch.close();
  watch.close();
  const all = arrivals;
  assert.ok(!isAsync(fd));
  await connected(t, port);
  const other = opened(t, 'tcp:127.0.0.1:0#1');
  let others = 0;
  t.after(watchArrival(other.fd, () => others++).close);
  await connected(t, other.port);
  await waitFor('that of another', () => others >= 1);
  assert.equal(arrivals, all);
});

test('a datagram is noticed', async (t) => {
  const { fd, port } = opened(t, 'udp4:127.0.0.1:0#1');
  let arrivals = 0;
  const watch = watchArrival(fd, () => {
    arrivals += 1;
  });
  t.after(watch.close);
  const client = createSocket('udp4');
  client.send('hello', port, '127.0.0.1', () => client.close());
  await waitFor('it', () => arrivals >= 1);
});

test('what is closed by a callback of another is not called', async (t) => {
  const one = opened(t, 'tcp:127.0.0.1:0#1');
  const other = opened(t, 'tcp:127.0.0.1:0#2');
  await connected(t, one.port);
  await connected(t, other.port);
  const called: string[] = [];
  const watches = [one, other].map(({ fd }, at) =>
    watchArrival(fd, () => {
      called.push(String(at));
      for (const watch of watches) watch.close();
    }),
  );
  await waitFor('the first', () => called.length > 0);
  await new Promise(setImmediate);
  assert.deepEqual(called, ['0']);
});

test('the length of a queue is what waits in it', async (t) => {
  const { fd, port } = opened(t, 'tcp:127.0.0.1:0#1');
  const { fd: six } = opened(t, 'tcp:*:0#1');
  const { fd: datagrams } = opened(t, 'udp4:127.0.0.1:0#1');
  for (let count = 0; count < 3; count++) await connected(t, port);
  assert.deepEqual(queueLengths([fd, six, datagrams, 9999]), [3, 0, null, null]);
  closeSync(accept(fd)!);
  assert.deepEqual(queueLengths([fd]), [2]);
  assert.deepEqual(queueLengths([]), []);
});

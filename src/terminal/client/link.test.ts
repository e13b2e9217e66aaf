/** A client's way to its session, over one host and the next. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FramesHost, type FramesHostOptions } from '../../../test/support/frames-host.ts';
import { type Cleanup, temporaryDirectory } from '../../../test/support/temporary.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { encodeFrame } from '../frames.ts';
import { Link, type LinkEnd, type LinkOptions } from './link.ts';

const hello = (isFirst: boolean) => ({
  cols: 80,
  rows: 24,
  readOnly: false,
  steal: isFirst,
  term: 'xterm',
  wantsSnapshot: true,
  scrollback: 0,
});

function makeLink(cleanup: Cleanup, socket: string, options: Partial<LinkOptions> = {}) {
  const seen = { joined: [] as boolean[], output: '', ends: [] as LinkEnd[] };
  const link = new Link(
    { socket, session: 'build:0', hello, ...options },
    {
      onJoined: (isFirst) => seen.joined.push(isFirst),
      onOutput: (bytes) => {
        seen.output += bytes;
      },
      onDrain: () => {},
      onEnd: (end) => seen.ends.push(end),
    },
  );
  cleanup.after(() => link.detach());
  return { link, seen };
}

async function listen(cleanup: Cleanup, socket: string, options?: FramesHostOptions): Promise<FramesHost> {
  const host = await FramesHost.listen(socket, options);
  cleanup.after(() => host.kill());
  return host;
}

test('what is typed while there is no host is kept, up to a bound', async (t) => {
  const socket = join(temporaryDirectory(t), 'host.sock');
  const first = await listen(t, socket);
  const { link, seen } = makeLink(t, socket);
  await link.open();
  link.send(Buffer.from('a'));
  await (await first.client()).typed('a');
  await first.kill();
  await waitFor('the loss to be noticed', () => {
    link.send(Buffer.from('b'));
    return link.unsent > 0;
  });
  const kept = link.unsent;
  for (let sent = 0; sent < 60; sent++) link.send(Buffer.alloc(20_000, 'c'));
  assert.equal(link.unsent, 1024 * 1024);
  const second = await listen(t, socket);
  const client = await second.client();
  await client.typed(`${'b'.repeat(kept)}${'c'.repeat(1024 * 1024 - kept)}`);
  await waitFor('the second welcome', () => seen.joined.length === 2);
  assert.deepEqual(seen.joined, [true, false]);
  assert.deepEqual([(await first.clients[0]!.hello).steal, (await client.hello).steal], [true, false]);
  assert.deepEqual(seen.ends, []);
});

test('a host that was killed just before is waited for, if there is somebody to ask', async (t) => {
  const socket = join(temporaryDirectory(t), 'host.sock');
  await assert.rejects(makeLink(t, socket).link.open(), { code: 'DAEMON_UNREACHABLE' });
  const asked: string[] = [];
  const reconnect = async () => {
    asked.push('');
    if (asked.length === 2) await listen(t, `${socket}2`);
    return { socket: `${socket}2`, session: 'other:0' };
  };
  const { link, seen } = makeLink(t, socket, { reconnect });
  await link.open();
  assert.deepEqual([seen.joined, asked.length], [[true], 2]);
});

test('what is no welcome is refused as such', async (t) => {
  const directory = temporaryDirectory(t);
  const answers: readonly (readonly [string, FramesHostOptions['onHello'] & {}])[] = [
    ['VERSION_SKEW', (client) => client.output('x')],
    ['VERSION_SKEW', (client) => client.raw(Buffer.from('HTTP'))],
    [
      'VERSION_SKEW',
      (client) => {
        client.snapshot('x');
        client.welcome();
      },
    ],
    [
      'VERSION_SKEW',
      (client) => client.raw(encodeFrame('w', { v: 2, session: 'a', cols: 1, rows: 1, clients: 1, readOnly: false })),
    ],
    ['DAEMON_UNREACHABLE', (client) => client.close()],
    ['FULL', (client) => client.say({ type: 'error', error: { code: 'FULL', message: 'full', hint: null } })],
  ];
  for (const [index, [code, onHello]] of answers.entries()) {
    const socket = join(directory, `${index}.sock`);
    const host = await listen(t, socket, { onHello });
    await assert.rejects(makeLink(t, socket).link.open(), { code });
    await waitFor('the connection to be closed', () => host.clients[0]!.isClosed);
  }
});

test('a socket is reached by a path of any length', async (t) => {
  const directory = join(temporaryDirectory(t), 'd'.repeat(120));
  mkdirSync(directory);
  const before = process.cwd();
  process.chdir(directory);
  const host = await listen(t, 'host.sock');
  process.chdir(before);
  const { link } = makeLink(t, join(directory, 'host.sock'));
  await link.open();
  assert.equal(host.clients.length, 1);
});

test('joining anew gives a fresh snapshot and leaves one connection', async (t) => {
  const socket = join(temporaryDirectory(t), 'host.sock');
  const host = await listen(t, socket);
  const { link, seen } = makeLink(t, socket);
  await link.open();
  link.rejoin();
  // Once is enough.
  link.rejoin();
  await waitFor('the second snapshot', () => seen.output.split('screen$').length === 3);
  await waitFor('the first to be closed', () => host.clients[0]!.isClosed);
  assert.equal(host.clients.length, 2);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../../test/support/ports.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { getsockname, isListening } from '../host/socket-calls.ts';
import {
  endSocket,
  isPathTaken,
  isSocketOf,
  keepPath,
  type OpenOptions,
  openSocket,
  removePath,
  restorePath,
} from './bind.ts';

function opened(t: TestContext, key: string, options?: OpenOptions): number {
  const fd = openSocket(key, options);
  t.after(() => {
    if (isOpen(fd)) closeSync(fd);
  });
  return fd;
}

const isOpen = (fd: number): boolean => existsSync(`/proc/self/fd/${fd}`);
const flags = (fd: number): number =>
  Number.parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8);
const connects = (to: { port: number; host: string } | { path: string }): Promise<true | string> =>
  new Promise((resolve) => {
    const socket = connect(to as { path: string });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code!));
  });

test('a port at all addresses takes IPv6 and IPv4', async (t) => {
  const port = await freePort();
  const fd = opened(t, `tcp:*:${port}`);
  assert.ok(isSocketOf(`tcp:*:${port}`, fd));
  assert.equal(await connects({ port, host: '127.0.0.1' }), true);
  if (getsockname(fd)!.family === 'ip6') assert.equal(await connects({ port, host: '::1' }), true);
  assert.throws(() => openSocket(`tcp:*:${port}`), { code: 'EADDRINUSE' });
});

test('a port of IPv6 alone leaves IPv4 to others', async (t) => {
  const port = await freePort();
  const key = `tcp:*:${port}:6`;
  const fd = opened(t, key);
  assert.ok(isSocketOf(key, fd));
  assert.ok(!isSocketOf(`tcp:*:${port}`, fd));
  const other = opened(t, `tcp:0.0.0.0:${port}`);
  assert.ok(isSocketOf(`tcp:*:${port}`, other));
  assert.ok(!isSocketOf(key, other));
});

test('one address, and any port of it', async (t) => {
  const fd = opened(t, 'tcp:127.0.0.1:0#1');
  const { port } = getsockname(fd) as { port: number };
  assert.equal(await connects({ port, host: '127.0.0.1' }), true);
  assert.equal(await connects({ port, host: '127.0.0.2' }), 'ECONNREFUSED');
  assert.ok(isSocketOf('tcp:127.0.0.1:0#1', fd));
  assert.ok(isSocketOf(`tcp:127.0.0.1:${port}`, fd));
  assert.ok(!isSocketOf('tcp:127.0.0.1:0', fd));
});

test('it is close-on-exec, and blocking unless asked otherwise', (t) => {
  assert.equal(flags(opened(t, 'tcp:127.0.0.1:0#1')) & 0o2004000, 0o2000000);
  assert.equal(flags(opened(t, 'tcp:127.0.0.1:0#1', { nonblock: true })) & 0o2004000, 0o2004000);
});

test('UDP is bound, once', async (t) => {
  const port = await freePort();
  for (const key of [`udp4:127.0.0.1:${port}`, `udp6:::1:${port}`]) {
    assert.ok(isSocketOf(key, opened(t, key)), key);
    assert.throws(() => openSocket(key), { code: 'EADDRINUSE' });
  }
});

test('what can not be bound is told as the system tells it, and nothing stays open', async () => {
  const before = readdirSync('/proc/self/fd').length;
  assert.throws(() => openSocket('tcp:192.0.2.1:80'), { code: 'EADDRNOTAVAIL', syscall: 'bind' });
  assert.throws(() => openSocket('unix:/nowhere/x.sock'), { code: 'ENOENT' });
  assert.throws(() => openSocket('nonsense'), /names no socket/);
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

test("a Unix socket's file has the mode that the program's umask gives, whatever ours is", (t) => {
  const path = join(temporaryDirectory(t, 'bind'), 'x.sock');
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  opened(t, `unix:${path}`, { umask: 0o002 });
  assert.equal(statSync(path).mode & 0o777, 0o775);
});

test('a Unix socket may be of another user', { skip: process.getuid!() !== 0 && 'needs root' }, (t) => {
  const path = join(temporaryDirectory(t, 'bind'), 'x.sock');
  opened(t, `unix:${path}`, { owner: { uid: 65_534, gid: 65_533 } });
  assert.deepEqual([statSync(path).uid, statSync(path).gid], [65_534, 65_533]);
});

test('a path over 107 bytes, and an abstract name, are bound', async (t) => {
  const directory = join(temporaryDirectory(t, 'bind'), 'x'.repeat(120));
  mkdirSync(directory);
  const long = `unix:${join(directory, 'x.sock')}`;
  assert.ok(isSocketOf(long, opened(t, long)));
  assert.ok(lstatSync(join(directory, 'x.sock')).isSocket());
  const name = `stead-test-${process.pid}`;
  assert.ok(isSocketOf(`unix:@${name}`, opened(t, `unix:@${name}`)));
  assert.throws(() => openSocket(`unix:@${name}`), { code: 'EADDRINUSE' });
});

test('the file of a dead socket is replaced; a live one, and what is none, are left alone', async (t) => {
  const path = join(temporaryDirectory(t, 'bind'), 'x.sock');
  closeSync(openSocket(`unix:${path}`));
  assert.ok(existsSync(path));
  closeSync(opened(t, `unix:${path}`));
  rmSync(path);
  const server = createServer().listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  assert.throws(() => openSocket(`unix:${path}`), { code: 'EADDRINUSE' });
  assert.equal(await connects({ path }), true);
  const file = join(path, '..', 'file');
  writeFileSync(file, 'mine');
  assert.throws(() => openSocket(`unix:${file}`), { code: 'EADDRINUSE' });
  assert.equal(readFileSync(file, 'utf8'), 'mine');
});

test('an unlinked path is restored, and leads to the same socket', async (t) => {
  const links = temporaryDirectory(t, 'bind');
  const path = join(temporaryDirectory(t, 'bind'), 'x.sock');
  const key = `unix:${path}`;
  opened(t, key);
  keepPath(key, links);
  assert.equal(restorePath(key, links), 'there');
  rmSync(path);
  assert.equal(restorePath(key, links), 'restored');
  assert.equal(await connects({ path }), true);
  rmSync(path);
  writeFileSync(path, 'another');
  assert.equal(restorePath(key, links), 'taken');
  assert.ok(isPathTaken(key, links));
  removePath(key, links);
  assert.equal(readFileSync(path, 'utf8'), 'another');
  assert.deepEqual(readdirSync(links), []);
  assert.equal(restorePath('tcp:*:1', links), 'there');
});

test('on another file system the link is beside the path', {
  skip: !isOtherFileSystem() && 'no other file system',
}, (t) => {
  const links = temporaryDirectory(t, 'bind');
  const directory = join('/dev/shm', `stead-test-${process.pid}`);
  mkdirSync(directory);
  t.after(() => rmSync(directory, { recursive: true }));
  const key = `unix:${join(directory, 'x.sock')}`;
  const fd = opened(t, key);
  keepPath(key, links);
  rmSync(join(directory, 'x.sock'));
  assert.equal(restorePath(key, links), 'restored');
  endSocket(key, fd);
  removePath(key, links);
  assert.deepEqual(readdirSync(directory), []);
});

function isOtherFileSystem(): boolean {
  return statSync('/dev/shm', { throwIfNoEntry: false })?.dev !== statSync(process.env.TMPDIR ?? '/tmp').dev;
}

test('an ended socket listens nowhere, and who waited in its queue is let go', async (t) => {
  const directory = temporaryDirectory(t, 'bind');
  const port = await freePort();
  const places = [
    [`tcp:127.0.0.1:${port}`, { port, host: '127.0.0.1' }],
    [`unix:${join(directory, 'x.sock')}`, { path: join(directory, 'x.sock') }],
  ] as const;
  for (const [key, to] of places) {
    const fd = opened(t, key);
    const other = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    t.after(() => other.kill('SIGKILL'));
    const waiting = connect(to as { path: string });
    await once(waiting, 'connect');
    const ended = new Promise((resolve) =>
      waiting
        .on('error', () => {})
        .resume()
        .once('close', resolve),
    );
    endSocket(key, fd);
    await ended;
    assert.equal(await connects(to), 'ECONNREFUSED');
    // The other still has its descriptor.
    assert.ok(isListening(opened(t, key)));
  }
});

test('a UDP socket that is ended is only closed', async (t) => {
  const key = `udp4:127.0.0.1:${await freePort()}`;
  endSocket(key, openSocket(key));
  opened(t, key);
});

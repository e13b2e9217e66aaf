import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ipv6 } from './net-table.ts';
import { describeHolder, portsOf, shortAddress, socketsOf, whoListens } from './sockets.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-sockets-'));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(root, { recursive: true });
});

async function listen(options: ListenOptions): Promise<number> {
  const server = createServer().listen(options);
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('what this process listens on is found, each address once', async () => {
  const every = await listen({ port: 0, host: '0.0.0.0' });
  const both = await listen({ port: 0, host: '::' });
  const local = await listen({ port: 0, host: '127.0.0.1' });
  const path = join(root, 'a b.sock');
  await listen({ path });
  const sockets = socketsOf([process.pid, process.pid, 2 ** 22 + 1]);
  const addresses = [`0.0.0.0:${every}`, `[::]:${both}`, `127.0.0.1:${local}`, path];
  assert.deepEqual(
    sockets
      .map(({ address }) => address)
      .filter((address) => addresses.includes(address))
      .sort(),
    addresses.sort(),
  );
  assert.ok(sockets.every(({ pid }) => pid === process.pid));
  assert.deepEqual(
    sockets.filter(({ address }) => address.startsWith('[::]')).map(({ protocol }) => protocol),
    ['tcp6'],
  );
  const ports = portsOf(sockets);
  for (const port of [`${every}`, `${both}`, `127.0.0.1:${local}`, path]) assert.ok(ports.includes(port), port);
});

test('the holder of a port is named with its command line', async () => {
  const code = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
  const child = spawn(process.execPath, ['-e', code, 'other.js'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = Number(String((await once(child.stdout!, 'data'))[0]));
    const holder = whoListens(port)!;
    assert.equal(holder.pid, child.pid);
    assert.equal(holder.address, `127.0.0.1:${port}`);
    assert.equal(holder.uid, process.getuid!());
    assert.match(describeHolder(holder), new RegExp(`^pid ${child.pid} \\(.*other\\.js\\)$`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(whoListens(port), null);
  } finally {
    child.kill('SIGKILL');
  }
});

test('a holder that may not be known is described by its user', () => {
  assert.equal(
    describeHolder({ address: '[::]:80', pid: null, command: null, cookie: null, uid: 33 }),
    'a process of user 33',
  );
});

test('a holder that stead runs is named as the app that it is', () => {
  const holder = { address: '[::]:80', pid: 812, command: 'node a.js', cookie: '1f2e.my.web.0.3', uid: 0 };
  assert.equal(describeHolder(holder), `stead's "my.web", pid 812`);
});

test('addresses are written short', () => {
  assert.equal(shortAddress('0.0.0.0:80'), '80');
  assert.equal(shortAddress('[::]:80'), '80');
  assert.equal(shortAddress('[::1]:80'), '[::1]:80');
  assert.equal(shortAddress('/run/0.0.0.0:80'), '/run/0.0.0.0:80');
});

test('IPv6 addresses are written as RFC 5952 has them', () => {
  // As a little-endian machine prints them.
  assert.equal(ipv6('00000000000000000000000000000000'), '::');
  assert.equal(ipv6('00000000000000000000000001000000'), '::1');
  assert.equal(ipv6('B80D0120000000000000000001000000'), '2001:db8::1');
  assert.equal(ipv6('0000000000000000FFFF00000100007F'), '::ffff:127.0.0.1');
});

/** Sessions of a real host: output, input, questions, ends. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { TestHost } from '../../../test/support/pty-host.ts';
import { TerminalClient } from '../../../test/support/terminal-client.ts';
import { punchHole } from '../../host/native.ts';

test('what a program prints is in its log, on its screen, and in clients', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['bash', '-c', 'echo hello; read line; echo "got $line"; exit 3']);
  await program.logs(/hello/);
  const client = await TerminalClient.attach(host.socket, program.session);
  await client.shows(/^hello/);
  client.type('abc\n');
  await client.shows(/got abc/);
  await program.ended();
  assert.deepEqual((await client.gets('exit')).exit, { code: 3, signal: null, reason: null });
  assert.equal(program.log, 'hello\r\nabc\r\ngot abc\r\n');
  const late = await TerminalClient.attach(host.socket, program.session);
  await late.shows(/got abc/);
  assert.equal((await late.gets('exit')).exit.code, 3);
});

test('a log whose head was freed goes on, and so do its readers', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['bash', '-c', 'seq 1 20000; read x; seq 20001 20100; read x']);
  await program.logs(/\b20000\r\n$/);
  const client = await TerminalClient.attach(host.socket, program.session);
  await client.shows(/\b20000$/);
  const fd = openSync(program.order.log, 'r+');
  await punchHole(fd, program.log.length);
  closeSync(fd);
  client.type('\n');
  await client.shows(/\b20100$/);
  // Without a checkpoint that is of use, what is there is read from where it begins.
  await host.kill();
  await host.start();
  await host.link.take({ ...program.order, isNew: false }, program.master);
  const late = await TerminalClient.attach(host.socket, program.session);
  await late.shows(/20099\n20100$/);
});

test('a home with a long path has its sockets all the same', async (t) => {
  const host = await TestHost.start(t, 'long'.repeat(40));
  const program = await host.run(['bash', '-c', 'echo there; read x']);
  const address = host.address();
  const client = await TerminalClient.attach(address.path, program.session);
  address.close();
  await client.shows(/there/);
});

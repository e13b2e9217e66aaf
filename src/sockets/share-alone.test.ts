/** A program goes on by itself where stead is not there, or no more. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../test/support/ports.ts';
import { preload, ShareDaemon } from '../../test/support/share.ts';
import { greetingAt, greets } from '../../test/support/share-greeting.ts';
import { waitFor } from '../../test/support/wait.ts';

test('a socket that was let go is not listened on: its program binds anew', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  await daemon.hold(`tcp:127.0.0.1:${port}`, { address: ['127.0.0.1', port] });
  await daemon.hold('tcp:127.0.0.1:0#1', { address: ['127.0.0.1', 0] });
  const source = `process.on('SIGUSR2', () => {
      const net = require('node:net');
      const all = [net.createServer((c) => c.end('fresh')).listen(${port}, '127.0.0.1'), net.createServer().listen(0, '127.0.0.1')];
      all[1].once('listening', () => console.log(all[1].address().port > 0));
    }); setInterval(() => {}, 1e6); console.log('ready');`;
  const program = await daemon.program(source);
  await program.prints(/ready/);
  for (const key of [`tcp:127.0.0.1:${port}`, 'tcp:127.0.0.1:0#1']) {
    daemon.tell({ do: 'release', key, shutdown: true });
    await daemon.event('released');
  }
  program.signal('SIGUSR2');
  await program.prints(/true/);
  assert.equal(await greetingAt(port), 'fresh');
});

test('without a daemon a program listens by itself, and gives its socket when there is one', async (t) => {
  const daemon = await ShareDaemon.start(t);
  await daemon.mode({ answers: false });
  const port = await freePort();
  const program = await daemon.program(greets(String(port)));
  await program.prints(/listening\n/);
  await daemon.event('unanswered');
  await daemon.mode({ answers: true });
  await daemon.event('given', { taken: true });
  assert.equal(await greetingAt(port), `from ${program.pid}`);
});

test('a socket that the daemon does not want is recorded as unshared', async (t) => {
  const daemon = await ShareDaemon.start(t);
  await daemon.mode({ takes: false });
  const port = await freePort();
  const program = await daemon.program(greets(String(port)));
  await daemon.event('given', { taken: false });
  await waitFor('both records', () => program.said().length === 2);
  assert.deepEqual(
    program.said().map((one) => one.isShared),
    [true, false],
  );
});

test('a daemon whose socket has a long path is reached', async (t) => {
  const daemon = await ShareDaemon.start(t, { longPath: true });
  const port = await freePort();
  await daemon.program(greets(String(port)));
  await daemon.event('given', { taken: true });
});

test('a program that listens on a descriptor it was told of is known to listen on that socket', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const { fd } = await daemon.hold(`tcp:127.0.0.1:${port}`, { address: ['127.0.0.1', port] });
  const program = await daemon.program(greets(`{ fd: ${fd} }`));
  assert.deepEqual(await program.saysThat('listen'), {
    do: 'listen',
    key: `tcp:127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    isShared: true,
  });
});

test('a program goes on without sharing when the preload’s files are gone before it listens', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const copy = join(daemon.home, 'lib');
  mkdirSync(copy);
  for (const name of readdirSync(dirname(preload)).filter((one) => one.endsWith('.cjs')))
    copyFileSync(join(dirname(preload), name), join(copy, name));
  const source = `require('node:fs').rmSync(${JSON.stringify(copy)}, { recursive: true }); ${greets(String(port))}`;
  const program = await daemon.program(source, { env: { NODE_OPTIONS: `--require="${join(copy, 'share.cjs')}"` } });
  await program.prints(/listening\n/);
  assert.equal(await greetingAt(port), `from ${program.pid}`);
  assert.equal(program.err(), '');
  assert.deepEqual(program.said(), []);
});

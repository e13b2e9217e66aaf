/** `node share.cjs give`: what a holder does for a daemon that may not take its descriptors. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../test/support/ports.ts';
import { preload, ShareDaemon } from '../../test/support/share.ts';

test('inherited sockets of every kind are given, and stay as blocking as they were', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const keys = [`tcp:127.0.0.1:${port}`, `udp4:127.0.0.1:${port}`, `unix:${join(daemon.home, 'a 100%.sock')}`];
  const held = [
    await daemon.hold(keys[0]!, { address: ['127.0.0.1', port] }),
    await daemon.hold(keys[1]!, { type: 'SOCK_DGRAM', address: ['127.0.0.1', port] }),
  ];
  const words = held.map(({ fd }, at) => `${fd}=${encodeURIComponent(keys[at]!)}`);
  const source = `
    const { spawnSync } = require('node:child_process'); const { readFileSync } = require('node:fs');
    const flags = (fd) => /^flags:\\s*(\\d+)/m.exec(readFileSync('/proc/self/fdinfo/' + fd, 'utf8'))[1];
    const fds = ${JSON.stringify(held.map(({ fd }) => fd))};
    const before = fds.map(flags);
    const { status, stderr } = spawnSync(process.execPath, ${JSON.stringify([preload, 'give', join(daemon.home, 'share.sock'), ...words])}, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', ...Array(Math.max(...fds) - 2).fill(0).map((_, at) => fds.includes(at + 3) ? at + 3 : 'ignore')] });
    console.log(JSON.stringify({ status, stderr, same: String(before) === String(fds.map(flags)) }));`;
  const program = await daemon.program(source, { env: { NODE_OPTIONS: `--require="${preload}"` } });
  const [line] = await program.prints(/^.*\n/);
  assert.deepEqual(JSON.parse(line!), { status: 0, stderr: '', same: true });
  for (const key of keys.slice(0, 2)) await daemon.event('given', { key, taken: true });
});

test('what is no socket, and what is not taken, is exit code 1', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const file = join(daemon.home, 'file');
  writeFileSync(file, '');
  const source = (socket: string) => `
    const { spawnSync } = require('node:child_process');
    console.log(spawnSync(process.execPath, ${JSON.stringify([preload, 'give', socket, '3=tcp%3A*%3A1'])}, { stdio: ['ignore', 'inherit', 'inherit', require('node:fs').openSync(${JSON.stringify(file)})] }).status);`;
  for (const socket of [join(daemon.home, 'share.sock'), join(daemon.home, 'nobody.sock')]) {
    const program = await daemon.program(source(socket));
    assert.equal((await program.prints(/^.*\n/))[0], '1\n');
    assert.equal(program.err(), '');
  }
  assert.equal(readFileSync(file, 'utf8'), '');
});

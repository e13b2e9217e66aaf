/** Attached without a terminal: pipes on either side. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { FramesHost } from '../../../test/support/frames-host.ts';
import { type Cleanup, temporaryDirectory } from '../../../test/support/temporary.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { parseDetachKeys } from '../keys-detach.ts';
import { type AttachOptions, attach } from './attach.ts';

async function start(cleanup: Cleanup, options: Partial<AttachOptions> = {}) {
  const socket = join(temporaryDirectory(cleanup), 'host.sock');
  const host = await FramesHost.listen(socket, { onHello: (client) => client.welcome() });
  cleanup.after(() => host.kill());
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const outcome = attach({
    socket,
    session: 'build:0',
    readOnly: false,
    steal: false,
    detachKeys: parseDetachKeys('C-b d'),
    scrollback: 1000,
    stdin,
    stdout,
    env: {},
    homeId: 'home',
    ...options,
  });
  outcome.catch(() => {});
  const client = await host.client();
  // It is welcomed by then.
  await client.hello;
  return { host, stdin, stdout, outcome, client };
}

describe('attach without a terminal', { concurrency: 4 }, () => {
  const exit = { code: 7, signal: null, reason: null };

  test('what is printed from now on comes out as it is, nothing is drawn, no size is imposed', async (t) => {
    const { client, stdout, outcome } = await start(t);
    const shown = text(stdout);
    const hello = await client.hello;
    assert.deepEqual([hello.wantsSnapshot, hello.scrollback, hello.isSized], [false, 0, false]);
    client.output('one\r\n\x1b[1mtwo');
    client.say({ type: 'exit', exit });
    assert.deepEqual(await outcome, { reason: 'ended', exit });
    stdout.end();
    assert.equal(await shown, 'one\r\n\x1b[1mtwo');
  });

  test('what is piped in is typed, keys that would detach as well; its end is no end of the session', async (t) => {
    const { client, stdin, stdout, outcome } = await start(t);
    stdout.resume();
    stdin.end('\x02dmake\n');
    await client.typed('\x02dmake\n');
    const began = performance.now();
    client.output('working');
    assert.deepEqual(await outcome, { reason: 'detached', exit: null });
    assert.ok(performance.now() - began > 900, 'not before the output is at rest');
    assert.ok(client.has('detach'));
  });

  test('output puts off our leave', async (t) => {
    const { client, stdin, stdout, outcome } = await start(t);
    stdout.resume();
    stdin.end();
    let isOver = false;
    outcome.finally(() => {
      isOver = true;
    });
    const began = performance.now();
    while (performance.now() - began < 1800) {
      client.output('.');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(isOver, false);
    assert.equal((await outcome).reason, 'detached');
  });

  test('a client that only reads sends nothing, and stays when its input ends', async (t) => {
    const { client, stdin, stdout, outcome } = await start(t, { readOnly: true });
    stdout.resume();
    stdin.end('rm -r /\n');
    await new Promise((resolve) => setTimeout(resolve, 1300));
    assert.equal(client.input, '');
    client.say({ type: 'bye', reason: 'stopped' });
    assert.deepEqual(await outcome, { reason: 'stopped', exit: null });
  });

  test('a reader that goes away ends it', async (t) => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
    });
    const { client, outcome } = await start(t, { stdout });
    client.output('x');
    assert.equal((await outcome).reason, 'detached');
  });

  test('a slow reader is acknowledged as it reads', async (t) => {
    const pending: (() => void)[] = [];
    const stdout = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => pending.push(done) });
    const { client } = await start(t, { stdout });
    client.output(Buffer.alloc(100_000));
    await waitFor('the first piece', () => pending.length === 1);
    assert.equal(client.acked, 0);
    for (let taken = 0; client.acked < 100_000; taken++) {
      assert.ok(taken < 100);
      await waitFor('a piece, or the end', () => pending.length > 0 || client.acked === 100_000);
      pending.shift()?.();
      assert.ok(client.acked <= (taken + 1) * 16 * 1024);
    }
    client.say({ type: 'bye', reason: 'stopped' });
  });

  test('a terminal is asked for where one is needed, and a session is not attached to itself', async (t) => {
    const socket = join(temporaryDirectory(t), 'nothing');
    const options = {
      socket,
      session: 'build:0',
      readOnly: false,
      steal: false,
      detachKeys: null,
      scrollback: 0,
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      env: {},
      homeId: 'home',
    };
    await assert.rejects(attach({ ...options, needsTerminal: true }), { code: 'UNSUPPORTED' });
    const inside = { STEAD_SESSION: 'build:0', STEAD_RUN_ID: 'home.build.0.3' };
    await assert.rejects(attach({ ...options, env: inside }), { code: 'NOT_PERMITTED' });
    for (const other of [
      { ...inside, STEAD_SESSION: 'build:1' },
      { ...inside, STEAD_RUN_ID: 'home2.build.0.3' },
      { STEAD_SESSION: 'build:0' },
    ])
      await assert.rejects(attach({ ...options, env: other }), { code: 'DAEMON_UNREACHABLE' });
  });
});

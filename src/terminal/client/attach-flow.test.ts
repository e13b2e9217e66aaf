/** Much output, slow terminals, and hosts that are killed. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Attached, type AttachedOptions, buildAttachProgram } from '../../../test/support/attached.ts';
import { FramesHost } from '../../../test/support/frames-host.ts';
import { isRunning } from '../../../test/support/proc.ts';
import type { Cleanup } from '../../../test/support/temporary.ts';
import { hasTerminals } from '../../../test/support/terminal.ts';
import { waitFor } from '../../../test/support/wait.ts';

const built = { program: '' };
const start = (cleanup: Cleanup, options: AttachedOptions = {}) => Attached.start(cleanup, built.program, options);

describe('output on a terminal', { skip: hasTerminals ? false : 'no python3', concurrency: 3 }, () => {
  before(async () => {
    built.program = await buildAttachProgram();
  });
  after(() => rmSync(built.program, { force: true }));

  test('a terminal that stands still is acknowledged as far as it took; keys and signals work', async (t) => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    for (const leave of ['keys', 'signal']) {
      const attached = await start(t);
      const client = await attached.isDrawn();
      attached.terminal.stall();
      client.output(megabyte);
      await pause(300);
      const { acked } = client;
      assert.ok(acked < 512 * 1024, `${acked} acknowledged`);
      if (leave === 'keys') attached.terminal.type('\x02d');
      else await attached.signal('SIGTERM');
      const pid = await attached.pid();
      // By keys it goes on to say so on stderr, which is the same terminal.
      await waitFor('the client to go', () => (leave === 'keys' ? client.has('detach') : !isRunning(pid)));
      attached.terminal.flow();
      await attached.endsWith(leave === 'keys' ? 0 : 143, /screen/);
    }
  });

  test('a slow terminal gets all there is, and is acknowledged all', async (t) => {
    const attached = await start(t);
    const client = await attached.isDrawn();
    const drawn = client.acked;
    attached.terminal.stall();
    client.output(Buffer.alloc(500_000, 'y'));
    await pause(100);
    attached.terminal.flow();
    await waitFor('all to be acknowledged', () => client.acked >= drawn + 500_000);
    await waitFor('all to be shown', () => attached.terminal.shown.split('y').length === 500_001);
  });

  test('10 MB of output come through whole', async (t) => {
    const attached = await start(t);
    const client = await attached.isDrawn();
    const line = `\x1b[31m${'z'.repeat(70)}\x1b[0m\r\n`;
    const bytes = Buffer.from(line.repeat(Math.ceil(10_000_000 / line.length)));
    client.output(bytes);
    client.say({ type: 'exit', exit: { code: null, signal: 'SIGKILL', reason: null } });
    await attached.endsWith(0, /\[build ended: SIGKILL\]/);
    const { shown } = attached.terminal;
    assert.equal(shown.split(line).length - 1, bytes.length / line.length);
  });

  test('a killed host has a successor elsewhere: what is typed meanwhile arrives, and the screen is drawn anew', async (t) => {
    const attached = await start(t, { hasSuccessor: true });
    await attached.isDrawn();
    await attached.host.kill();
    attached.terminal.type('ls\r');
    await pause(200);
    const socket = join(attached.directory, 'next.sock');
    const successor = await FramesHost.listen(socket, {
      onHello: (client) => {
        client.welcome();
        client.snapshot('second screen');
      },
    });
    t.after(() => successor.kill());
    writeFileSync(attached.nextSocketFile, socket);
    const client = await successor.client();
    await client.typed('ls\r');
    await attached.terminal.shows(/\x1b\\second screen/);
    assert.equal((await client.hello).scrollback, 0);
    await waitFor('the new snapshot to be acknowledged, and no more', () => client.acked === 'second screen'.length);
    attached.terminal.type('\x02d');
    await attached.endsWith(0, /detached/);
  });

  test('while there is no host the keys detach, and a signal ends', async (t) => {
    for (const [leave, code] of [
      ['keys', 0],
      ['signal', 143],
    ] as const) {
      const attached = await start(t, { hasSuccessor: true });
      await attached.isDrawn();
      await attached.host.kill();
      if (leave === 'keys') attached.terminal.type('\x02d');
      else await attached.signal('SIGTERM');
      await attached.endsWith(code, /screen/);
    }
  });

  test('a host that is lost for good is told after five seconds', async (t) => {
    const attached = await start(t);
    await attached.isDrawn();
    const began = performance.now();
    await attached.host.kill();
    await attached.endsWith(0, /connection to build lost/);
    assert.ok(performance.now() - began > 4500);
  });
});

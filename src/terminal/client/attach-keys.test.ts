/** Keys that detach, as a slow line brings them. By itself, as whoever is busy does not type evenly. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Attached, type AttachedOptions, buildAttachProgram } from '../../../test/support/attached.ts';
import type { Cleanup } from '../../../test/support/temporary.ts';
import { hasTerminals } from '../../../test/support/terminal.ts';

const built = { program: '' };
const start = (cleanup: Cleanup, options: AttachedOptions = {}) => Attached.start(cleanup, built.program, options);
/** Typed with pauses in between, as a slow line brings it. */
async function typeSlowly(attached: Attached, text: string): Promise<void> {
  for (const byte of text) {
    attached.terminal.type(byte);
    await pause(50);
  }
}

describe('keys on a terminal', { skip: hasTerminals ? false : 'no python3', concurrency: 3 }, () => {
  before(async () => {
    built.program = await buildAttachProgram();
  });
  after(() => rmSync(built.program, { force: true }));

  test('detach keys that come byte by byte, as sequences, twice, after others, and in a client that only reads', async (t) => {
    const plain = await start(t);
    const client = await plain.isDrawn();
    await typeSlowly(plain, '\x02\x02x\x02y');
    await client.typed('\x02x\x02y');
    await typeSlowly(plain, '\x1b');
    await client.typed('\x02x\x02y\x1b');
    // From here on an ESC is no key by itself.
    client.output('\x1b[>1u');
    await plain.terminal.shows(/\x1b\[>1u/);
    await typeSlowly(plain, '\x1b[98;5ud');
    await plain.endsWith(0, /detached/);
    assert.equal(client.input, '\x02x\x02y\x1b');

    const reader = await start(t, { readOnly: true, detachKeys: 'C-a q' });
    const reading = await reader.isDrawn();
    assert.equal((await reading.hello).readOnly, true);
    await typeSlowly(reader, 'rm\r\x02d\x01');
    reader.terminal.type('q');
    await reader.endsWith(0, /detached/);
    assert.equal(reading.input, '');
  });

  test('with no detach keys nothing detaches', async (t) => {
    const attached = await start(t, { detachKeys: 'none' });
    const client = await attached.isDrawn();
    attached.terminal.type('\x02d\x1b');
    await client.typed('\x02d\x1b');
    await attached.signal('SIGTERM');
    await attached.endsWith(143, /screen/);
  });
});

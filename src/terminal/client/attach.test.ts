/** A person's terminal while a session is attached to it, and after: `stty -g` is compared on every way out. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Attached, type AttachedOptions, buildAttachProgram } from '../../../test/support/attached.ts';
import { isRunning } from '../../../test/support/proc.ts';
import type { Cleanup } from '../../../test/support/temporary.ts';
import { hasTerminals } from '../../../test/support/terminal.ts';
import { waitFor, waitForFile } from '../../../test/support/wait.ts';
import { processStat } from '../../host/process.ts';

const built = { program: '' };
const start = (cleanup: Cleanup, options: AttachedOptions = {}) => Attached.start(cleanup, built.program, options);

describe('attach on a terminal', { skip: hasTerminals ? false : 'no python3', concurrency: 3 }, () => {
  before(async () => {
    built.program = await buildAttachProgram();
  });
  after(() => rmSync(built.program, { force: true }));

  test('every byte passes both ways; Ctrl-B d leaves the terminal as it was', async (t) => {
    const attached = await start(t);
    const client = await attached.isDrawn();
    const raw = await attached.stty('-a');
    for (const flag of ['-icanon', '-isig', '-opost', '-echo', '-ixon', '-icrnl', '-iexten'])
      assert.ok(raw.includes(flag), `${flag}: ${raw}`);
    const keys = '\x03\x1a\x1c\x11\x13\x04\x16\r\n\x7f\x00é';
    attached.terminal.type(keys);
    await client.typed(Buffer.from(keys).toString('latin1'));
    client.output('one\ntwo\x1b[?1006h\x1b[?1000h');
    await attached.terminal.shows(/one\ntwo/);
    attached.terminal.type('\x02d');
    await attached.endsWith(0, /\[detached from build; stead attach build\]/);
    await waitFor('the farewell', () => client.has('detach'));
    const { shown } = attached.terminal;
    for (const off of ['\x1b[?1006l', '\x1b[?1000l', '\x1b[?2004l', '\x1b[?25h', '\x1b[r', '\x1b[0m'])
      assert.ok(shown.includes(off), JSON.stringify(off));
    assert.ok(!shown.includes('\x1b[?1049l'), 'no alternate screen was entered');
    assert.deepEqual(
      { ...(await client.hello) },
      {
        v: 1,
        session: 'build:0',
        cols: 80,
        rows: 24,
        readOnly: false,
        steal: false,
        term: 'xterm-256color',
        wantsSnapshot: true,
        scrollback: 100,
      },
    );
  });

  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const)
    test(`${signal} ends the client by that signal, and the terminal is as it was`, async (t) => {
      const attached = await start(t, { prefix: 'ulimit -c 0;' });
      const client = await attached.isDrawn();
      client.output('\x1b[?1049h\x1b[?25l\x1b[>1u');
      await attached.terminal.shows(/\x1b\[>1u/);
      await attached.signal(signal);
      await attached.endsWith(code, /\x1b\[<1u\x1b\[\?1049l.*\x1b\[\?25h/s);
      await waitFor('the connection to be closed', () => client.isClosed);
    });

  test('an exception that nobody catches leaves the terminal as it was', async (t) => {
    const attached = await start(t, { throws: true });
    await attached.isDrawn();
    await attached.signal('SIGUSR2');
    await attached.endsWith(1, /\x1b\[\?25h.*a bug/s);
  });

  test('the end of the program, and of the attachment by others, is told; the terminal is as it was', async (t) => {
    const ended = await start(t);
    (await ended.isDrawn()).say({ type: 'exit', exit: { code: 3, signal: null, reason: null } });
    const stolen = await start(t);
    (await stolen.isDrawn()).say({ type: 'bye', reason: 'stolen' });
    const garbage = await start(t);
    (await garbage.isDrawn()).raw(Buffer.from('HTTP/1.1 200 OK'));
    await ended.endsWith(0, /\[build ended: exit code 3\]/);
    await stolen.endsWith(0, /attached elsewhere/);
    await garbage.endsWith(5, /failed: The terminals' host is not understood/);
  });

  test('what is refused is said, and the terminal was not touched', async (t) => {
    const attached = await start(t, {
      onHello: (client) =>
        client.say({ type: 'error', error: { code: 'APP_NOT_FOUND', message: 'no such session', hint: null } }),
    });
    await attached.endsWith(5, /^pid \d+\nfailed: no such session/);
  });

  test('another size of the window is told once it is at rest', async (t) => {
    const attached = await start(t);
    const client = await attached.isDrawn();
    for (let cols = 81; cols <= 100; cols++) await attached.stty('cols', String(cols), 'rows', '30');
    const last = () => client.messages.filter((message) => message.type === 'resize').at(-1);
    await waitFor('the last size', () => JSON.stringify(last()) === '{"type":"resize","size":{"cols":100,"rows":30}}');
    assert.ok(client.messages.filter(({ type }) => type === 'resize').length < 20);
  });

  test('a stop by others gives the terminal back, and going on takes it again with a fresh screen', async (t) => {
    const attached = await start(t);
    await attached.isDrawn();
    await attached.signal('SIGTSTP');
    const pid = await attached.pid();
    await waitFor('the client to be stopped', () => processStat(pid)?.state === 'T');
    assert.equal(await attached.stty('-g'), await attached.modeBefore());
    await attached.stty('cols', '120');
    await attached.signal('SIGCONT');
    const again = await attached.client(1);
    assert.equal((await again.hello).cols, 120);
    await waitFor('raw mode', async () => (await attached.stty('-a')).includes('-icanon'));
    await waitFor('the first connection to be closed', () => attached.host.clients[0]!.isClosed);
    attached.terminal.type('x');
    await again.typed('x');
    attached.terminal.type('\x02d');
    await attached.endsWith(0, /detached/);
  });

  test('a terminal that is gone ends the client within a second, with SIGHUP and without', async (t) => {
    for (const prefix of ['', 'setsid -w', "trap '' HUP;"]) {
      const attached = await start(t, { prefix });
      const client = await attached.isDrawn();
      const pid = await attached.pid();
      const began = performance.now();
      attached.terminal.close();
      await waitFor('the client to end', () => !isRunning(pid));
      const tookMs = performance.now() - began;
      assert.ok(tookMs < 1000, `${prefix}: ${tookMs} ms`);
      await waitFor('the connection to be closed', () => client.isClosed);
      if (prefix.startsWith('trap')) assert.equal(await waitForFile(join(attached.directory, 'code')), '129\n');
    }
  });

  test('TERM=dumb: nothing is drawn, lines go in and out, the mode stays', async (t) => {
    const attached = await start(t, { env: { TERM: 'dumb' }, onHello: (client) => client.welcome() });
    const client = await attached.client();
    assert.deepEqual([(await client.hello).wantsSnapshot, (await client.hello).isSized], [false, true]);
    assert.equal(await attached.stty('-g'), await attached.modeBefore());
    attached.terminal.type('date\n');
    await client.typed('date\n');
    client.output('Sat\r\n');
    await attached.terminal.shows(/Sat/);
    client.say({ type: 'exit', exit: { code: 0, signal: null, reason: null } });
    await attached.endsWith(0, /^pid \d+\r?\ndate\r\nSat\r+\n\[build ended: exit code 0\]/);
  });

  test('an output that is no terminal is refused where one is needed', async (t) => {
    const attached = await start(t, { needsTerminal: true, suffix: '| cat' });
    await attached.terminal.shows(/failed: Cannot attach to "build:0": stdout is not a terminal/);
  });
});

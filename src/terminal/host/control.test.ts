/** What the daemon orders, asks and is told, also one that came after another. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRunning } from '../../../test/support/proc.ts';
import { TestHost } from '../../../test/support/pty-host.ts';
import { TerminalClient } from '../../../test/support/terminal-client.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { HostLink } from '../host-link.ts';
import { controlSocket, terminalsDirectory } from '../places.ts';

test('there is one host for a home, in a directory that is private', async (t) => {
  const host = await TestHost.start(t);
  const second = await host.spawn();
  assert.equal(second.word, 'taken');
  if (second.child.exitCode === null) await once(second.child, 'exit');
  assert.equal(second.child.exitCode, 0);
  const directory = terminalsDirectory(host.home);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  for (const name of ['host.sock', 'control.sock', 'lock'])
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
  await host.kill();
  assert.ok(existsSync(join(directory, 'host.sock')));
  const [a, b] = await Promise.all([host.spawn(), host.spawn()]);
  assert.deepEqual([a.word, b.word].sort(), ['ready', 'taken']);
  for (const { child } of [a, b]) child.kill('SIGTERM');
  await waitFor('the end of both', () => [a, b].every(({ child }) => !isRunning(child.pid!)));
  assert.deepEqual(readdirSync(directory), ['lock']);
});

test('a host whose directory others can enter does not start', async (t) => {
  const host = new TestHost(t);
  mkdirSync(terminalsDirectory(host.home), { mode: 0o755 });
  await assert.rejects(host.start(), /no private directory/);
});

test('sessions are listed, told of, renamed, sized and forgotten', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['bash', '-c', 'printf "\\033]0;a title\\007"; echo ready; cat'], { session: 'a:0' });
  await program.logs(/ready/);
  const client = await TerminalClient.attach(host.socket, 'a:0', { cols: 90, rows: 30 });
  const view = { session: 'a:0', run: 1, cols: 90, rows: 30, clients: 1, title: 'a title', problem: null };
  await waitFor('the session to be told of', () => {
    const { session, run, cols, rows, clients, title, problem } = host.views.at(-1)!;
    assert.deepEqual({ session, run, cols, rows, clients, title, problem }, view);
    return true;
  });
  assert.deepEqual(await host.link.list(), [view]);
  await host.link.rename('a:0', 'b:0');
  await assert.rejects(host.link.rename('a:0', 'c:0'), { code: 'NO_SESSION' });
  await host.link.resize('b:0', { cols: 70, rows: 20 });
  assert.deepEqual(await host.link.list(), [{ ...view, session: 'b:0', cols: 70, rows: 20 }]);
  await host.link.forget('b:0');
  assert.equal((await client.gets('bye')).reason, 'stopped');
  assert.deepEqual(await host.link.list(), []);
  const late = new TerminalClient(host.socket);
  await assert.rejects(late.ask({ session: 'b:0', what: 'size' }), { code: 'NO_SESSION' });
});

test('a daemon that comes anew gets the masters, and the one before is replaced', async (t) => {
  const host = await TestHost.start(t);
  const programs = [await host.run(['cat'], { session: 'a:0' }), await host.run(['cat'], { session: 'b:3', run: 7 })];
  let closed = false;
  host.link.onClose = () => {
    closed = true;
  };
  const link = await HostLink.connect(controlSocket(host.home));
  const masters = await link.masters();
  assert.deepEqual([...masters.keys()].sort(), ['a:0 1', 'b:3 7']);
  for (const [key, fd] of masters) {
    const program = programs.find(({ order }) => key === `${order.session} ${order.run}`)!;
    assert.equal(fstatSync(fd).rdev, fstatSync(program.master).rdev);
    // Taken again: nothing happens.
    await link.take({ ...program.order, isNew: false }, fd);
    closeSync(fd);
  }
  await waitFor('the first one to be told', () => closed);
  await assert.rejects(host.link.list(), { code: 'HOST_GONE' });
  assert.equal((await link.list()).length, 2);
  link.close();
  const client = await TerminalClient.attach(host.socket, 'a:0');
  client.type('works\n');
  await client.shows(/works\nworks/);
});

test('a program that is started again keeps who is attached, and the size', async (t) => {
  const host = await TestHost.start(t);
  const first = await host.run(['bash', '-c', 'printf "\\033[?1000h\\033[?25lone\\n"; read x; exit 4'], {
    session: 'a:0',
  });
  const client = await TerminalClient.attach(host.socket, 'a:0', { cols: 66, rows: 11 });
  await client.shows(/one/);
  client.type('\n');
  await first.ended({ goesOn: true });
  await client.shows(/one\n[\s\S]*\[a ended: exit code 4; it is started again\]/);
  const second = await host.run(['bash', '-c', 'stty size; read x; exit 0'], { session: 'a:0', run: 2 });
  first.close();
  await client.shows(/one\n[\s\S]*started again\]\n11 66/);
  assert.ok(client.screen!.cursor.visible);
  client.type('x\n');
  await second.ended();
  assert.equal((await client.gets('exit')).exit.code, 0);
  assert.equal(second.log, 'one\r\n\r\n11 66\r\nx\r\n'.replace('one', '\x1b[?1000h\x1b[?25lone'));
});

test('a session that has ended can be looked at by a host that never saw it run', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['bash', '-c', 'printf "\\033]0;the title\\007\\033[31mred\\033[0m\\n"; exit 7']);
  await program.logs(/red/);
  const exit = await program.ended();
  await waitFor('a checkpoint', () => existsSync(join(program.order.runDirectory, 'screen')));
  await host.kill();
  await host.start();
  await host.link.take({ ...program.order, isNew: false, exit }, null);
  const client = await TerminalClient.attach(host.socket, program.session);
  await client.shows(/^red/);
  assert.equal((await client.gets('exit')).exit.code, 7);
  const asker = new TerminalClient(host.socket);
  const answer = await asker.ask({ session: program.session, what: 'capture', ansi: true, lines: null });
  assert.ok(answer.what === 'capture' && answer.exit?.code === 7 && answer.title === 'the title');
  assert.match(answer.text, /\x1b\[(?:0;)?31mred/);
  await assert.rejects(asker.ask({ session: program.session, what: 'send', bytes: Buffer.from('x') }), {
    code: 'NOT_RUNNING',
  });
  assert.deepEqual(await host.link.masters(), new Map());
});

test('questions: something is sent, captured, waited for', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['bash', '-c', 'echo ready; while read x; do seq $x; echo "did $x"; done; exit 9']);
  const { session } = program;
  const asker = new TerminalClient(host.socket);
  const there = await asker.ask({ session, what: 'wait', pattern: '^read', flags: '' });
  assert.deepEqual(there, { id: there.id, what: 'wait', matched: true, line: 'ready', exit: null });
  // Scrolled away by the time that the screen is looked at.
  const scrolled = asker.ask({ session, what: 'wait', pattern: '^17\\d$', flags: '' });
  const sent = await asker.ask({ session, what: 'send', bytes: Buffer.from('5000\n') });
  assert.ok(sent.what === 'send' && sent.written === 5);
  const found = await scrolled;
  assert.ok(found.what === 'wait' && found.line === '170');
  const cased = await asker.ask({ session, what: 'wait', pattern: 'DID 5000', flags: 'i' });
  assert.ok(cased.what === 'wait' && cased.matched);
  const captured = await asker.ask({ session, what: 'capture', ansi: false, lines: 3 });
  assert.ok(captured.what === 'capture');
  assert.match(captured.text, /did 5000/);
  assert.deepEqual(
    { cols: captured.cols, rows: captured.rows, exit: captured.exit },
    { cols: 80, rows: 24, exit: null },
  );
  await assert.rejects(asker.ask({ session, what: 'wait', pattern: '(', flags: '' }), { code: 'BAD_PATTERN' });
  const end = asker.ask({ session, what: 'wait', pattern: null, flags: '' });
  const never = asker.ask({ session, what: 'wait', pattern: 'never', flags: '' });
  await asker.ask({ session, what: 'send', bytes: Buffer.from('\x04') });
  await program.ended();
  for (const answer of [await end, await never])
    assert.ok(answer.what === 'wait' && !answer.matched && answer.exit?.code === 9);
});

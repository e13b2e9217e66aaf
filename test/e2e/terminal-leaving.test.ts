/** How clients come and go, with a terminal and without one; and what programs do while nobody looks. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Onlooker } from '../support/onlooker.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning, openFds } from '../support/proc.ts';
import { clientOf, logOf, logs, openScript, sizeIn } from '../support/sessions.ts';
import { collect, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const stead = new Stead({ after });
before(() => stead.ok(['daemon', 'restart']));

const open = (name: string, script: string) => openScript(stead, { name, script });

const untilClients = async (name: string, count: number): Promise<number> => {
  const began = performance.now();
  await stead.until(name, `${count} clients`, ({ instances }) => instances[0]?.terminal?.clients === count);
  return performance.now() - began;
};

/** Says of each signal that it might get from a terminal that goes away. */
const signalled =
  'for s in HUP INT TERM CONT TSTP; do trap "echo got $s" $s; done; echo ready; while :; do read -t 0.05 line && echo "<$line>"; done';

test('a client that is killed, and one whose terminal vanishes, are gone at once; the program notices nothing', async () => {
  await open('gone', signalled);
  const killed = new Onlooker(stead, ['attach', 'gone']);
  await killed.sees(/ready/);
  await untilClients('gone', 1);
  process.kill(await killed.terminal.pid(), 'SIGKILL');
  const tookMs = await untilClients('gone', 0);
  assert.ok(tookMs < 1000, `${tookMs} ms`);
  const closed = new Onlooker(stead, ['attach', 'gone']);
  await closed.sees(/ready/);
  const pid = await closed.terminal.pid();
  const began = performance.now();
  const closing = closed.terminal.close();
  await waitFor('its end', () => !isRunning(pid));
  assert.ok(performance.now() - began < 1000, `${performance.now() - began} ms`);
  await closing;
  await untilClients('gone', 0);
  const again = new Onlooker(stead, ['attach', 'gone']);
  again.type('there?\r');
  await again.sees(/<there\?>/);
  assert.doesNotMatch(await logOf(stead, 'gone'), /got/);
  await again.leaves();
});

test('a stalled terminal whose client is killed by its user leaves the session as it is', async () => {
  await open('flood', 'read x; seq 200000; echo over; sleep 1000');
  const stalled = new Onlooker(stead, ['attach', 'flood']);
  await untilClients('flood', 1);
  stalled.terminal.stall();
  stalled.type('x\r');
  await logs(stead, 'flood', /over/);
  stalled.type('\x02d');
  await untilClients('flood', 0);
  stalled.terminal.flow();
  await stalled.terminal.ended();
});

test('keys that detach: byte by byte, as kitty sends them, twice for the program, and for who looks on only', async () => {
  await open('keys', 'stty raw -echo; echo ready; head -c 2 > typed; echo over; sleep 1000');
  const slow = new Onlooker(stead, ['attach', 'keys']);
  await slow.sees(/ready/);
  slow.type('\x02\x02x');
  await slow.sees(/over/);
  assert.equal(readFileSync(join(stead.directory, 'typed'), 'latin1'), '\x02x');
  for (const byte of '\x1b[98;5ud') {
    slow.type(byte);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await slow.terminal.ended();
  const onlooker = new Onlooker(stead, ['attach', '--read-only', 'keys']);
  await onlooker.sees(/over/);
  await onlooker.leaves();
  const other = new Onlooker(stead, ['attach', '--detach-keys', 'C-a q', 'keys']);
  await other.sees(/over/);
  other.type('\x02d\x01q');
  await other.terminal.ended();
});

test('without a terminal: what is piped in is typed, output comes as it is, and no size is imposed', async () => {
  await openScript(stead, {
    name: 'pipe',
    script: 'while read line; do echo "<$line>"; done',
    options: { ttySize: '99x33' },
  });
  const piped = await stead.ok(['attach', 'pipe'], { input: 'one\ntwo\n' });
  assert.match(piped.stdout, /<one>\r\n[\s\S]*<two>\r\n/);
  assert.doesNotMatch(piped.stdout, /\x1b/);
  assert.equal(await sizeIn(stead, 'pipe'), '99x33');
  const dumb = new Onlooker(stead, ['attach', 'pipe'], { env: { TERM: 'dumb' } });
  await untilClients('pipe', 1);
  dumb.type('three\n');
  await dumb.sees(/<three>/);
  assert.doesNotMatch(dumb.terminal.shown, /\x1b/);
  await dumb.terminal.close();
  const child = spawn(process.execPath, [steadBin, 'attach', 'pipe'], {
    env: stead.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.equal((await collect(child, 'attach </dev/null', 10_000)).code, 0);
});

test('title comes back to who attaches; bells, notifications and what is put into the clipboard do not', async () => {
  await open(
    'told',
    "printf '\\e]0;a title\\a\\a\\e]52;c;aGVsbG8=\\a\\e]9;note\\a\\e]777;notify;a;b\\aready'; sleep 1000",
  );
  await logs(stead, 'told', /ready/);
  const onlooker = new Onlooker(stead, ['attach', 'told']);
  await onlooker.sees(/ready/);
  assert.deepEqual([onlooker.eye.title, onlooker.eye.bells], ['a title', 0]);
  assert.doesNotMatch(onlooker.terminal.shown, /\x1b\](?:52|9|777);/);
  await onlooker.leaves();
});

test('what is printed after the end of the program by what it left is kept, and its code is the program’s', async () => {
  await open('late', "(trap '' HUP; : >up; sleep 0.3; echo late) & until [ -e up ]; do sleep 0.01; done; exit 3");
  const { exits } = await stead.until('late', 'its end', ({ state }) => state === 'failed');
  assert.equal(exits[0]!.code, 3);
  await logs(stead, 'late', /late\r\n/);
});

test('programs have their own terminal and nothing else of any other', async () => {
  const names = ['own-1', 'own-2', 'own-3', 'own-4', 'own-5'];
  await Promise.all(names.map((name) => open(name, 'echo ready; exec sleep 1000')));
  const seen = new Set<string>();
  for (const name of names) {
    await logs(stead, name, /ready/);
    const fds = openFds(await stead.pid(name));
    assert.deepEqual(Object.keys(fds), ['0', '1', '2']);
    assert.equal(new Set(Object.values(fds)).size, 1);
    seen.add(fds[0]!);
  }
  assert.equal(seen.size, names.length);
  await Promise.all(names.map((name) => clientOf(stead, name).then((client) => client.close())));
});

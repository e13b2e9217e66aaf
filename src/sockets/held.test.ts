import assert from 'node:assert/strict';
import { closeSync, existsSync, fstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { repository } from '../../test/support/paths.ts';
import { freePort } from '../../test/support/ports.ts';
import { isRunning, openFds } from '../../test/support/proc.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { waitFor } from '../../test/support/wait.ts';
import { accept, duplicate, isListening } from '../host/socket-calls.ts';
import { openSocket } from './bind.ts';
import { HeldSockets } from './held.ts';
import { startHolder } from './holder.ts';
import { findHolders, type Holder } from './records.ts';

const programs = {
  shell: '/bin/sh',
  script: join(repository, 'src/sockets/holder.sh'),
  node: process.execPath,
  share: join(repository, 'src/sockets/share.cjs'),
};
const any = (nth: number): string => `tcp:127.0.0.1:0#${nth}`;

function heldIn(t: TestContext, directory: string, more: object = {}) {
  const said: string[] = [];
  const held = new HeldSockets({ directory, log: (line) => said.push(line), ...programs, ...more });
  t.after(() => held.close());
  return { held, said };
}

const inode = (fd: number): number => fstatSync(fd).ino;
const inodes = ({ held }: { held: HeldSockets }) => held.entries().map(({ key, fd }) => [key, inode(fd)]);
const holdersFd = (directory: string, fd: number) => openFds(findHolders(directory)[0]!.id.pid)[fd];
const refuses = (path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect(path, () => resolve(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });

test('what is held outlives the daemon, again and again, taken or asked for', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const first = heldIn(t, directory);
  await first.held.recover();
  assert.deepEqual(first.held.entries(), []);
  const keys = [any(2), any(1), `unix:${join(directory, 'x.sock')}`];
  for (const key of keys) first.held.add(key, openSocket(key));
  await first.held.settled();
  const before = inodes(first);
  first.held.close();
  for (const mustAsk of [false, true, false]) {
    const next = heldIn(t, directory, { mustAsk });
    await next.held.recover();
    assert.deepEqual(inodes(next).sort(), before.sort());
    assert.match(
      next.said.join('\n'),
      mustAsk ? /^3 of 3 .* which was asked, [^\n]*$/ : /^3 of 3 .* taken out of [^\n]*$/,
    );
    for (const key of keys) assert.ok(isListening(next.held.get(key)!), key);
    next.held.close();
  }
});

test('changes that come together make one holder, and the one before ends', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const { held } = heldIn(t, directory);
  held.add(any(1), openSocket(any(1)));
  held.add(any(2), openSocket(any(2)));
  await waitFor('a holder', () => findHolders(directory).length === 1);
  const [first] = findHolders(directory);
  held.add(any(3), openSocket(any(3)));
  held.drop(any(1));
  await held.settled();
  const [second, ...others] = findHolders(directory);
  assert.deepEqual(others, []);
  assert.ok(second!.generation > first!.generation);
  assert.ok(!isRunning(first!.id.pid));
  assert.deepEqual(
    held.entries().map(({ key }) => key),
    [any(2), any(3)],
  );
  assert.equal(holdersFd(directory, 3), `socket:[${inode(held.get(any(2))!)}]`);
  assert.equal(holdersFd(directory, 4), `socket:[${inode(held.get(any(3))!)}]`);
});

test("a holder's death makes another one at once", async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const { held } = heldIn(t, directory);
  held.add(any(1), openSocket(any(1)));
  await held.settled();
  for (let round = 0; round < 2; round++) {
    const [{ id }] = findHolders(directory) as [Holder];
    process.kill(id.pid, 'SIGKILL');
    await waitFor('another', () => findHolders(directory).some((each) => each.id.pid !== id.pid));
  }
  assert.equal(holdersFd(directory, 3), `socket:[${inode(held.get(any(1))!)}]`);
});

test('the death of a holder that was found is seen, too', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const before = heldIn(t, directory).held;
  before.add(any(1), openSocket(any(1)));
  await before.settled();
  before.close();
  const { held } = heldIn(t, directory);
  await held.recover();
  const [{ id }] = findHolders(directory) as [Holder];
  process.kill(id.pid, 'SIGKILL');
  await waitFor('another', () => findHolders(directory).some((each) => each.id.pid !== id.pid));
  assert.equal(holdersFd(directory, 3), `socket:[${inode(held.get(any(1))!)}]`);
});

test('a daemon that died between two holders leaves both: the newer counts', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const sockets = [any(1), any(2)].map((key) => ({ key, fd: openSocket(key) }));
  const old = await startHolder({ directory, sockets: sockets.slice(0, 1), ...programs });
  const fresh = await startHolder({ directory, sockets, ...programs });
  for (const { fd } of sockets) closeSync(fd);
  const { held } = heldIn(t, directory);
  await held.recover();
  assert.deepEqual(
    held.entries().map(({ key }) => key),
    [any(1), any(2)],
  );
  await old.gone;
  assert.deepEqual(
    findHolders(directory).map(({ id }) => id),
    [fresh.id],
  );
});

test('a socket that was ended while its holder lived on is not held, and that is said', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const before = heldIn(t, directory).held;
  for (const nth of [1, 2]) before.add(any(nth), openSocket(any(nth)));
  await before.settled();
  before.drop(any(1));
  before.close();
  for (const mustAsk of [true, false]) {
    const { held, said } = heldIn(t, directory, { mustAsk });
    await held.recover();
    assert.deepEqual(
      held.entries().map(({ key }) => key),
      [any(2)],
    );
    assert.match(said[0]!, /^1 of 2 held sockets /);
    assert.deepEqual(said.slice(1), ['not held any more: 127.0.0.1:any']);
    if (!mustAsk) {
      await held.settled();
      assert.equal(holdersFd(directory, 4), undefined);
    }
    held.close();
  }
});

test('dropping a socket ends it for all who have it, and its path; dropping all ends the holder', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const { held } = heldIn(t, directory);
  const path = join(directory, 'x.sock');
  const key = `unix:${path}`;
  held.add(key, openSocket(key));
  held.add(any(1), openSocket(any(1)));
  await held.settled();
  const others = duplicate(held.get(key)!);
  t.after(() => closeSync(others));
  held.drop(key);
  assert.ok(!isListening(others));
  assert.ok(!existsSync(path));
  held.drop('tcp:*:1');
  await held.dropAll();
  assert.deepEqual(held.entries(), []);
  assert.deepEqual(readdirSync(directory), []);
});

test('the same socket given twice is held once; another one takes its place', async (t) => {
  const { held } = heldIn(t, temporaryDirectory(t, 'held'));
  const fd = openSocket(any(1));
  held.add(any(1), fd);
  const again = duplicate(fd);
  held.add(any(1), again);
  held.add(any(1), fd);
  assert.equal(held.get(any(1)), fd);
  assert.throws(() => fstatSync(again), { code: 'EBADF' });
  const other = openSocket(any(1));
  held.add(any(1), other);
  assert.equal(held.get(any(1)), other);
  assert.throws(() => fstatSync(fd), { code: 'EBADF' });
  await held.dropAll();
});

test('a path that a program unlinked is there again; one that is lost is dropped', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const { held } = heldIn(t, directory);
  const path = join(temporaryDirectory(t, 'held'), 'x.sock');
  const key = `unix:${path}`;
  held.add(key, openSocket(key, { nonblock: true }));
  assert.equal(held.ensurePath(key), 'there');
  rmSync(path);
  // By itself: nobody asks for it.
  await waitFor('the path', () => existsSync(path));
  assert.equal(held.ensurePath(key), 'there');
  assert.equal(await refuses(path), undefined);
  closeSync(accept(held.get(key)!)!);
  for (const name of readdirSync(directory)) if (name.startsWith('unix.')) rmSync(join(directory, name));
  rmSync(path);
  assert.equal(held.ensurePath(key), 'lost');
  assert.ok(!held.has(key));
  assert.equal(held.ensurePath(key), 'lost');
  await held.dropAll();
});

test('where no holder can be started that is said, and the sockets are served all the same', async (t) => {
  const directory = temporaryDirectory(t, 'held');
  const { held, said } = heldIn(t, directory, { script: '/nowhere.sh' });
  const key = `tcp:127.0.0.1:${await freePort()}`;
  held.add(key, openSocket(key));
  await held.settled();
  await waitFor('a second try', () => said.length >= 2);
  assert.match(said[0]!, /a holder can't be started: .*: its sockets would not outlive this daemon; trying again/);
  assert.ok(isListening(held.get(key)!));
  held.drop(key);
  await held.settled();
  assert.ok(said.length <= 3);
});

test('a directory that was made again gets a holder on record', async (t) => {
  const directory = join(temporaryDirectory(t, 'held'), 'app');
  mkdirSync(directory);
  const { held } = heldIn(t, directory);
  held.add(any(1), openSocket(any(1)));
  await held.settled();
  const [before] = findHolders(directory);
  rmSync(directory, { recursive: true });
  await held.renew();
  const [now, ...others] = findHolders(directory);
  assert.deepEqual(others, []);
  assert.notEqual(now!.id.pid, before!.id.pid);
  await waitFor('the end of the one before', () => !isRunning(before!.id.pid));
});

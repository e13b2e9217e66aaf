import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { waitFor } from '../../test/support/wait.ts';
import { type Datagram, type DatagramSocket, openDatagramSocket, takeDatagramSocket } from './datagrams.ts';
import { loadKoffi, mkfifo, NativeMissing } from './native.ts';

const isRoot = process.getuid!() === 0;

/** A socket in a directory of its own, what came to it, and its end with the test. */
function receiver(t: TestContext, options: Parameters<typeof openDatagramSocket>[1] = {}, name = 'notify') {
  const path = join(temporaryDirectory(t, 'datagrams'), name);
  const messages: Datagram[] = [];
  const socket = openDatagramSocket(path, options, (message) => messages.push(message));
  t.after(() => socket.close());
  return { path, messages, socket };
}

/** Python code with a connected socket `s`, and os, socket, array. */
function sender(path: string, code: string): ChildProcess {
  const head = `import os, sys, array, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
os.chdir(os.path.dirname(sys.argv[1]))
s.connect(os.path.basename(sys.argv[1]))
`;
  return spawn('python3', ['-c', head + code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function send(path: string, code: string): Promise<number> {
  const child = sender(path, code);
  const [status] = await once(child, 'close');
  assert.equal(status, 0);
  return child.pid!;
}

const texts = (messages: readonly Datagram[]): string[] => messages.map(({ text }) => text.toString());
const openFds = (): number => readdirSync('/proc/self/fd').length;

test('a message comes with the credentials of its sender', async (t) => {
  const { path, messages } = receiver(t);
  const pid = await send(path, `s.send(b'READY=1')`);
  await waitFor('the message', () => messages.length === 1);
  assert.deepEqual(messages, [
    { text: Buffer.from('READY=1'), pid, uid: process.getuid!(), gid: process.getgid!(), fds: [] },
  ]);
});

test('5,000 messages arrive in order, none lost, beside those of another socket', async (t) => {
  const one = receiver(t);
  const other = receiver(t);
  const count = 5000;
  const flood = `for i in range(${count}): s.send(b'%d' % i)`;
  await Promise.all([send(one.path, flood), send(other.path, flood)]);
  for (const { messages } of [one, other]) {
    await waitFor('all messages', () => messages.length === count);
    assert.deepEqual(
      texts(messages),
      Array.from({ length: count }, (_, index) => String(index)),
    );
  }
});

test('one that floods leaves the event loop its turn', async (t) => {
  const { path, messages } = receiver(t);
  const child = sender(path, 'while True: s.send(b"x" * 100)');
  try {
    await waitFor('a thousand messages', () => messages.length > 1000);
    // Timers fire, or this would not go on.
    assert.ok(messages.length > 1000);
  } finally {
    child.kill('SIGKILL');
  }
  await once(child, 'close');
});

test('the socket is of the mode asked for, whatever the umask, close-on-exec and private by default', (t) => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  assert.equal(modeOf(receiver(t).path), 0o600);
  assert.equal(modeOf(receiver(t, { mode: 0o666 }).path), 0o666);
  process.umask(0);
  const { path, socket } = receiver(t, { mode: 0o620 });
  assert.equal(modeOf(path), 0o620);
  const flags = Number.parseInt(
    /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${socket.fd}`, 'utf8'))![1]!,
    8,
  );
  assert.equal(flags & 0o2000000, 0o2000000);
});

test('another user may be its owner, and writes to it', { skip: !isRoot && 'needs root' }, async (t) => {
  const { path, messages } = receiver(t, { owner: { uid: 65_534, gid: 65_534 } });
  chmodSync(join(path, '..'), 0o711);
  assert.deepEqual([statSync(path).uid, statSync(path).gid], [65_534, 65_534]);
  const script = `import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(sys.argv[1]); s.send(b'READY=1')`;
  const [status] = await once(spawn('python3', ['-c', script, path], { stdio: 'inherit' }), 'close');
  assert.equal(status, 0);
  await waitFor('the message', () => messages.length === 1);
  assert.deepEqual([messages[0]!.uid, messages[0]!.gid], [65_534, 65_534]);
});

test('a path of 150 bytes is bound, and a socket from before replaced; anything else is not', async (t) => {
  const deep = join(temporaryDirectory(t, 'datagrams'), 'd'.repeat(100));
  mkdirSync(deep);
  const path = join(deep, 'n'.repeat(Math.max(1, 150 - Buffer.byteLength(deep) - 1)));
  const messages: Datagram[] = [];
  const fds = openFds();
  openDatagramSocket(path, {}, () => assert.fail('replaced')).close();
  const socket = openDatagramSocket(path, {}, (message) => messages.push(message));
  assert.equal(openFds(), fds + 1);
  await send(path, `s.send(b'READY=1')`);
  await waitFor('the message', () => messages.length === 1);
  socket.close();
  assert.equal(openFds(), fds);
  assert.ok(existsSync(path));
  const file = join(deep, 'file');
  writeFileSync(file, '');
  assert.throws(() => openDatagramSocket(file, {}, () => {}), { code: 'EADDRINUSE', syscall: 'bind' });
  assert.throws(() => openDatagramSocket(join(deep, 'no', 'n'), {}, () => {}), { code: 'ENOENT' });
  assert.equal(openFds(), fds);
});

test('passed descriptors are handed over, and a barrier ends when they are closed', async (t) => {
  const { path, messages } = receiver(t);
  const child = sender(
    path,
    `r, w = os.pipe()
s.sendmsg([b'BARRIER=1'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [w, w, 0]))])
os.close(w)
assert os.read(r, 1) == b''`,
  );
  await waitFor('the message', () => messages.length === 1);
  const { text, pid, fds } = messages[0]!;
  assert.deepEqual([text.toString(), pid, fds.length], ['BARRIER=1', child.pid, 3]);
  assert.equal(child.exitCode, null);
  for (const fd of fds) closeSync(fd);
  assert.deepEqual(await once(child, 'close'), [0, null]);
});

test('a message of more than 64 KiB is dropped with its descriptors; one of 64 KiB is not', async (t) => {
  const { path, messages } = receiver(t);
  const fds = openFds();
  await send(
    path,
    `s.sendmsg([b'x' * 65537], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 253))])
s.send(b'y' * 65536)
s.send(b'')
s.send(b'READY=1')`,
  );
  await waitFor('the last message', () => texts(messages).at(-1) === 'READY=1');
  assert.deepEqual(
    messages.map(({ text }) => text.length),
    [65_536, 0, 7],
  );
  assert.equal(openFds(), fds);
});

test('a receiver that closes its socket gets nothing more, and the others go on', async (t) => {
  const one = receiver(t);
  let count = 0;
  const path = join(temporaryDirectory(t, 'datagrams'), 'notify');
  const socket: DatagramSocket = openDatagramSocket(path, {}, () => {
    count += 1;
    socket.close();
    socket.close();
  });
  // The one after the closing may find nobody.
  await send(path, `s.send(b'1')\ntry: s.send(b'2')\nexcept OSError: pass`);
  await send(one.path, `s.send(b'READY=1')`);
  await waitFor('the message to the other', () => one.messages.length === 1);
  assert.equal(count, 1);
});

test('a socket is taken back out of the process that holds it, with what came meanwhile', async (t) => {
  const { path, messages, socket } = receiver(t);
  const holder = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', socket.fd] });
  t.after(() => holder.kill('SIGKILL'));
  await once(holder, 'spawn');
  socket.close();
  const pid = await send(path, `for i in range(5): s.send(b'%d' % i)`);
  const taken = takeDatagramSocket(holder.pid!, 3, (message) => messages.push(message));
  t.after(() => taken.close());
  assert.equal(messages.length, 0, 'not before the caller has the socket');
  await waitFor('what was queued', () => messages.length === 5);
  assert.deepEqual(texts(messages), ['0', '1', '2', '3', '4']);
  assert.equal(messages[0]!.pid, pid);
  await send(path, `s.send(b'READY=1')`);
  await waitFor('a new message', () => messages.length === 6);
});

test('a socket of a process that was killed lives on in its sibling, and is taken from there', async (t) => {
  const path = join(temporaryDirectory(t, 'datagrams'), 'notify');
  const script = `import fcntl, os, signal, socket, subprocess, sys, time
signal.signal(signal.SIGIO, lambda *_: None)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
fcntl.fcntl(s, fcntl.F_SETOWN, os.getpid())
fcntl.fcntl(s, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
holder = subprocess.Popen(['sleep', '1000'], pass_fds=[s.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(holder.pid, s.fileno(), flush=True)
time.sleep(1000)`;
  const owner = spawn('python3', ['-c', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(owner.stdout!), 'line');
  const [holder, fd] = String(line).split(' ').map(Number);
  t.after(() => process.kill(holder!, 'SIGKILL'));
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const pid = await send(path, `s.send(b'READY=1')`);
  const messages: Datagram[] = [];
  const socket = takeDatagramSocket(holder!, fd!, (message) => messages.push(message));
  t.after(() => socket.close());
  await send(path, `s.send(b'STOPPING=1')`);
  await waitFor('both messages', () => messages.length === 2);
  assert.deepEqual(texts(messages), ['READY=1', 'STOPPING=1']);
  assert.equal(messages[0]!.pid, pid);
});

test("what can't be taken is told as the system tells it, and nothing stays open", async (t) => {
  const fds = openFds();
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const take = (pid: number, fd: number) => () => takeDatagramSocket(pid, fd, () => {});
  assert.throws(take(child.pid!, 77), { code: 'EBADF', syscall: 'pidfd_getfd' });
  assert.throws(take(child.pid!, 0), /is no socket/);
  assert.throws(take(2 ** 22 + 1, 3), (error: NodeJS.ErrnoException) => /^(ESRCH|EINVAL)$/.test(error.code!));
  if (!isRoot) assert.throws(take(1, 0), { code: 'EPERM' });
  assert.equal(openFds(), fds);
});

test('a fifo is made', (t) => {
  const path = join(temporaryDirectory(t, 'datagrams'), 'fifo');
  mkfifo(path, 0o600);
  assert.ok(statSync(path).isFIFO());
  assert.throws(() => mkfifo(path, 0o600), { code: 'EEXIST', path });
});

test('without koffi it is said what is missing, and a home takes none but its own', (t) => {
  const library = temporaryDirectory(t, 'datagrams');
  const entry = join(library, 'daemon.cjs');
  writeFileSync(entry, '');
  const load = () => loadKoffi(entry);
  const fails = (reason: RegExp) =>
    assert.throws(load, (error) => error instanceof NativeMissing && reason.test(error.reason));
  fails(/^the package @koromix\/koffi-linux-\w+ is not installed$/);
  writeFileSync(join(library, 'build.json'), '{}');
  fails(/\/koffi\.node is not installed$/);
  writeFileSync(join(library, 'koffi.node'), 'no shared object');
  fails(/\/koffi\.node does not load: /);
});

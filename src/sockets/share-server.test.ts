import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, fstatSync, readdirSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { repository } from '../../test/support/paths.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { waitFor } from '../../test/support/wait.ts';
import { getsockname } from '../host/socket-calls.ts';
import { openSocket } from './bind.ts';
import { openShareServer, type Refusal, type ShareHandlers, type ShareServerOptions } from './share-server.ts';

const key = 'tcp:127.0.0.1:0#1';
const openFds = (): number => readdirSync('/proc/self/fd').length;

/** A server that takes what it is given, in a directory of its own. */
const refusal = (reason: string): Refusal => ({ reason, isFinal: false });

function server(t: TestContext, more: Partial<ShareHandlers> = {}, options: ShareServerOptions = {}, name = 'share') {
  const path = join(temporaryDirectory(t, 'share'), name);
  const given: { key: string; fd: number; pid: number }[] = [];
  const give = (key: string, fd: number, { pid }: { pid: number }) => given.push({ key, fd, pid }) > 0;
  const share = openShareServer(path, { give, ask: () => refusal('nothing is held'), ...more }, options);
  t.after(() => {
    share.close();
    for (const { fd } of given) closeSync(fd);
  });
  return { path, given, share };
}

/** Python with a connected socket `s`, and json, os, socket. */
async function client(path: string, code: string, argument = ''): Promise<string> {
  const head = `import json, os, socket, sys, time
os.chdir(os.path.dirname(sys.argv[1]))
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(os.path.basename(sys.argv[1]))
`;
  const child = spawn('python3', ['-c', head + code, path, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [status] = await once(child, 'close');
  assert.equal(status, 0, output);
  return output;
}

const giveFrom = (mapping: string, fd: number | 'pipe', path: string): ChildProcess =>
  spawn(process.execPath, [join(repository, 'src/sockets/share.cjs'), 'give', path, mapping], {
    stdio: ['ignore', 'ignore', 'inherit', fd],
    env: {},
  });

async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

test('a Node gives a listening socket', async (t) => {
  const { path, given } = server(t);
  const fd = openSocket(key);
  t.after(() => closeSync(fd));
  const child = giveFrom(`3=${encodeURIComponent(key)}`, fd, path);
  await once(child, 'exit');
  await waitFor('the socket', () => given.length === 1);
  assert.equal(fstatSync(given[0]!.fd).ino, fstatSync(fd).ino);
  assert.deepEqual([given[0]!.key, given[0]!.pid], [key, child.pid]);
});

test('who asks gets a descriptor, or why there is none', async (t) => {
  const fd = openSocket(key);
  t.after(() => closeSync(fd));
  const asked: unknown[] = [];
  const { path } = server(t, {
    ask: async (name, { backlog }) => {
      asked.push([name, backlog]);
      return name === key ? fd : refusal('not held');
    },
  });
  const ask = (name: string) => `
s.send(b'{"v":1,"do":"ask","key":"${name}","backlog":511,"pid":1}\\n')
data, fds, flags, _ = socket.recv_fds(s, 1000, 4)
print(data.decode().strip(), [socket.socket(fileno=fd).getsockname()[1] for fd in fds])
`;
  const output = await client(path, ask(key) + ask('tcp:*:1'));
  const { port } = getsockname(fd) as { port: number };
  assert.equal(output, `{"ok":true} [${port}]\n{"ok":false,"reason":"not held","isFinal":false} []\n`);
  assert.deepEqual(asked, [
    [key, 511],
    ['tcp:*:1', 511],
  ]);
  // It is still ours.
  assert.ok(fstatSync(fd).isSocket());
});

test('what is not what its key says is refused and closed', async (t) => {
  const { path, given } = server(t);
  const before = openFds();
  const output = await client(
    path,
    `
def give(fd, key):
  line = json.dumps({'v': 1, 'do': 'give', 'key': key, 'address': '', 'pid': 1}).encode() + b'\\n'
  socket.send_fds(s, [line], [] if fd is None else [fd])
  print(key, s.recv(100).decode().strip())
l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(); port = l.getsockname()[1]
b = socket.socket(); b.bind(('127.0.0.1', 0)); bound = b.getsockname()[1]
d = socket.socket(type=socket.SOCK_DGRAM); d.bind(('127.0.0.1', 0)); udp = d.getsockname()[1]
give(l.fileno(), 'tcp:127.0.0.2:%d' % port)
give(l.fileno(), 'tcp:*:%d' % port)
give(l.fileno(), 'tcp:127.0.0.1:%d' % (port ^ 1))
give(l.fileno(), 'udp4:127.0.0.1:%d' % port)
give(l.fileno(), 'unix:/tmp/x')
give(b.fileno(), 'tcp:127.0.0.1:%d' % bound)
give(d.fileno(), 'tcp:127.0.0.1:%d' % udp)
give(0, 'tcp:127.0.0.1:%d' % port)
give(None, 'tcp:127.0.0.1:%d' % port)
l.shutdown(socket.SHUT_RD)
give(l.fileno(), 'tcp:127.0.0.1:%d' % port)
`,
  );
  const answers = output.trim().split('\n');
  assert.equal(answers.length, 10);
  for (const answer of answers) assert.match(answer, /\{"ok":false\}$/);
  assert.deepEqual(given, []);
  await waitFor('all to be closed', () => openFds() === before);
});

test('garbage, many descriptors and half a request end the connection, and nothing stays open', async (t) => {
  const { path } = server(t);
  const before = openFds();
  const ended = `
s.settimeout(20)
try:
  assert s.recv(10) == b''
except ConnectionResetError: pass
except BrokenPipeError: pass
`;
  const sends = [
    `s.send(b'hello\\n')`,
    `s.send(b'{"v":2,"do":"give","key":"tcp:*:1"}\\n')`,
    `s.send(b'{"v":1,"do":"give","key":"nonsense"}\\n')`,
    `s.send(b'null\\n')`,
    `socket.send_fds(s, [b'x'], [0] * 20)`,
    `
try:
  for i in range(100): s.send(b'x' * 1000)
except OSError: pass`,
    `
try:
  for i in range(100): s.send(b'{"v":1,"do":"ask","key":"tcp:*:1"}\\n')
except OSError: pass
while True:
  try:
    if s.recv(1000) == b'': break
  except OSError: break
s.close(); sys.exit(0)`,
    `socket.send_fds(s, [b'{'], [0]); s.shutdown(socket.SHUT_WR)`,
  ];
  await Promise.all(sends.map((code) => client(path, code + ended)));
  await waitFor('all to be closed', () => openFds() === before);
});

test('who says nothing is disconnected after 5 s', async (t) => {
  const { path } = server(t);
  const socket = await connected(path);
  const began = performance.now();
  socket.write('{"v":1,');
  await once(socket, 'close');
  const ms = performance.now() - began;
  assert.ok(ms > 4000 && ms < 9000, `${ms} ms`);
});

test('more than 64 at once wait for their turn', async (t) => {
  const { path } = server(t);
  const sockets = await Promise.all(Array.from({ length: 64 }, () => connected(path)));
  const late = await connected(path);
  late.write('{"v":1,"do":"ask","key":"tcp:*:1"}\n');
  let answer = '';
  late.on('data', (chunk) => {
    answer += chunk;
  });
  await once(sockets[0]!.end(), 'close');
  await waitFor('the answer', () => answer !== '');
  assert.equal(answer, '{"ok":false,"reason":"nothing is held","isFinal":false}\n');
  for (const socket of [...sockets, late]) socket.destroy();
});

test('an asker that goes away meanwhile, and a handler that throws, harm nobody', async (t) => {
  const errors: unknown[] = [];
  const waiting: ((answer: Refusal) => void)[] = [];
  const { path } = server(t, {
    ask: (name) => {
      if (name === 'tcp:*:1') throw new Error('a bug');
      return new Promise((resolve) => waiting.push(resolve));
    },
    failed: (error) => errors.push(error),
  });
  const before = openFds();
  const gone = await connected(path);
  gone.write('{"v":1,"do":"ask","key":"tcp:*:2"}\n');
  await waitFor('the question', () => waiting.length === 1);
  gone.destroy();
  const unlucky = await connected(path);
  unlucky.resume().write('{"v":1,"do":"ask","key":"tcp:*:1"}\n');
  await once(unlucky, 'close');
  assert.match(String(errors), /a bug/);
  waiting[0]!(refusal('too late'));
  await waitFor('all to be closed', () => openFds() === before);
});

test("its file is the user's alone, replaces one that lay there, works at any length, and goes with it", async (t) => {
  const { path, share } = server(t, {}, {}, 'x'.repeat(80));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const again = openShareServer(path, { give: () => false, ask: () => refusal('no') });
  assert.match(await client(path, `s.send(b'{"v":1,"do":"ask","key":"tcp:*:1"}\\n'); print(s.recv(100))`), /"no"/);
  again.close();
  share.close();
  assert.ok(!existsSync(path));
});

test('another user may be its owner', { skip: process.getuid!() !== 0 && 'needs root' }, (t) => {
  const { path } = server(t, {}, { owner: { uid: 65_534, gid: 65_534 } });
  chmodSync(join(path, '..'), 0o711);
  assert.deepEqual([statSync(path).uid, statSync(path).mode & 0o777], [65_534, 0o600]);
});

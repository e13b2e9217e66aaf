import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inEachShell } from '../../test/support/launcher.ts';
import { repository } from '../../test/support/paths.ts';
import { isRunning, openFds, procEntries, sessionOf } from '../../test/support/proc.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { waitFor } from '../../test/support/wait.ts';
import { accept, getsockname } from '../host/socket-calls.ts';
import { openSocket } from './bind.ts';
import { endHolder, type StartedHolder, startHolder, takeBack, watchHolder } from './holder.ts';
import { fenceHolders, findHolders, nextGeneration, recordOf, recordSockets, tellHolder } from './records.ts';

const programs = {
  script: join(repository, 'src/sockets/holder.sh'),
  node: process.execPath,
  share: join(repository, 'src/sockets/share.cjs'),
};

const inherited = Object.values(openFds(process.pid));

/** A directory with two sockets, one of them Unix, and a holder of them. */
async function holderIn(t: TestContext, shell: string, keys?: readonly string[]) {
  const directory = temporaryDirectory(t, 'holder');
  const wanted = keys ?? ['tcp:127.0.0.1:0#1', `unix:${join(directory, 'a b%=.sock')}`];
  const sockets = wanted.map((key) => ({ key, fd: openSocket(key) }));
  t.after(() => {
    for (const { fd } of sockets) closeSync(fd);
  });
  const holder = await startHolder({ directory, shell, sockets, ...programs });
  return { directory, sockets, holder };
}

const inode = (fd: number, pid: number | 'self' = 'self') => openFds(pid === 'self' ? process.pid : pid)[fd];

inEachShell('a holder has the sockets, its record, a pipe, and nothing else', async (t, shell) => {
  const { directory, sockets, holder } = await holderIn(t, shell);
  const { pid } = holder.id;
  const { 0: fifo, 1: pipe, 2: errors, 3: one, 4: other, ...rest } = openFds(pid);
  assert.match(pipe!, /^pipe:/);
  assert.equal(fifo, recordOf(holder));
  assert.equal(errors, '/dev/null');
  assert.deepEqual(
    [one, other],
    sockets.map(({ fd }) => inode(fd)),
  );
  // The script itself; and what this test was started with.
  const known = [programs.script, ...inherited];
  for (const path of Object.values(rest)) assert.ok(known.includes(path), path);
  assert.deepEqual(
    procEntries(pid, 'environ').filter((entry) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(entry)),
    [],
  );
  assert.equal(sessionOf(pid).session, pid);
  assert.deepEqual(findHolders(directory), [{ directory, generation: holder.generation, id: holder.id }]);
});

inEachShell('the sockets are taken out of a holder, and are the same', async (t, shell) => {
  const { sockets, holder } = await holderIn(t, shell);
  for (const mustAsk of [false, true]) {
    const taken = await takeBack(holder, { ...programs, mustAsk });
    assert.deepEqual([...taken.keys()].sort(), sockets.map(({ key }) => key).sort());
    for (const { key, fd } of sockets) assert.equal(inode(taken.get(key)!), inode(fd));
    for (const fd of taken.values()) closeSync(fd);
  }
  assert.ok(isRunning(holder.id.pid));
});

inEachShell('a holder survives every signal but KILL, and its death is seen', async (t, shell) => {
  const { directory, holder } = await holderIn(t, shell);
  const { pid } = holder.id;
  for (const signal of [1, 2, 3, 10, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 34, 50, 64]) process.kill(pid, signal);
  const found = watchHolder(findHolders(directory)[0]!);
  t.after(found.close);
  // It still reads.
  const taken = await takeBack(holder, { ...programs, mustAsk: true });
  assert.equal(taken.size, 2);
  for (const fd of taken.values()) closeSync(fd);
  process.kill(pid, 'SIGKILL');
  await Promise.all([holder.gone, found.gone]);
  assert.deepEqual(findHolders(directory), []);
  assert.deepEqual(
    readdirSync(directory).filter((name) => /^(holder|sockets)\./.test(name)),
    [],
  );
});

inEachShell('told to end it removes its records, and is gone', async (t, shell) => {
  const { directory, holder } = await holderIn(t, shell);
  await endHolder(holder);
  await holder.gone;
  assert.ok(!isRunning(holder.id.pid));
  assert.deepEqual(
    readdirSync(directory).filter((name) => /^(holder|sockets)\./.test(name)),
    [],
  );
});

inEachShell('one whose directory is gone ends when it is woken', async (t, shell) => {
  const { directory, holder } = await holderIn(t, shell);
  rmSync(directory, { recursive: true });
  process.kill(holder.id.pid, 'SIGHUP');
  await holder.gone;
});

inEachShell('one whose directory was made again can still be told to end', async (t, shell) => {
  const { directory, holder } = await holderIn(t, shell);
  rmSync(recordOf(holder));
  assert.equal(tellHolder(holder, 'end'), true);
  await holder.gone;
  assert.ok(!existsSync(join(directory, `sockets.${holder.generation}.json`)));
});

inEachShell('twenty sockets are as good as two', async (t, shell) => {
  const keys = Array.from({ length: 20 }, (_, at) => `tcp:127.0.0.1:0#${at + 1}`);
  const { holder, sockets } = await holderIn(t, shell, keys);
  const taken = await takeBack(holder, programs);
  for (const { key, fd } of sockets) assert.equal(inode(taken.get(key)!), inode(fd));
  for (const fd of taken.values()) closeSync(fd);
});

inEachShell('a connection waits in a socket that only a holder has', async (t, shell) => {
  const directory = temporaryDirectory(t, 'holder');
  const fd = openSocket('tcp:127.0.0.1:0#1', { nonblock: true });
  const address = getsockname(fd)!;
  const holder = await startHolder({ directory, shell, sockets: [{ key: 'tcp:127.0.0.1:0#1', fd }], ...programs });
  closeSync(fd);
  const client = connect('port' in address ? address.port : 0, '127.0.0.1');
  t.after(() => client.destroy());
  await new Promise((resolve) => client.once('connect', resolve));
  const taken = await takeBack(holder, programs);
  const back = taken.get('tcp:127.0.0.1:0#1')!;
  const connection = await waitFor('the connection', () => accept(back));
  closeSync(connection);
  closeSync(back);
});

inEachShell('a holder is as small as a launcher', async (t, shell) => {
  const { holder } = await holderIn(t, shell);
  const kilobytes = Number(
    /^Private_Dirty: +(\d+) kB$/m.exec(readFileSync(`/proc/${holder.id.pid}/smaps_rollup`, 'utf8'))![1],
  );
  t.diagnostic(`private: ${kilobytes} KB`);
  // bash has more of its own.
  assert.ok(kilobytes < (statSync(shell).size > 1_000_000 ? 1000 : 250), `${kilobytes} KB`);
});

test('a generation that was given up before its holder was on record never is', async (t) => {
  const { holder, directory } = await holderIn(t, '/bin/sh');
  const next = nextGeneration(directory);
  assert.ok(next > holder.generation);
  recordSockets(directory, next, []);
  fenceHolders(directory);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('sockets')),
    [`sockets.${holder.generation}.json`],
  );
  // What such a holder does then.
  const words = [programs.script, directory, String(next), programs.node, programs.share];
  const [code] = await once(spawn('/bin/sh', words, { stdio: 'ignore' }), 'exit');
  assert.equal(code, 0);
  assert.deepEqual(
    findHolders(directory).map(({ id }) => id),
    [holder.id],
  );
});

test('a holder that can not be started leaves no record, and says why', async (t) => {
  const directory = temporaryDirectory(t, 'holder');
  const start = (more: object): Promise<StartedHolder> =>
    startHolder({ directory, shell: '/bin/sh', sockets: [], ...programs, ...more });
  await assert.rejects(start({ shell: '/nowhere/sh' }), /a holder can't be started: spawn \/nowhere\/sh ENOENT/);
  await assert.rejects(start({ script: '/nowhere.sh' }), /a holder can't be started: .*\/nowhere\.sh/);
  assert.deepEqual(readdirSync(directory), []);
});

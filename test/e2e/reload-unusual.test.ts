/** Reloads of programs that do what few do, and what else may come between. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { needs, program, python } from '../support/programs.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** What a server at a path answers; rejects where there is none. */
const askAt = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.once('error', reject).once('close', () => resolve(text));
  });

async function startAt(t: TestContext): Promise<{ readonly stead: Stead; readonly path: string }> {
  const stead = new Stead(t);
  const path = join(stead.directory, 'web.sock');
  const options = ['--listen', 'unix:web.sock', '--nonblock', '-i', '2', '--ready', 'log:serving'];
  await stead.ok(['start', '--name', 'web', ...options, '--', python, program('unlinks.py'), path]);
  return { stead, path };
}

const pidsOf = async (stead: Stead) => (await stead.show('web')).instances.map(({ pid }) => pid!);

test(
  'programs that remove the path of their socket as they end, or look for connections now and then, are reloaded',
  needs(python),
  async (t) => {
    const { stead, path } = await startAt(t);
    const before = await pidsOf(stead);
    await stead.ok(['reload', 'web']);
    const after = await pidsOf(stead);
    assert.ok(after.every((pid) => !before.includes(pid)));
    await waitFor('the path', () => existsSync(path));
    assert.match(await askAt(path), /200 OK/);
    await stead.ok(['restart', 'web']);
    await waitFor('the path', () => existsSync(path));
    assert.match(await askAt(path), /200 OK/);
  },
);

test('a path that somebody removes is there again; another file in its place is told', needs(python), async (t) => {
  const { stead, path } = await startAt(t);
  rmSync(path);
  await waitFor('the path', () => existsSync(path));
  assert.match(await askAt(path), /200 OK/);
  const before = await pidsOf(stead);
  // At once: nobody is faster than a rename.
  writeFileSync(`${path}.other`, 'mine');
  const { renameSync } = await import('node:fs');
  renameSync(`${path}.other`, path);
  assert.match((await stead.ok(['why', 'web'])).stdout, /web\.sock is another file now[\s\S]*stead reload web/);
  const refused = await stead.run(['reload', 'web']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /not reloaded[\s\S]*The old version serves on/);
  assert.deepEqual(await pidsOf(stead), before);
  assert.equal(readFileSync(path, 'utf8'), 'mine');
  rmSync(path);
  await stead.ok(['reload', 'web']);
  assert.match(await askAt(path), /200 OK/);
});

test('what shares nothing and says when it is ready is reloaded by its own word', async (t) => {
  const stead = new Stead(t);
  writeFileSync(join(stead.directory, 'work.cjs'), 'console.log("READY"); setInterval(() => {}, 1000)');
  await stead.ok(['start', 'work.cjs', '--name', 'web', '-i', '2', '--ready', 'log:READY']);
  const before = await pidsOf(stead);
  await stead.ok(['reload', 'web']);
  const after = await pidsOf(stead);
  assert.ok(after.length === 2 && after.every((pid) => !before.includes(pid)));
});

test('a stop ends a reload that waits as canary, a restart one that is under way', async (t) => {
  const stead = new Stead(t);
  const port = await freePort();
  const script = join(stead.directory, 'web.cjs');
  const serve = `require('http').createServer((q, r) => r.end('x')).listen(${port}, '127.0.0.1')`;
  writeFileSync(script, serve);
  await stead.ok(['start', script, '-i', '2']);
  await stead.ok(['reload', 'web', '--canary', '1']);
  await stead.ok(['stop', 'web']);
  await stead.until('web', 'no reload', ({ reload, instances }) => !reload && instances.length === 2);
  await stead.ok(['start', 'web']);
  await stead.ok(['reload', 'web']);
  writeFileSync(script, `setTimeout(() => { ${serve} }, 3000)`);
  await stead.ok(['reload', 'web', '--no-wait']);
  await stead.until('web', 'a candidate', ({ instances }) => instances.some(({ role }) => role === 'candidate'));
  await stead.ok(['restart', 'web', '--no-wait']);
  const { instances } = await stead.until('web', 'two', ({ reload, instances }) => !reload && instances.length === 2);
  for (const { pid } of instances) if (pid !== null) assert.ok(isRunning(pid));
});

/** Where inotify is at its end, or of no use. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { repository } from '../../test/support/paths.ts';
import type { Cleanup } from '../../test/support/temporary.ts';
import { waitFor } from '../../test/support/wait.ts';
import { type Project, project } from '../../test/support/watching.ts';
import { fileSystemOf } from './file-system.ts';

const program = join(import.meta.dirname, `watch-program.${process.pid}.mjs`);
before(async () => {
  const entry = join(repository, 'test/support/watch-program.ts');
  await build({
    ...{ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
});
after(() => rmSync(program, { force: true }));

interface Line {
  readonly change?: { readonly paths: readonly string[]; readonly count: number };
  readonly note?: string;
  readonly ready?: { readonly directories: number; readonly isPolling: boolean };
  readonly closed?: boolean;
}

/** A user namespace has limits of its own, below those of the machine. */
const inNamespace = (limit: string, value: number): readonly string[] => [
  ...['unshare', '-Ur', 'sh', '-c', `echo ${value} > /proc/sys/user/${limit} && exec "$@"`, 'sh'],
];
const canLimit = spawnSync('unshare', ['-Ur', 'sh', '-c', 'echo 10 > /proc/sys/user/max_inotify_watches']).status === 0;
const skip = canLimit ? false : 'no user namespaces here';

async function watchAlone(cleanup: Cleanup, { root }: Project, wrapper: readonly string[]) {
  const options = JSON.stringify({ roots: [], rules: { cwd: root }, quietMs: 50 });
  const [command, ...words] = [...wrapper, process.execPath, program, options];
  const child = spawn(command!, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanup.after(() => void child.kill('SIGKILL'));
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  const ready = await waitFor('the watch', () => lines.find(({ ready }) => ready)?.ready);
  const change = (path: string) =>
    waitFor(`a change of ${path}`, () => lines.some((line) => line.change?.paths.includes(path)));
  const notes = () => lines.flatMap(({ note }) => note ?? []);
  const end = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { ready, change, notes, lines, end };
}

test('with too few watches it goes on by polling, and says once what to do', { skip }, async (t) => {
  const files = Array.from({ length: 20 }, (_, n) => `d${n}/a.js`);
  const one = await project(t, files);
  const { ready, change, notes, end } = await watchAlone(t, one, inNamespace('max_inotify_watches', 10));
  assert.deepEqual(ready, { directories: 21, isPolling: true });
  for (const file of [files[0]!, files[19]!]) {
    one.write(file);
    await change(file);
  }
  one.write('n/e/w.js');
  await change('n/e/w.js');
  assert.equal(notes().length, 1);
  assert.match(notes()[0]!, /user\.max_inotify_watches is 10\).*sudo sysctl user\.max_inotify_watches=524288$/);
  await end();
});

test('without any inotify instance it polls, too', { skip }, async (t) => {
  const one = await project(t, ['a.js', 'b/c.js']);
  const { ready, change, notes, end } = await watchAlone(t, one, inNamespace('max_inotify_instances', 0));
  assert.deepEqual(ready, { directories: 2, isPolling: true });
  one.write('b/c.js');
  await change('b/c.js');
  assert.match(notes().join(), /^no directory can be watched \(user\.max_inotify_instances is 0\)/);
  await end();
});

test('watches that end while it runs are made up for', { skip }, async (t) => {
  const one = await project(t, ['a.js']);
  const { ready, change, notes, end } = await watchAlone(t, one, inNamespace('max_inotify_watches', 2));
  assert.deepEqual(ready, { directories: 1, isPolling: false });
  mkdirSync(one.at('x/y/z'), { recursive: true });
  await waitFor('the note', () => notes().length === 1);
  one.write('x/y/z/b.js');
  await change('x/y/z/b.js');
  one.write('x/y/z/b.js', 'again');
  await change('x/y/z/b.js');
  one.write('a.js');
  await change('a.js');
  await end();
});

test('when the queue of events has run over, what it lost is found', async (t) => {
  const one = await project(t, ['many/x.js', 'other/a.js', 'last/b.js'], { isLarge: true });
  const { changes, next, watch } = await one.watch({ quietMs: 200, mostMs: 20_000 });
  // Each file is two events, of which the kernel keeps 16,384; nobody reads them until this ends.
  execFileSync('sh', ['-c', 'seq 1 8500 | split -l 1 -a 5 --additional-suffix=.js - many/f'], { cwd: one.root });
  one.write('other/a.js', 'changed');
  one.write('new/deep/c.js');
  const { count } = await next();
  assert.equal(count, 8502);
  assert.equal(watch.directories, 6);
  one.write('last/b.js', 'changed');
  assert.deepEqual((await next()).paths, ['last/b.js']);
  one.write('new/deep/c.js', 'changed');
  assert.deepEqual((await next()).paths, ['new/deep/c.js']);
  assert.equal(changes.length, 3);
});

test('a checkout of many files is one change set, and a save afterwards is seen', async (t) => {
  const one = await project(t, [], { isLarge: true });
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...words], { cwd: one.root });
  git('init', '-q');
  for (let n = 0; n < 500; n++) one.write(`d${n % 20}/f${n}.js`, `first ${n}\n`);
  git('add', '-A');
  git('commit', '-qm', 'first');
  for (let n = 0; n < 500; n++) one.write(`d${n % 20}/f${n}.js`, `second ${n}\n`);
  rmSync(one.at('d0'), { recursive: true });
  one.write('e/f/g.js');
  git('add', '-A');
  git('commit', '-qm', 'second');
  const { changes, next, settled, watch } = await one.watch({ quietMs: 100 });
  const checkout = async (branch: string) => {
    const [code] = await once(spawn('git', ['checkout', '-q', branch], { cwd: one.root }), 'exit');
    assert.equal(code, 0);
  };
  await checkout('HEAD~1');
  assert.equal((await next()).count, 501);
  one.write('d1/f1.js', 'mine');
  assert.deepEqual((await next()).paths, ['d1/f1.js']);
  one.write('d1/f1.js', 'first 1\n');
  await next();
  await watch.known;
  // There and back in one burst.
  for (let n = 0; n < 25; n++) one.write(`d1/f${n * 20 + 1}.js`, 'x');
  execFileSync('git', ['checkout', '-qf', 'HEAD'], { cwd: one.root });
  assert.deepEqual(await settled(), []);
  assert.equal(changes.length, 4);
});

test('what another machine serves is polled, and that is said', async (t) => {
  const one = await project(t, ['a.js', 'b/c.js']);
  const { next, notes, watch, settled } = await one.watch({
    fileSystemOf: (path) => (path === one.root ? { kind: 'polled', name: 'NFS' } : fileSystemOf(path)),
  });
  assert.equal(watch.isPolling, true);
  assert.match(notes.join(), /^\/.* is on NFS, which does not tell of changes/);
  one.write('b/c.js');
  assert.deepEqual((await next()).paths, ['b/c.js']);
  writeFileSync(one.at('b/d.js'), '');
  mkdirSync(one.at('x/y'), { recursive: true });
  writeFileSync(one.at('x/y/z.js'), '');
  assert.deepEqual([...(await next()).paths].sort(), ['b/d.js', 'x/y/z.js']);
  assert.deepEqual(await settled(), []);
});

test('kernel file systems are not entered', () => {
  assert.equal(fileSystemOf('/proc').kind, 'pseudo');
  assert.equal(fileSystemOf('/sys').kind, 'pseudo');
  assert.equal(fileSystemOf('/').kind, 'told');
});

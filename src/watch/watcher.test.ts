import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { project } from '../../test/support/watching.ts';

test('a save is told once, with its path from the directory of the app', async (t) => {
  const { watch, write } = await project(t, ['src/a.js', 'src/b.css']);
  const { next, settled } = await watch();
  const before = Date.now();
  write('src/a.js');
  const change = await next();
  assert.deepEqual({ ...change, at: 0 }, { paths: ['src/a.js'], count: 1, at: 0 });
  assert.ok(change.at >= before - 1 && change.at <= Date.now());
  write('src/b.css');
  assert.deepEqual(await settled(), []);
});

test('files that appear and that vanish are changes; one that came and went is none', async (t) => {
  const { watch, write, at } = await project(t, ['a.js']);
  const { next, settled } = await watch();
  write('b.js');
  assert.deepEqual((await next()).paths, ['b.js']);
  unlinkSync(at('a.js'));
  assert.deepEqual((await next()).paths, ['a.js']);
  write('c.js');
  unlinkSync(at('c.js'));
  assert.deepEqual(await settled(), []);
});

test('a file in directories that are made just before is seen', async (t) => {
  const { watch, root } = await project(t, ['x.js']);
  const { next, settled } = await watch();
  for (let round = 0; round < 5; round++) {
    execFileSync('sh', ['-c', `mkdir -p n${round}/a/b/c && touch n${round}/a/b/c/x.js`], { cwd: root });
    assert.deepEqual((await next()).paths, [`n${round}/a/b/c/x.js`]);
  }
  mkdirSync(join(root, 'empty/one'), { recursive: true });
  assert.deepEqual(await settled(), []);
  writeFileSync(join(root, 'empty/one/y.js'), '');
  assert.deepEqual((await next()).paths, ['empty/one/y.js']);
});

test('a renamed directory is watched under its new name', async (t) => {
  const { watch, write, at } = await project(t, ['old/deep/a.js', 'b.js']);
  const { next } = await watch();
  renameSync(at('old'), at('new'));
  const { paths, count } = await next();
  assert.deepEqual([[...paths].sort(), count], [['new/deep/a.js', 'old/deep/a.js'], 2]);
  write('new/deep/a.js');
  assert.deepEqual((await next()).paths, ['new/deep/a.js']);
  mkdirSync(at('old/deep'), { recursive: true });
  write('old/deep/c.js');
  assert.deepEqual((await next()).paths, ['old/deep/c.js']);
});

test('two directories that change places are both seen', async (t) => {
  const { watch, write, at } = await project(t, ['one/a.js', 'two/a.js']);
  const { next } = await watch();
  renameSync(at('one'), at('three'));
  renameSync(at('two'), at('one'));
  renameSync(at('three'), at('two'));
  assert.deepEqual([...(await next()).paths].sort(), ['one/a.js', 'two/a.js']);
  write('one/a.js');
  assert.deepEqual((await next()).paths, ['one/a.js']);
  write('two/a.js');
  assert.deepEqual((await next()).paths, ['two/a.js']);
});

test('a directory that is removed and made again with the same in it is no change; with something else it is', async (t) => {
  const many = Array.from({ length: 150 }, (_, n) => `src/dist/many${n}.js`);
  const { watch, write, at } = await project(t, [...many, 'src/dist/a.js', 'src/dist/b.js']);
  const { next, settled } = await watch();
  const a = readFileSync(at('src/dist/a.js'), 'utf8');
  const b = readFileSync(at('src/dist/b.js'), 'utf8');
  const texts = many.map((path) => readFileSync(at(path), 'utf8'));
  const rebuild = (last: string) => {
    rmSync(at('src/dist'), { recursive: true });
    for (const [n, path] of many.entries()) write(path, texts[n]!);
    write('src/dist/a.js', a);
    write('src/dist/b.js', last);
  };
  rebuild(b);
  assert.deepEqual(await settled(), []);
  rebuild('else');
  assert.deepEqual((await next()).paths, ['src/dist/b.js']);
});

test('saves by rename are seen each time, of a file in a tree and of one that is watched alone', async (t) => {
  for (const roots of [[], ['app.js']]) {
    const { watch, at } = await project(t, ['app.js', 'other.js']);
    const { next } = await watch({ roots });
    for (let round = 0; round < 5; round++) {
      writeFileSync(at('app.js.tmp'), `version ${round}\n`);
      renameSync(at('app.js.tmp'), at('app.js'));
      assert.deepEqual((await next()).paths, ['app.js']);
    }
    execFileSync('sed', ['-i', 's/version/v/', at('app.js')]);
    assert.deepEqual((await next()).paths, ['app.js']);
  }
});

test('the same bytes saved again are no change, in whatever way', async (t) => {
  const { watch, write, at } = await project(t, ['a.js']);
  const { next, settled } = await watch();
  const text = readFileSync(at('a.js'), 'utf8');
  write('a.js', text);
  assert.deepEqual(await settled(), []);
  writeFileSync(at('b.tmp'), text);
  renameSync(at('b.tmp'), at('a.js'));
  assert.deepEqual(await settled(), []);
  write('a.js', 'something else');
  write('a.js', text);
  assert.deepEqual(await settled(), []);
  chmodSync(at('a.js'), 0o600);
  assert.deepEqual(await settled(), []);
  write('a.js', 'something else');
  assert.deepEqual((await next()).paths, ['a.js']);
});

test('a touch is a change: who does that wants one', async (t) => {
  const { watch, at } = await project(t, ['a.js']);
  const { next } = await watch();
  execFileSync('touch', [at('a.js')]);
  assert.deepEqual((await next()).paths, ['a.js']);
  const now = new Date(Date.now() + 1000);
  utimesSync(at('a.js'), now, now);
  assert.deepEqual((await next()).paths, ['a.js']);
});

test('a file over 1 MB has changed when it was written', async (t) => {
  const { watch, write } = await project(t, ['a.js']);
  const big = 'x'.repeat(2 ** 20 + 1);
  write('big.js', big);
  const { next } = await watch();
  write('big.js', big);
  assert.deepEqual((await next()).paths, ['big.js']);
});

test('a burst is one change set: the first paths and how many', async (t) => {
  const { watch, write } = await project(t, ['a.js']);
  const { changes, next, settled } = await watch({ quietMs: 200, mostMs: 20_000 });
  for (let n = 0; n < 500; n++) write(`d${n % 25}/f${n}.js`);
  const { paths, count } = await next();
  assert.equal(count, 500);
  assert.equal(paths.length, 20);
  assert.deepEqual(await settled(), []);
  assert.equal(changes.filter(({ count }) => count > 1).length, 1);
});

test('what is ignored costs no watch, and no change when it appears later', async (t) => {
  const files = Array.from({ length: 50 }, (_, n) => `node_modules/p${n}/index.js`);
  const { watch, write, at } = await project(t, [...files, 'src/a.js']);
  const { watch: watcher, settled, next } = await watch();
  assert.equal(watcher.directories, 2);
  write('node_modules/p1/index.js');
  write('src/node_modules/x/y.js');
  write('coverage/lcov/a.js');
  cpSync(at('node_modules'), at('other/node_modules'), { recursive: true });
  assert.deepEqual(await settled(), []);
  assert.equal(watcher.directories, 3);
  write('other/a.js');
  assert.deepEqual((await next()).paths, ['other/a.js']);
});

test('a symlink to a directory is followed once, and never in a circle or above', async (t) => {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), 'stead-linked-')));
  t.after(() => rmSync(outside, { recursive: true }));
  mkdirSync(join(outside, 'deep'));
  writeFileSync(join(outside, 'deep/x.js'), '');
  const { watch, write, at, root } = await project(t, ['src/a.js']);
  symlinkSync(outside, at('linked'));
  symlinkSync('../src', at('src/circle'));
  symlinkSync('src', at('again'));
  symlinkSync('..', at('above'));
  symlinkSync('/', at('all'));
  const { watch: watcher, next } = await watch();
  assert.equal(watcher.directories, 4);
  writeFileSync(join(outside, 'deep/x.js'), 'changed');
  assert.deepEqual((await next()).paths, ['linked/deep/x.js']);
  write('src/a.js');
  assert.deepEqual((await next()).paths, ['src/a.js']);
  rmSync(at('linked'));
  assert.deepEqual((await next()).paths, ['linked/deep/x.js']);
  symlinkSync(root, at('src/up'));
  symlinkSync(outside, at('late'));
  assert.deepEqual((await next()).paths, ['late/deep/x.js']);
  assert.equal(watcher.directories, 4);
});

test('a symlink to a file is seen when the file changes, and when the link does', async (t) => {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), 'stead-linked-')));
  t.after(() => rmSync(outside, { recursive: true }));
  for (const name of ['one', 'two']) writeFileSync(join(outside, name), name);
  const { watch, at } = await project(t, ['a.js']);
  symlinkSync(join(outside, 'one'), at('link.js'));
  const { next } = await watch();
  writeFileSync(join(outside, 'one'), 'changed');
  assert.deepEqual((await next()).paths, ['link.js']);
  symlinkSync(join(outside, 'two'), at('new'));
  renameSync(at('new'), at('link.js'));
  assert.deepEqual((await next()).paths, ['link.js']);
  writeFileSync(join(outside, 'two'), 'changed as well');
  assert.deepEqual((await next()).paths, ['link.js']);
});

test('a Kubernetes volume is seen when its link is changed', async (t) => {
  const { watch, write, at } = await project(t, ['v/..1/app.json', 'v/..2/app.json', 'a.js']);
  symlinkSync('..1', at('v/..data'));
  symlinkSync('..data/app.json', at('v/app.json'));
  const { next } = await watch();
  symlinkSync('..2', at('v/..tmp'));
  renameSync(at('v/..tmp'), at('v/..data'));
  assert.deepEqual((await next()).paths, ['v/app.json']);
  write('v/..3/app.json');
});

test('a root that is not there yet is awaited, one that is removed and made again is taken up', async (t) => {
  const { watch, write, at } = await project(t, ['a.js']);
  const { next, watch: watcher } = await watch({ roots: ['src/lib', 'conf/app.conf'] });
  assert.equal(watcher.files, 0);
  write('src/lib/a.js');
  assert.deepEqual((await next()).paths, ['src/lib/a.js']);
  write('conf/app.conf');
  assert.deepEqual((await next()).paths, ['conf/app.conf']);
  rmSync(at('src'), { recursive: true });
  assert.deepEqual((await next()).paths, ['src/lib/a.js']);
  rmSync(at('conf'), { recursive: true });
  assert.deepEqual((await next()).paths, ['conf/app.conf']);
  write('src/lib/b.js');
  assert.deepEqual((await next()).paths, ['src/lib/b.js']);
  write('conf/app.conf');
  assert.deepEqual((await next()).paths, ['conf/app.conf']);
  write('src/lib/b.js');
  assert.deepEqual((await next()).paths, ['src/lib/b.js']);
});

test('a root that is a symlink is seen when it is led elsewhere', async (t) => {
  const { watch, write, at } = await project(t, ['r1/a.js', 'r2/a.js']);
  symlinkSync('r1', at('current'));
  const { next } = await watch({ roots: ['current'] });
  symlinkSync('r2', at('new'));
  renameSync(at('new'), at('current'));
  assert.deepEqual((await next()).paths, ['current/a.js']);
  write('r2/a.js');
  assert.deepEqual((await next()).paths, ['current/a.js']);
});

test('files that are always watched are, wherever they lie', async (t) => {
  const { watch, write } = await project(t, ['a.js', '.env', 'node_modules/x/cli.js']);
  const { next, settled } = await watch({}, { always: ['.env', 'node_modules/x/cli.js', '.env.local'] });
  for (const path of ['.env', 'node_modules/x/cli.js', '.env.local']) {
    write(path);
    assert.deepEqual((await next()).paths, [path]);
  }
  write('node_modules/x/other.js');
  assert.deepEqual(await settled(), []);
});

test('a .gitignore file that changes holds from then on', async (t) => {
  const { watch, write } = await project(t, ['a.js', 'out/x.js', 'gen/y.js']);
  write('.gitignore', 'out\n');
  const { next, settled } = await watch();
  write('out/x.js');
  assert.deepEqual(await settled(), []);
  write('.gitignore', 'gen\n');
  assert.deepEqual(await settled(), []);
  write('gen/y.js');
  assert.deepEqual(await settled(), []);
  write('out/x.js');
  assert.deepEqual((await next()).paths, ['out/x.js']);
  write('a.js');
  assert.deepEqual((await next()).paths, ['a.js']);
});

test('the .gitignore files above a root hold, up to the repository', async (t) => {
  const { watch, write } = await project(t, ['app/src/a.js', 'app/src/x.gen.js', 'app/src/y.tmp.js']);
  write('.gitignore', '*.gen.js\n');
  write('.git/info/exclude', '*.tmp.js\n');
  const { next, settled } = await watch({ roots: ['app/src'] });
  write('app/src/x.gen.js');
  write('app/src/y.tmp.js');
  assert.deepEqual(await settled(), []);
  write('app/src/a.js');
  assert.deepEqual((await next()).paths, ['app/src/a.js']);
});

test('a .foreverignore is read', async (t) => {
  const { watch, write } = await project(t, ['a.txt', 'b.log']);
  write('.foreverignore', '*.log\n');
  const { next, settled } = await watch({}, { ext: null });
  write('b.log');
  assert.deepEqual(await settled(), []);
  write('a.txt');
  assert.deepEqual((await next()).paths, ['a.txt']);
});

test('while git is at work, nothing is told', async (t) => {
  const { watch, write, at } = await project(t, ['a.js']);
  write('.git/index.lock');
  const { next, changes } = await watch({ quietMs: 20, mostMs: 50 });
  write('a.js');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(changes.length, 0);
  unlinkSync(at('.git/index.lock'));
  assert.deepEqual((await next()).paths, ['a.js']);
});

test('polled, a change is seen without inotify', async (t) => {
  const { watch, write, at } = await project(t, ['a.js', 'x/b.js']);
  const { next, watch: watcher } = await watch({ pollMs: 50, roots: ['.', 'late'] });
  assert.equal(watcher.isPolling, true);
  write('x/b.js');
  assert.deepEqual((await next()).paths, ['x/b.js']);
  write('n/e/w.js');
  assert.deepEqual((await next()).paths, ['n/e/w.js']);
  rmSync(at('x'), { recursive: true });
  assert.deepEqual((await next()).paths, ['x/b.js']);
  writeFileSync(at('tmp'), 'by rename');
  renameSync(at('tmp'), at('a.js'));
  assert.deepEqual((await next()).paths, ['a.js']);
  const text = readFileSync(at('a.js'));
  writeFileSync(at('a.js'), text);
  write('late/c.js');
  assert.deepEqual((await next()).paths, ['late/c.js']);
});

test('closed, it holds nothing and tells nothing', async (t) => {
  const { watch, write } = await project(t, ['a.js', 'b/c.js']);
  const held = () => readFileSync('/proc/self/fdinfo/'.concat(inotifyFd()), 'utf8').match(/^inotify/gm)?.length ?? 0;
  const first = await watch();
  const before = held();
  const { watch: watcher, changes } = await watch({ quietMs: 0 });
  write('a.js');
  watcher.close();
  watcher.close();
  first.watch.close();
  assert.equal(held(), before - 2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(changes.length, 0);
});

function inotifyFd(): string {
  const found = execFileSync('sh', ['-c', `ls -l /proc/${process.pid}/fd | grep inotify`], { encoding: 'utf8' });
  return /(\d+) -> anon_inode:inotify/.exec(found)![1]!;
}

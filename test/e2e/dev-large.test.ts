/** `stead dev` and `start --watch` in large trees, and where inotify is at its end. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Dev, type Files, filesIn, quietTime } from '../support/dev.ts';
import { steadBin } from '../support/paths.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const stead = new Stead({ after });
const script = "console.log('up', require('node:fs').readFileSync('d0/f0.js', 'utf8')); setInterval(() => {}, 1e3);";

/** Twenty to a directory. */
const pathOf = (file: number): string => `d${Math.floor(file / 20)}/f${file}.js`;

const git = (files: Files, words: readonly string[], input = '') =>
  execFileSync('git', ['-c', 'gc.auto=0', ...words], {
    ...{ cwd: files.directory, input, stdio: ['pipe', 'ignore', 'inherit'] },
    env: { PATH: process.env.PATH, HOME: stead.directory },
  });

/** Two branches, which differ in every file; the second one is checked out. */
function repository(files: Files, count: number): void {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const commit = (branch: string) => [
    `commit refs/heads/${branch}\ncommitter t <t@localhost> 0 +0000\n${data(branch)}`,
    ...Array.from({ length: count }, (_, at) => `M 644 inline ${pathOf(at)}\n${data(`${branch} ${at}`)}`),
    `M 644 inline main.js\n${data(script)}`,
  ];
  git(files, ['init', '-q', '-b', 'none']);
  git(files, ['fast-import', '--quiet'], [...commit('one'), ...commit('two')].join(''));
  git(files, ['checkout', '-q', '-f', 'two']);
}

/** Inotify watches of a process. */
function watchesOf(pid: number): number {
  const fds = readdirSync(`/proc/${pid}/fdinfo`);
  const lines = fds.flatMap((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').split('\n'));
  return lines.filter((line) => line.startsWith('inotify ')).length;
}

describe('in a large tree', () => {
  for (const count of [500, 20_000]) {
    const skip =
      count > 500 && !process.env.STEAD_TEST_LARGE ? 'STEAD_TEST_LARGE=1 npm test -- dev-large checks it out' : false;
    test(`a checkout of ${count} files is one restart, and a save afterwards is seen`, { skip }, async () => {
      const files = filesIn(stead, { 'main.js': script });
      repository(files, count);
      const dev = new Dev(stead, files, ['main.js']);
      await dev.says(/up two 0/);
      git(files, ['checkout', '-q', 'one']);
      await dev.says(/up one 0/, 30_000);
      await quietTime();
      assert.match(dev.said, new RegExp(`restarting: .* changed \\(\\+${count - 1} more\\)`));
      assert.equal(dev.count(/restarting/), 1, dev.said);
      files.save(`d${count / 20 - 1}/f${count - 1}.js`, 'saved');
      await dev.says(/restarting: d\d+\/f\d+\.js changed\n/);
      await dev.end();
    });
  }

  test('ten thousand directories of packages cost no watch', async () => {
    const files = filesIn(stead, { 'main.js': "console.log('up')", 'src/a.js': '' });
    for (let at = 0; at < 10_000; at++) mkdirSync(files.at(`node_modules/p${at % 100}/d${at}`), { recursive: true });
    const dev = new Dev(stead, files, ['main.js']);
    await dev.says(/clean exit/);
    assert.ok(watchesOf(dev.child.pid!) < 100, `${watchesOf(dev.child.pid!)}`);
    await dev.end();
  });

  test('two places that are watched: a change in either restarts, what is ignored does not', async () => {
    const files = filesIn(stead, {
      'main.js': "console.log('up'); setInterval(() => {}, 1e3);",
      ...{ 'one/a.js': '', 'two/deep/b.js': '', 'other/c.js': '', 'two/skip/d.js': '', 'one/e.log.js': '' },
    });
    const dev = new Dev(stead, files, ['-w', 'one', '-w', 'two', '-i', 'two/skip', '-i', '*.log.js', 'main.js']);
    await dev.says(/up/);
    for (const path of ['other/c.js', 'two/skip/d.js', 'one/e.log.js']) files.write(path, '1');
    await quietTime();
    assert.equal(dev.count(/restarting/), 0, dev.said);
    files.write('one/a.js', '1');
    await dev.says(/restarting: one\/a\.js changed\n/);
    await dev.saysTimes(/up/, 2);
    files.write('two/deep/b.js', '1');
    await dev.says(/restarting: two\/deep\/b\.js changed\n/);
    await dev.end();
  });
});

const limited = 'echo 10 > /proc/sys/user/max_inotify_watches';
const canLimit = spawnSync('unshare', ['-Ur', 'sh', '-c', limited]).status === 0;

test('with too few inotify watches it polls, and says once how to mend it', {
  skip: canLimit ? false : 'no user namespaces here',
}, async (t) => {
  const files = filesIn(stead, { 'main.js': "console.log('up'); setInterval(() => {}, 1e3);" });
  for (let file = 0; file < 400; file++) files.write(pathOf(file), 'x');
  const child = spawn(
    'unshare',
    ['-Ur', 'sh', '-c', `${limited} && exec "$@" 2>&1`, 'sh', process.execPath, steadBin, 'dev', 'main.js'],
    { cwd: files.directory, env: stead.env, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => child.kill('SIGTERM'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await waitFor('its start', () => said.includes('up\n'));
  files.write('d19/f399.js', 'changed');
  await waitFor('the restart', () => /restarting: d19\/f399\.js changed/.test(said));
  assert.equal(said.match(/sudo sysctl user\.max_inotify_watches=524288/g)?.length, 1, said);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
});

test('a checkout of 500 files restarts an app in the background once', async (t) => {
  const own = new Stead(t);
  const files = filesIn(own, { 'main.js': script });
  repository(files, 500);
  await own.ok(['start', 'main.js', '--watch', '--name', 'web'], { cwd: files.directory });
  const log = async () => readFileSync((await own.show('web')).logs.out, 'utf8');
  await waitFor('its first words', async () => (await log()).includes('up two 0'));
  git(files, ['checkout', '-q', 'one']);
  await waitFor('the restart', async () => (await log()).includes('up one 0'));
  await quietTime();
  const { exits } = await own.show('web');
  assert.deepEqual(
    exits.map(({ cause }) => cause?.replace(/: .* \(/, ': … (')),
    ['a change: … (+499 more)'],
  );
  writeFileSync(join(files.directory, 'd3/f70.js'), 'saved');
  await waitFor('another', async () => (await own.show('web')).exits.at(-1)?.cause === 'a change: d3/f70.js');
});

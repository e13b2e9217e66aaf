/** A project's whole set of programs: apply --prune, names of two projects, up and down. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ApplyResponse } from '../../src/protocol/api.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning } from '../support/proc.ts';
import { collect, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const twenty = (change: Readonly<Record<string, object>> = {}, without = '') =>
  JSON.stringify({
    apps: Array.from({ length: 20 }, (_, at) => `a${at}`)
      .filter((name) => name !== without)
      .map((name) => ({ name, command: ['sleep', '1000'], env: { N: '1' }, ...change[name] })),
  });

const pidsOf = async (stead: Stead) =>
  new Map((await stead.list()).map(({ name, instances }) => [name, instances[0]!.pid]));

test('one change of twenty restarts one; --prune removes one; one that is wrong refuses all', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.directory, 'stead.config.json');
  writeFileSync(file, twenty());
  await stead.ok(['apply']);
  const before = await pidsOf(stead);
  const changedOf = async () => {
    const now = await pidsOf(stead);
    return [...before].filter(([name, pid]) => now.get(name) !== pid).map(([name]) => name);
  };

  writeFileSync(file, twenty({ a7: { env: { N: '2', M: 'x' } } }));
  const { stdout } = await stead.ok(['apply', '--dry-run']);
  assert.match(stdout, /^a7: changed\n {4}env: N, M changed$/m);
  assert.deepEqual(await changedOf(), []);
  await stead.ok(['apply']);
  assert.deepEqual(await changedOf(), ['a7']);

  writeFileSync(file, twenty({ a7: { env: { N: '2', M: 'x' } }, a3: { command: ['no-such-program'] } }, 'a9'));
  const refused = await stead.run(['apply', '--prune']);
  assert.equal(refused.code, 5);
  assert.deepEqual(await changedOf(), ['a7']);

  writeFileSync(file, twenty({ a7: { env: { N: '2', M: 'x' } } }, 'a9'));
  assert.match((await stead.ok(['apply'])).stderr, /a9 is no longer in this file, and goes on as it is/);
  assert.equal((await stead.ok(['apply', '--only', 'a1,a2'])).stderr, '');
  const pruned = await stead.json<ApplyResponse>(['apply', '--prune']);
  assert.deepEqual(
    pruned.apps.filter(({ change }) => change !== 'same').map(({ name, change }) => [name, change]),
    [['a9', 'removed']],
  );
  assert.deepEqual((await changedOf()).sort(), ['a7', 'a9']);
  assert.ok(!isRunning(before.get('a9')!));
  await stead.ok(['down']);
  assert.deepEqual(await stead.list(), []);
});

test('two projects with the same names live side by side, and what depends on what stays within each', async (t) => {
  const stead = new Stead(t);
  const config = (more = {}) =>
    JSON.stringify({
      ...more,
      apps: {
        db: { command: ['sleep', '1000'] },
        web: { command: ['sleep', '1000'], depends_on: ['db:started'] },
      },
    });
  for (const name of ['shop', 'blog', 'third']) mkdirSync(join(stead.directory, name));
  writeFileSync(join(stead.directory, 'shop/stead.config.json'), config());
  writeFileSync(join(stead.directory, 'blog/stead.config.json'), config());
  writeFileSync(join(stead.directory, 'third/stead.config.json'), config({ project: 'x' }));
  const inProject = (name: string, words: readonly string[]) => stead.ok(words, { cwd: join(stead.directory, name) });
  await inProject('shop', ['apply']);
  await inProject('blog', ['apply']);
  await inProject('third', ['apply']);
  const names = async () => (await stead.list()).map(({ name }) => name);
  assert.deepEqual(await names(), ['db', 'web', 'blog/db', 'blog/web', 'x/db', 'x/web']);
  assert.deepEqual(Object.keys((await stead.show('blog/web')).spec.dependsOn), ['blog/db']);
  // Twice is as once.
  const before = await pidsOf(stead);
  await inProject('blog', ['apply']);
  assert.deepEqual(await pidsOf(stead), before);
  await stead.ok(['restart', 'blog/web']);
  await inProject('shop', ['down']);
  assert.deepEqual(await names(), ['blog/db', 'blog/web', 'x/db', 'x/web']);
  // Once scoped, always.
  await inProject('blog', ['apply']);
  assert.deepEqual(await names(), ['blog/db', 'blog/web', 'x/db', 'x/web']);
});

test('up shows what they print from now on, and Ctrl-C ends all of them, those first that others need not', async (t) => {
  const stead = new Stead(t);
  const sh = (text: string) => ['sh', '-c', `${text}; while :; do sleep 0.05; done`];
  const end = (name: string) => `trap 'sleep 0.5; echo ${name} ends; exit 0' TERM; echo ${name} begins`;
  writeFileSync(
    join(stead.directory, 'stead.config.json'),
    JSON.stringify({ apps: { web: { command: sh(end('web')), depends_on: ['db'] }, db: { command: sh(end('db')) } } }),
  );
  // What an earlier run printed is not shown again.
  await stead.ok(['apply']);
  await stead.ok(['down']);
  const child = spawn(process.execPath, [steadBin, 'up'], { env: stead.env, cwd: stead.directory, stdio: 'pipe' });
  const done = collect(child, 'up', 30_000);
  let seen = '';
  child.stdout.on('data', (text: string) => {
    seen += text;
  });
  await waitFor('both to begin', () => seen.includes('web begins') && seen.includes('db begins'));
  child.kill('SIGINT');
  const { code, stdout } = await done;
  assert.equal(code, 0);
  assert.deepEqual(stdout.match(/^(?:web|db) \| \w+ (?:begins|ends)$/gm), [
    'db | db begins',
    'web | web begins',
    'web | web ends',
    'db | db ends',
  ]);
  assert.ok((await stead.list()).every(({ state }) => state === 'stopped'));
});

test('up ends with the exit code of what failed, when nothing runs any more; also when its daemon was killed meanwhile', async (t) => {
  const stead = new Stead(t);
  const app = (text: string) => ({ command: ['sh', '-c', text], restart: 'no' });
  writeFileSync(
    join(stead.directory, 'stead.config.json'),
    JSON.stringify({ apps: { good: app('sleep 0.3'), bad: app('sleep 2; echo last words; exit 7') } }),
  );
  const running = stead.run(['up']);
  await stead.until('bad', 'its start', ({ state }) => state === 'running');
  process.kill((await stead.daemon()).pid!, 'SIGKILL');
  const { code, stdout } = await running;
  assert.equal(code, 7);
  assert.match(stdout, /^bad \| last words$/m);
});

test('a signal ends up while apps wait for each other, a second one kills; so does a reader that goes away', async (t) => {
  const stead = new Stead(t);
  const slow = ['sh', '-c', "trap '' TERM; while :; do echo it goes on; sleep 0.05; done"];
  writeFileSync(
    join(stead.directory, 'stead.config.json'),
    JSON.stringify({
      apps: {
        slow: { command: slow, stop_timeout: '60s' },
        never: { command: ['sleep', '1000'], ready: 'exec:false', ready_timeout: '60s' },
        later: { command: ['sleep', '1000'], depends_on: { never: 'ready' } },
      },
    }),
  );
  const begin = () =>
    spawn(process.execPath, [steadBin, 'up'], { env: stead.env, cwd: stead.directory, stdio: 'pipe' });
  const isOver = async () => (await stead.list()).every(({ state }) => state === 'stopped');
  const child = begin();
  const done = collect(child, 'up', 30_000);
  const seen = new Promise((resolve) => child.stdout.once('data', resolve));
  await seen;
  child.kill('SIGTERM');
  await stead.until('slow', 'its end to be asked for', ({ state }) => state === 'stopping');
  child.kill('SIGTERM');
  assert.equal((await done).code, 0);
  assert.ok(await isOver());

  const head = spawn('sh', ['-c', '"$0" "$1" up 2>/dev/null | head -1', process.execPath, steadBin], {
    env: stead.env,
    cwd: stead.directory,
    stdio: 'ignore',
  });
  await stead.until('slow', 'it to begin again', ({ state }) => state === 'running' || state === 'stopping');
  await stead.until('slow', 'its end to be asked for', ({ want }) => want === 'stopped');
  await stead.ok(['signal', 'KILL', 'slow']);
  await new Promise((resolve) => head.once('exit', resolve));
  await waitFor('the end of all', isOver);
});

/** pm2's command line: the programs behind it, their logs, environments and ends. The numbers are those of docs/compat/pm2.md. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, beforeEach, test } from 'node:test';
import { Pm2 } from '../support/pm2.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { waitFor, waitForFile } from '../support/wait.ts';

const pm2 = new Pm2({ after });
const echo = "console.log('up ' + process.argv.slice(2)); setInterval(() => {}, 1e6);\n";

pm2.write({
  'echo.js': echo,
  'other.js': echo,
  'third.js': echo,
});

beforeEach(() => pm2.clear());

test('a pid file: 3; logs that go nowhere: 9; both in one: 10', async () => {
  await pm2.ok('start echo.js -p echo.pid -o NULL -e /dev/null');
  await pm2.ok('start echo.js -f --name many -i 1 -p many.pid -o NULL -e /dev/null');
  assert.equal(await waitForFile(pm2.path('echo-0.pid')), `${await pm2.stead.pid('echo')}\n`);
  assert.equal(await waitForFile(pm2.path('many-0.pid')), `${await pm2.stead.pid('many')}\n`);
  assert.ok(!existsSync(pm2.path('NULL')));
  await pm2.ok('stop all');
  await waitFor(
    'the pid files to go',
    () => !existsSync(pm2.path('echo-0.pid')) && !existsSync(pm2.path('many-0.pid')),
  );
  pm2.write({ 'both.js': "console.log('out'); console.error('err'); setInterval(() => {}, 1e6);" });
  await pm2.ok('start both.js -l all.log');
  assert.equal(await waitForFile(pm2.path('all.log'), /out\nerr\n/), 'out\nerr\n');
  await pm2.ok('restart both');
  assert.equal(await waitForFile(pm2.path('all.log'), /(out\nerr\n){2}/), 'out\nerr\nout\nerr\n');
  await pm2.ok('flush both');
  await pm2.ok('reload both');
  assert.equal(await waitForFile(pm2.path('all.log'), /out\nerr\n/), 'out\nerr\n');
});

test('logs: formats that are kept elsewhere: 12, 13; of a namespace, 15; followed', async () => {
  const { stderr } = await pm2.run([
    'start',
    'echo.js',
    '--namespace',
    'shop',
    '--log-date-format',
    'nonsense',
    '--log-type',
    'json',
  ]);
  assert.doesNotMatch(stderr, /Error/);
  await pm2.ready('echo', 1);
  const lines = async (...words: string[]) => (await pm2.ok(['logs', ...words, '--nostream'])).stdout;
  await waitFor('the line', async () => (await lines('shop')) === 'up \n');
  for (const line of (await lines('echo', '--json')).trimEnd().split('\n')) assert.equal(JSON.parse(line).line, 'up ');
  assert.match(await lines('all', '--timestamp', '--lines', '1'), /^\S+ .*up/);
  assert.deepEqual(await pm2.table(), ['0 echo online 0']);
  assert.equal((await pm2.run('logs nosuch --nostream')).code, 1);
});

test('the environment: kept, and renewed if asked: 20; some of it left out: 50', async () => {
  await pm2.ok('start echo.js --filter-env SECRET', { env: { TEST: '1', MY_SECRET: 'x' } });
  assert.deepEqual([await pm2.variable('echo', 'TEST'), await pm2.variable('echo', 'MY_SECRET')], ['1', undefined]);
  await pm2.ok('restart echo', { env: { TEST: '2' } });
  assert.equal(await pm2.variable('echo', 'TEST'), '1');
  await pm2.ok('restart echo --update-env', { env: { TEST: '2' } });
  assert.equal(await pm2.variable('echo', 'TEST'), '2');
  await pm2.ok('reload echo --update-env', { env: { TEST: '3' } });
  assert.equal(await pm2.variable('echo', 'TEST'), '3');
  assert.match((await pm2.ok('env 0')).stdout, /^TEST: 3$/m);
});

test('reload: each once, with one SIGINT: 29; what listens on nothing: 30', async () => {
  const port = await freePort();
  pm2.write({
    'web.js': `const { appendFileSync } = require('fs');
      const server = require('http').createServer((q, r) => r.end('x')).listen(${port});
      process.on('SIGINT', () => { appendFileSync('sigint.txt', process.pid + '\\n'); server.close(() => process.exit(0)); });
      setInterval(() => {}, 1e6);`,
  });
  await pm2.ok('start web.js -i 3');
  await pm2.ready('web', 3);
  const before = (await pm2.entries()).map(({ pid }) => pid);
  await pm2.ok('reload web');
  assert.deepEqual(await pm2.table(), ['0 web online 1', '1 web online 1', '2 web online 1']);
  const asked = pm2.read('sigint.txt').trimEnd().split('\n').map(Number);
  assert.deepEqual(asked.toSorted(), before.toSorted());
  await pm2.ok('start echo.js');
  await pm2.ok('reload echo');
  assert.equal((await pm2.table())[3], '3 echo online 1');
});

test('ends: one that takes no SIGINT is killed: 32; signals reach who is meant: 34; all that was started goes: 49', async () => {
  pm2.write({
    'stubborn.js':
      "process.on('SIGINT', () => console.log('no')); require('child_process').spawn('sleep', ['1000']); console.log('up'); setInterval(() => {}, 1e6);",
    'hears.js':
      "process.on('SIGUSR2', () => console.log('heard')); require('net').createServer().listen(0, () => console.log('up'));",
  });
  await pm2.ok('start stubborn.js', { env: { PM2_KILL_TIMEOUT: '300' } });
  await pm2.ok('start stubborn.js -f --name many -i 1 -k 300');
  for (const { pm2_env } of await pm2.entries()) await waitForFile(String(pm2_env.pm_out_log_path), /up\n/);
  const pids = (await Promise.all(['stubborn', 'many'].map((name) => pm2.stead.show(name)))).flatMap(({ processes }) =>
    processes.map(({ pid }) => pid),
  );
  const { tookMs } = await pm2.ok('stop all');
  assert.ok(tookMs > 300);
  assert.ok(pids.length >= 2 && pids.every((pid) => !isRunning(pid)));
  await pm2.ok('delete all');
  await pm2.ok('start hears.js -i 2');
  await pm2.ready('hears', 2);
  const outs = (await pm2.entries()).map(({ pm2_env }) => String(pm2_env.pm_out_log_path));
  for (const out of outs) await waitForFile(out, /up\n/);
  await pm2.ok('sendSignal SIGUSR2 1');
  await waitForFile(outs[1]!, /heard\n/);
  assert.equal(readFileSync(outs[0]!, 'utf8'), 'up\n');
  await pm2.ok('sendSignal SIGUSR2 hears');
  await waitForFile(outs[0]!, /heard\n/);
});

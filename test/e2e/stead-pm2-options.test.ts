/** pm2's command line: its options and what they do. The numbers are those of docs/compat/pm2.md. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { after, beforeEach, test } from 'node:test';
import { Pm2 } from '../support/pm2.ts';
import { waitFor } from '../support/wait.ts';

const pm2 = new Pm2({ after });
const echo = "console.log('up ' + process.argv.slice(2)); setInterval(() => {}, 1e6);\n";

pm2.write({
  'echo.js': echo,
  'other.js': echo,
  'third.js': echo,
  'exits.js': 'setTimeout(() => process.exit(Number(process.argv[2] ?? 1)), 50);\n',
});

beforeEach(() => pm2.clear());

test('when it is not restarted: 31; gave up: 36; longer pauses: 37', async () => {
  await pm2.ok(['start', 'exits.js', '--name', 'never', '--no-autorestart', '--', '1']);
  await pm2.ok(['start', 'exits.js', '--name', 'code42', '--stop-exit-codes', '42', '--', '42']);
  await pm2.ok([
    'start',
    'exits.js',
    '--name',
    'code34',
    '--stop-exit-codes',
    '42',
    '--restart-delay',
    '60000',
    '--',
    '34',
  ]);
  await pm2.ok(['start', 'exits.js', '--name', 'loops', '--max-restarts', '3', '--', '1']);
  await pm2.ok(['start', 'exits.js', '--name', 'backs', '--exp-backoff-restart-delay', '100', '--', '1']);
  await pm2.stead.until('never', 'ended', ({ state }) => state === 'failed');
  await pm2.stead.until('code42', 'ended', ({ state }) => state === 'completed');
  await pm2.stead.until('code34', 'restarted', ({ instances }) => instances[0]!.restarts > 0);
  const loops = await pm2.stead.until('loops', 'failed', ({ state }) => state === 'failed');
  assert.match(String(loops.reason), /gave up after 3 restarts/);
  assert.deepEqual((await pm2.stead.show('backs')).spec.backoff, { minMs: 100, maxMs: 15_000, factor: 1.5 });
  const status = Object.fromEntries(
    (await pm2.entries()).map(({ name, pm2_env }) => [name, [pm2_env.status, pm2_env.restart_time]]),
  );
  assert.deepEqual(
    [status.never, status.code42, status.loops],
    [
      ['errored', 0],
      ['stopped', 0],
      ['errored', 3],
    ],
  );
});

test('launching until it says that it is ready: 35', async () => {
  pm2.write({
    'slow.js':
      "const { existsSync } = require('fs'); const t = setInterval(() => { if (existsSync('go')) { clearInterval(t); process.send('ready'); } }, 20); setInterval(() => {}, 1e6);",
  });
  const started = pm2.ok('start slow.js --wait-ready --listen-timeout 20000');
  await waitFor('launching', async () => (await pm2.table())[0] === '0 slow launching 0');
  pm2.write({ go: '' });
  await started;
  assert.deepEqual(await pm2.table(), ['0 slow online 0']);
});

test('memory: 38; schedules: 39; watching on and off: 40', async () => {
  await pm2.ok('start echo.js --max-memory-restart 20M');
  const { exits } = await pm2.stead.until('echo', 'restarted', ({ exits }) => exits.length > 0);
  assert.match(String(exits[0]!.cause), /memory/);
  await pm2.ok(['start', 'other.js', '--cron', '* * * * * *']);
  assert.equal((await pm2.run(['start', 'third.js', '--cron', 'nonsense pattern here is bad'])).code, 1);
  await pm2.stead.until('other', 'restarted', ({ exits }) => exits.length > 0);
  await pm2.ok('restart other --cron-restart 0');
  assert.equal((await pm2.stead.show('other')).spec.schedule, null);
  mkdirSync(pm2.path('watched'), { recursive: true });
  pm2.write({ 'watched/app.js': echo });
  await pm2.ok(['start', 'app.js', '--name', 'seen', '--cwd', 'watched', '--watch']);
  assert.notEqual((await pm2.stead.show('seen')).spec.watch, null);
});

test('counting variables: 41; scale: 42; how many: 43', async () => {
  pm2.write({
    'listens.js': "require('net').createServer().listen(0);",
    'slots.json': JSON.stringify({
      apps: [
        {
          name: 'slots',
          script: 'listens.js',
          instances: 2,
          exec_mode: 'fork',
          increment_var: 'SLOT',
          env: { SLOT: 3000 },
        },
      ],
    }),
  });
  await pm2.ok('start slots.json');
  await pm2.ok('scale slots +1');
  await pm2.ready('slots', 3);
  const slots = async () =>
    (await pm2.entries()).map(({ pid }) => /\0SLOT=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1]);
  assert.deepEqual(await slots(), ['3000', '3001', '3002']);
  await pm2.ok('restart slots');
  await pm2.ready('slots', 3);
  assert.deepEqual(await slots(), ['3000', '3001', '3002']);
  assert.equal((await pm2.run('scale slots 3')).code, 1);
  await pm2.ok('scale slots 1');
  assert.equal((await pm2.entries()).length, 1);
  await pm2.ok('start listens.js -f --name max -i max');
  assert.equal((await pm2.stead.show('max')).spec.share.instances, availableParallelism());
  await pm2.ok('start echo.js -i -100');
  assert.equal((await pm2.stead.show('echo')).spec.share.instances, 1);
});

test('what runs it: 44; lines for the shell: 45; arguments: 46; modules: 47', async () => {
  mkdirSync(pm2.path('esm'), { recursive: true });
  pm2.write({
    plain: echo,
    'py.py': 'import time\ntime.sleep(1000)\n',
    'esm/package.json': '{"type":"module","version":"1.2.3"}',
    'esm/main.js': "import 'node:fs'; console.log(import.meta.url); setInterval(() => {}, 1e6);",
  });
  await pm2.ok(['start', 'plain', 'py.py', '/bin/sleep', '--', '1000', 'x']);
  const of = async (name: string) => (await pm2.stead.show(name)).spec.program;
  assert.equal((await of('plain')).interpreter?.name, 'node');
  assert.match((await of('py')).interpreter!.name, /^python/);
  assert.equal((await of('sleep')).interpreter, null);
  await pm2.ok(['start', 'tail', '--', '-f', '/dev/null']);
  assert.deepEqual((await of('tail')).words, ['tail', '-f', '/dev/null']);
  await pm2.ok(['start', "node -e 'setInterval(() => {}, 1e6)'", '--name', 'line']);
  assert.deepEqual((await of('line')).words.slice(0, 2), ['bash', '-c']);
  await pm2.ok(['start', 'echo.js', '--', '--a.b=c=d', '-x', '--name', 'kept']);
  assert.deepEqual((await of('echo')).words.slice(1), ['--a.b=c=d', '-x', '--name', 'kept']);
  await pm2.ok(['start', 'esm/main.js', '--name', 'esm']);
  await pm2.ok(['start', 'esm/main.js', '--name', 'esms', '-i', '1']);
  await pm2.ok('restart esm esms');
  const [esm] = (await pm2.entries()).filter(({ name }) => name === 'esm');
  assert.deepEqual(
    [esm!.pm2_env.status, esm!.pm2_env.version, esm!.pm2_env.exec_mode],
    ['online', '1.2.3', 'fork_mode'],
  );
});

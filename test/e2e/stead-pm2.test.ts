/** pm2's command line on top of stead: what scripts do with it. The numbers are those of docs/compat/pm2.md. */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { Pm2 } from '../support/pm2.ts';
import { isRunning } from '../support/proc.ts';
import { waitForFile } from '../support/wait.ts';

const pm2 = new Pm2({ after });
const echo = "console.log('up ' + process.argv.slice(2)); setInterval(() => {}, 1e6);\n";

pm2.write({
  'echo.js': echo,
  'other.js': echo,
  'third.js': echo,
  'six.json': JSON.stringify({
    apps: ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({
      name,
      script: 'sleep',
      args: '1000',
      ...(name < 'c' && { namespace: 'first' }),
    })),
  }),
});

beforeEach(() => pm2.clear());

test('numbers, names, -f: 1, 4, 7', async () => {
  await pm2.ok('start echo.js');
  const again = await pm2.run('start echo.js');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /already launched/);
  await pm2.ok('start echo.js -f');
  await pm2.ok('start echo.js -f');
  await pm2.ok('stop 0');
  assert.deepEqual(await pm2.table(), ['0 echo stopped 0', '1 echo-2 online 0', '2 echo-3 online 0']);
  assert.deepEqual(await pm2.codes('stop 12412', 'describe nope', 'restart /nothing/'), [1, 1, 1]);
  await pm2.ok('restart /echo-[2,3]/');
  assert.deepEqual(await pm2.table(), ['0 echo stopped 0', '1 echo-2 online 1', '2 echo-3 online 1']);
  await pm2.ok('delete all');
  await pm2.ok('start echo.js other.js third.js');
  await pm2.ok('restart echo other third');
  assert.deepEqual(await pm2.table(), ['0 echo online 1', '1 other online 1', '2 third online 1']);
  await pm2.ok('delete echo other third');
  assert.deepEqual(await pm2.entries(), []);
});

test('exit codes: 2; what has another place says which', async () => {
  assert.deepEqual(
    await pm2.codes('start eyayimfake', 'start', 'describe nope', 'restart all', 'delete all', 'stop', 'nosuchverb'),
    [1, 1, 1, 1, 1, 1, 1],
  );
  for (const verb of ['deploy', 'serve', 'install', 'link', 'plus', 'monit']) {
    const { code, stderr } = await pm2.run(verb);
    assert.deepEqual([code, /stead-pm2 has no /.test(stderr)], [1, true], verb);
  }
  assert.deepEqual(await pm2.codes('ping', 'list', 'jlist', 'save', 'flush', 'reloadLogs'), [0, 0, 0, 0, 0, 0]);
  assert.match((await pm2.run('start echo.js --no-daemon')).stderr, /stead up ecosystem\.config\.js/);
  assert.match((await pm2.run('start echo.js --max-restart 3')).stderr, /did you mean --max-restarts\?/);
});

test('what runs is restarted by start, and what was stopped is started: 5; an app that is called by a number: 6', async () => {
  await pm2.ok('start echo.js');
  await pm2.ok('stop echo');
  await pm2.ok('start echo');
  assert.deepEqual(await pm2.table(), ['0 echo online 0']);
  await pm2.ok('start echo');
  await pm2.ok('start 0');
  assert.deepEqual(await pm2.table(), ['0 echo online 2']);
  await pm2.ok('reset echo');
  assert.deepEqual(await pm2.table(), ['0 echo online 0']);
  await pm2.ok('delete 0');
  await pm2.ok('start echo.js --name 455');
  await pm2.ok('restart 455');
  await pm2.ok('restart 0');
  assert.deepEqual(await pm2.table(), ['0 app-455 online 2']);
  await pm2.ok('stop 455');
  await pm2.ok('delete 455');
});

test('save, kill, resurrect: 16, 18, 19', async () => {
  await pm2.ok('start echo.js other.js');
  await pm2.ok('stop other');
  await pm2.ok('save');
  const pid = await pm2.stead.pid('echo');
  await pm2.ok('kill');
  assert.ok(!isRunning(pid));
  await pm2.ok('resurrect');
  await pm2.ok('resurrect');
  assert.deepEqual(await pm2.table(), ['0 echo online 0', '1 other stopped 0']);
});

test('files again: their environment, 21 and 23; other options, 24; both names side by side, 28', async () => {
  const file = (more: Record<string, unknown>) =>
    pm2.write({
      'app.json': JSON.stringify([
        {
          name: 'web',
          script: 'echo.js',
          env: { MODE: 'base', NESTED: { a: 1 } },
          env_production: { MODE: 'prod' },
          ...more,
        },
      ]),
    });
  file({});
  await pm2.ok('start app.json --env production');
  assert.deepEqual([await pm2.variable('web', 'MODE'), await pm2.variable('web', 'NESTED')], ['prod', '{"a":1}']);
  await pm2.ok('restart app.json');
  assert.equal(await pm2.variable('web', 'MODE'), 'base');
  file({ node_args: '--max-old-space-size=100', max_memory_restart: '300M' });
  await pm2.ok('restart app.json');
  const { spec } = await pm2.stead.show('web');
  assert.deepEqual([spec.program.interpreter?.args, spec.maxMemory], [['--max-old-space-size=100'], 300 * 2 ** 20]);
  assert.deepEqual(await pm2.table(), ['0 web online 2']);
  await pm2.ok('restart web --max-memory-restart 400M');
  assert.equal((await pm2.stead.show('web')).spec.maxMemory, 400 * 2 ** 20);
  await pm2.ok('delete all');
  file({ append_env_to_name: true, env_dev: {} });
  await pm2.ok('start app.json --env dev');
  await pm2.ok('start app.json --env production');
  assert.deepEqual(await pm2.table(), ['0 web-dev online 0', '1 web-production online 0']);
});

test('a file with six apps: 25, 27; from stdin and a part of them: 26', async () => {
  const all = (status: string, restarts: number) =>
    [...'abcdef'].map((name, at) => `${at} ${name} ${status} ${restarts}`);
  await pm2.ok('restart six.json');
  assert.deepEqual(await pm2.table(), all('online', 0));
  await pm2.ok('start six.json');
  assert.deepEqual(await pm2.table(), all('online', 1));
  await pm2.ok('reload six.json');
  assert.deepEqual(await pm2.table(), all('online', 2));
  await pm2.ok('stop six.json');
  assert.deepEqual(await pm2.table(), all('stopped', 2));
  await pm2.ok('startOrRestart six.json');
  assert.deepEqual(await pm2.table(), all('online', 2));
  await pm2.ok('stop first');
  assert.deepEqual((await pm2.table()).slice(0, 3), ['0 a stopped 2', '1 b stopped 2', '2 c online 2']);
  await pm2.ok('delete six.json');
  assert.deepEqual(await pm2.entries(), []);
  const input = pm2.read('six.json');
  await pm2.ok('start - --only a,c', { input });
  assert.deepEqual(await pm2.table(), ['0 a online 0', '1 c online 0']);
  await pm2.ok('delete -', { input });
  assert.deepEqual(await pm2.entries(), []);
  pm2.write({ 'bad.yaml': 'apps: [', 'bad.config.js': 'throw new Error("x")' });
  assert.deepEqual(await pm2.codes('start bad.yaml', 'start missing.yaml', 'start bad.config.js'), [1, 1, 1]);
  assert.deepEqual(await pm2.entries(), []);
});

test('what scripts read of jlist is there', async () => {
  await pm2.ok('start echo.js --namespace shop', { env: { SAID: 'yes' } });
  const [entry] = await pm2.entries();
  const { pm2_env: env, monit } = entry!;
  assert.ok(monit.memory > 1e6 && monit.cpu >= 0 && entry!.pid > 1);
  assert.ok(
    Math.abs(Date.now() - Number(env.pm_uptime)) < 60_000 && Number(env.created_at) <= Number(env.pm_uptime) + 1000,
  );
  assert.deepEqual(
    [env.pm_cwd, env.pm_exec_path, env.exec_mode, env.namespace, env.watch, env.env.SAID, env.unstable_restarts],
    [pm2.stead.directory, pm2.path('echo.js'), 'fork_mode', 'shop', false, 'yes', 0],
  );
  await waitForFile(String(env.pm_out_log_path), /up/);
  const { stdout } = await pm2.ok('describe echo');
  assert.match(stdout, /script path +\S+echo\.js\n/);
  assert.equal((await pm2.ok('pid echo')).stdout, `${entry!.pid}\n`);
  assert.equal((await pm2.ok('id echo')).stdout, '[ 0 ]\n');
  assert.match((await pm2.ok('prettylist')).stdout, /^\[\n {2}\{\n/);
});

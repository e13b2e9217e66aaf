/** How an app is asked to end, step after step; when it is started again, and when no more. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const said = (stead: Stead, name: string) =>
  readFileSync(join(stead.home, 'logs', name, '0.out.log'), 'utf8')
    .trim()
    .split('\n');

/** A shell that lives until it is killed, and says which signals it got. */
const stubborn = [
  '--',
  'sh',
  '-c',
  'trap "echo INT" INT; trap "echo TERM" TERM; trap "echo HUP" HUP; echo up; while :; do sleep 0.02; done',
];

test('a sequence of signals, each with its time, then SIGKILL', async (t) => {
  const stead = new Stead(t);
  const options = ['--ready', 'log:^up$', '--stop-signal', 'HUP:150ms,INT:150ms,TERM', '--stop-timeout', '200ms'];
  await stead.ok(['start', '--name', 'web', ...options, ...stubborn]);
  const { stdout, tookMs } = await stead.ok(['stop', 'web', '--json']);
  assert.deepEqual(said(stead, 'web'), ['up', 'HUP', 'INT', 'TERM']);
  assert.ok(tookMs >= 500, `${tookMs} ms`);
  assert.match(JSON.parse(stdout)[0].app.reason, /killed after 0?\.?5\d* ?m?s|killed after 500 ms/);
});

test('a stop that takes long says once what it waits for and when SIGKILL comes, but not in JSON', async (t) => {
  const stead = new Stead(t);
  const options = ['--ready', 'log:^up$', '--stop-timeout', '3s'];
  for (const name of ['web', 'db']) await stead.ok(['start', '--name', name, ...options, ...stubborn]);
  assert.match((await stead.ok(['stop', 'web'])).stderr, /^Waiting for web to end; KILL in [0-2] s\n$/);
  assert.equal((await stead.ok(['stop', 'db', '--json'])).stderr, '');
});

test('stdin, a message or a command ends what wants to be asked in that way', async (t) => {
  const stead = new Stead(t);
  const asked = {
    stdin: { options: ['--stop-stdin', 'stop now'], command: ['sh', '-c', 'echo up; read line; echo "got $line"'] },
    message: {
      options: ['--stop-message'],
      command: [
        process.execPath,
        '-e',
        "process.on('message', (m) => { console.log('got', m); process.exit() }); console.log('up')",
      ],
    },
    command: {
      options: ['--stop-command', 'echo asked $STEAD_NAME >asked; kill -USR1 $STEAD_PID'],
      command: ['sh', '-c', 'trap "echo got; exit" USR1; echo up; while :; do sleep 0.02; done'],
    },
  };
  for (const [name, { options, command }] of Object.entries(asked)) {
    await stead.ok(['start', '--name', name, '--ready', 'log:^up$', ...options, '--', ...command]);
    const { tookMs } = await stead.ok(['stop', name]);
    assert.ok(tookMs < 5000, `${name}: ${tookMs} ms`);
    assert.match(said(stead, name).at(-1)!, /^got/, name);
    assert.equal((await stead.show(name)).exits[0]!.code, 0, name);
  }
  assert.equal(readFileSync(join(stead.directory, 'asked'), 'utf8'), 'asked command\n');
});

test('a program whose stdin is held open does not see its end', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'cat', '--stop-stdin', 'bye', '--', 'cat']);
  assert.equal((await stead.list())[0]!.state, 'running');
  await stead.ok(['stop', 'cat']);
  assert.deepEqual(said(stead, 'cat'), ['bye']);
});

test('exit codes and signals after which it is left alone', async (t) => {
  const stead = new Stead(t);
  const stop = ['--stop-exit-codes', '77,USR1'];
  for (const [name, command] of Object.entries({ code: 'exit 77', signal: 'kill -USR1 $$', like: 'exit 138' }))
    await stead.run(['start', '--name', name, ...stop, '--backoff-min', '60s', '--', 'sh', '-c', command]);
  await stead.until('code', 'completed', ({ state }) => state === 'completed');
  await stead.until('signal', 'completed', ({ state }) => state === 'completed');
  // 128 + 10 is an exit code, and no death by SIGUSR1.
  await stead.until('like', 'restarted', ({ instances }) => instances[0]!.restarts > 0);
});

test('max_restarts within a window is failed with the reason, tried again after a while; reset counts anew', async (t) => {
  const stead = new Stead(t);
  const options = ['--max-restarts', '2', '--restart-window', '30s', '--backoff-min', '10ms', '--backoff-max', '20ms'];
  await stead.run(['start', '--name', 'web', '--no-wait', ...options, '--', 'sh', '-c', 'exit 3']);
  const { reason } = await stead.until('web', 'failed', ({ state }) => state === 'failed');
  assert.equal(reason, 'exit code 3; gave up after 2 restarts within 30 s (max_restarts)');
  await stead.ok(['set', 'web', 'retry_failed_after=300ms', 'restart_window=1ms']);
  await stead.ok(['start', 'web', '--no-wait']);
  const before = (await stead.show('web')).instances[0]!.restarts;
  await stead.until('web', 'more restarts', ({ instances }) => instances[0]!.restarts > before + 4);
});

test('on-failure: what ends well is completed, what stead had to end counts as a failure', async (t) => {
  const stead = new Stead(t);
  const check = ['--alive', 'exec:! test -e sick', '--alive-interval', '100ms', '--alive-failures', '1'];
  await stead.ok([
    'start',
    '--name',
    'a',
    '--restart',
    'on-failure',
    ...check,
    '--',
    'sh',
    '-c',
    'trap "exit 0" TERM; while :; do sleep 0.02; done',
  ]);
  writeFileSync(join(stead.directory, 'sick'), '');
  await stead.until('a', 'restarted', ({ instances }) => instances[0]!.restarts > 0);
});

test('a stop while it waits to be ready, to be restarted or for its turn leaves nothing to come', async (t) => {
  const stead = new Stead(t);
  await stead.run(['start', '--no-wait', '--name', 'late', '--ready', 'exec:false', '--', 'sleep', '100']);
  await stead.run(['start', '--no-wait', '--name', 'crash', '--backoff-min', '200ms', '--', 'sh', '-c', 'exit 1']);
  await stead.run(['start', '--no-wait', '--name', 'turn', '--depends-on', 'late', '--', 'sleep', '100']);
  const pid = await stead.pid('late');
  await stead.until('turn', 'waiting', ({ state }) => state === 'waiting');
  await stead.until('crash', 'in back-off', ({ state }) => state === 'backoff');
  await stead.ok(['stop', 'all']);
  assert.ok(!isRunning(pid));
  const { state } = (await stead.list()).find(({ name }) => name === 'turn')!;
  assert.equal(state, 'stopped');
  const runs = () => stead.list().then((apps) => apps.map(({ instances }) => instances[0]!.restarts));
  const before = await runs();
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual(await runs(), before);
});

test('memory of the whole tree: over the limit it is restarted, with that reason', async (t) => {
  const stead = new Stead(t);
  const big = 'x = bytearray(300 * 1024 * 1024); import time; time.sleep(100)';
  const commands = { own: ['python3', '-c', big], child: ['sh', '-c', `python3 -c '${big}' & wait`] };
  for (const [name, command] of Object.entries(commands))
    await stead.ok(['start', '--name', name, '--max-memory', '100M', '--', ...command]);
  for (const name of Object.keys(commands)) {
    const { exits } = await stead.until(name, 'restarted', ({ instances }) => instances[0]!.restarts > 0, 30_000);
    assert.match(
      exits[0]!.cause ?? exits[0]!.reason,
      /^memory: [123]\d\d(\.\d)?M of 100M \(max_memory\)$|OOM killer; limit 100M/,
    );
  }
});

test('hooks are told what happened, and events are kept and followed over the death of the daemon', async (t) => {
  const stead = new Stead(t);
  const hook = (event: string) => ['--on', `${event}=echo $STEAD_EVENT $STEAD_NAME $STEAD_EXIT_CODE >>hooks`];
  const names = ['start', 'ready', 'exit', 'restart', 'fail', 'stop'];
  const options = ['--max-restarts', '1', '--backoff-min', '10ms'];
  await stead.run([
    'start',
    '--name',
    'web',
    '--no-wait',
    ...options,
    ...names.flatMap(hook),
    '--',
    'sh',
    '-c',
    'exit 4',
  ]);
  await stead.until('web', 'failed', ({ state }) => state === 'failed');
  const hooks = () =>
    existsSync(join(stead.directory, 'hooks')) ? readFileSync(join(stead.directory, 'hooks'), 'utf8') : '';
  await waitFor('all hooks', () =>
    ['start web', 'exit web 4', 'restart web', 'fail web'].every((line) => hooks().includes(line)),
  );
  const before = (await stead.ok(['events', '--json'])).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    before.map(({ id }) => id),
    before.map((_, at) => before[0].id + at),
  );
  process.kill((await stead.daemon()).pid!, 'SIGKILL');
  await stead.ok(['delete', 'web']);
  const after = (await stead.ok(['events', '--json'])).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(after.at(-1).id > before.at(-1).id);
  assert.equal(after.at(-1).type, 'delete');
});

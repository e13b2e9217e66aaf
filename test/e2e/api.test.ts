/** The programmatic API, as `dist/` has it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { apiFile, type Client, connectTo, failureOf, holdings, loadApi } from '../support/api.ts';
import { collect, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const forever = { command: ['sleep', '1000'] };

/** Each method that asks, called so that it would do something. */
const calls: Readonly<Record<string, (stead: Client, signal?: AbortSignal) => Promise<unknown>>> = {
  start: (stead, signal) => stead.start('sleep', { args: ['1000'], ...(signal && { signal }) }),
  run: (stead, signal) => stead.run('true', { ...(signal && { signal }) }),
  apply: (stead, signal) => stead.apply({ apps: {} }, { ...(signal && { signal }) }),
  adopt: (stead, signal) => stead.adopt(2 ** 22, { ...(signal && { signal }) }),
  list: (stead, signal) => stead.list(undefined, { ...(signal && { signal }) }),
  show: (stead, signal) => stead.show('web', { ...(signal && { signal }) }),
  why: (stead, signal) => stead.why('web', { ...(signal && { signal }) }),
  metrics: (stead, signal) => stead.metrics('web', { ...(signal && { signal }) }),
  stop: (stead, signal) => stead.stop('web', { ...(signal && { signal }) }),
  restart: (stead, signal) => stead.restart('web', { ...(signal && { signal }) }),
  reload: (stead, signal) => stead.reload('web', { ...(signal && { signal }) }),
  scale: (stead, signal) => stead.scale('web', 2, { ...(signal && { signal }) }),
  delete: (stead, signal) => stead.delete('web', { ...(signal && { signal }) }),
  signal: (stead, signal) => stead.signal('web', 'HUP', { ...(signal && { signal }) }),
  set: (stead, signal) => stead.set('web', { group: 'g' }, { ...(signal && { signal }) }),
  unset: (stead, signal) => stead.unset('web', ['group'], { ...(signal && { signal }) }),
  rename: (stead, signal) => stead.rename('web', 'api', { ...(signal && { signal }) }),
  reset: (stead, signal) => stead.reset('web', { ...(signal && { signal }) }),
  flush: (stead, signal) => stead.flush('web', { ...(signal && { signal }) }),
  wait: (stead, signal) => stead.wait('web', { ...(signal && { signal }) }),
  waitForLine: (stead, signal) => stead.waitForLine('web', 'x', { ...(signal && { signal }) }),
  events: (stead, signal) => stead.events({ ...(signal && { signal }) }).next(),
  attach: (stead, signal) => stead.attach('web', { ...(signal && { signal }) }),
  send: (stead, signal) => stead.send('web', 'x', { ...(signal && { signal }) }),
  capture: (stead, signal) => stead.capture('web', { ...(signal && { signal }) }),
  daemonStop: (stead, signal) => stead.daemonStop({ ...(signal && { signal }) }),
};

test('without a daemon nothing is started: what needs one says DAEMON_UNREACHABLE, and logs are read all the same', async (t) => {
  const world = new Stead(t);
  const { SteadError } = await loadApi();
  const stead = await connectTo(t, world);
  for (const [name, call] of Object.entries(calls)) {
    const error = await failureOf(call(stead));
    assert.ok(error instanceof SteadError, `${name}: ${error}`);
    assert.equal(error.code, 'DAEMON_UNREACHABLE', `${name}: ${error}`);
    assert.equal(error.details?.phase, 'connect', name);
  }
  assert.equal((await stead.daemonStatus()).running, false);
  assert.equal(existsSync(world.home), false);
  mkdirSync(join(world.home, 'logs/old'), { recursive: true, mode: 0o700 });
  writeFileSync(join(world.home, 'logs/old/0.out.log'), 'one\ntwo\nthree');
  const lines = [];
  for await (const { line, partial = false } of stead.logs('old', { lines: 2 })) lines.push([line, partial]);
  assert.deepEqual(lines, [
    ['two', false],
    ['three', true],
  ]);
  assert.deepEqual((await stead.logs('all').next()).done, true);
  assert.equal((await failureOf(stead.logs('nobody').next())).code, 'APP_NOT_FOUND');
  assert.equal(existsSync(join(world.home, 'daemon.json')), false);
});

test('an app from its start to its deletion, and each answer is as it is for the command', async (t) => {
  const world = new Stead(t);
  const stead = await connectTo(t, world, { start: true, by: 'the test' });
  const happened = stead.events();
  const [started] = await stead.start(forever, { name: 'web', env: { COLOUR: 'blue' }, stopTimeoutMs: 2000 });
  assert.deepEqual([started!.app.name, started!.app.state, started!.changed], ['web', 'running', true]);
  const first = (await happened.next()).value!;
  assert.match(first.by ?? '', /^the test \(pid \d+\)$/);
  await happened.return!();
  assert.deepEqual(
    (await stead.list()).map(({ name }) => name),
    ['web'],
  );
  const shown = await stead.show('web', { showEnv: true });
  assert.ok(shown.env.includes('COLOUR=blue'));
  assert.equal(shown.spec.stopTimeoutMs, 2000);
  // What this process has set since it began is passed on as well.
  process.env.SET_LATER = 'yes';
  t.after(() => delete process.env.SET_LATER);
  await stead.restart('web', { updateEnv: true });
  assert.ok((await stead.show('web', { showEnv: true })).env.includes('SET_LATER=yes'));
  assert.equal((await stead.why('web')).state, 'running');
  const [metrics] = await stead.metrics('web');
  assert.ok(metrics!.memory! > 10_000 && metrics!.instances[0]!.pid! > 1 && metrics!.cpu! >= 0);
  assert.equal((await stead.set('web', { group: 'g' }))[0]!.changed, true);
  assert.equal((await stead.list('@g'))[0]!.name, 'web');
  await stead.unset('web', ['group']);
  assert.equal((await stead.show('web')).group, null);
  assert.equal((await stead.scale('web', '+1'))[0]!.app.instances.length, 2);
  assert.equal((await stead.signal('web:1', 'CONT'))[0]!.changed, true);
  await stead.scale('web', 1);
  await stead.reset('web');
  await stead.flush(['web']);
  assert.equal((await stead.stop('web'))[0]!.app.state, 'stopped');
  assert.equal((await stead.rename('web', 'api'))[0]!.app.name, 'api');
  assert.equal((await stead.start('api'))[0]!.app.state, 'running');
  await stead.delete('all', { purge: true });
  assert.deepEqual(await stead.list(), []);
  const past = [];
  for await (const { type } of stead.events({ after: 0, follow: false })) past.push(type);
  assert.equal(past[0], 'start');
  assert.equal(past.at(-1), 'delete');
});

test('jobs, configs and what fails', async (t) => {
  const world = new Stead(t);
  const { SteadError } = await loadApi();
  const stead = await connectTo(t, world, { start: true });
  const { app } = await stead.run(['sh', '-c', 'echo out; echo err >&2; exit 3'], { name: 'job' });
  assert.equal((await stead.wait(app.name))[0]!.exit!.code, 3);
  const said = [];
  for await (const { line, stream, index, name } of stead.logs('job')) said.push(`${name}:${index} ${stream} ${line}`);
  assert.deepEqual(said.sort(), ['job:0 err err', 'job:0 out out']);

  const config = { apps: { a: { command: 'sleep 1000' }, b: { command: 'sleep 1000', depends_on: 'a' } } };
  const planned = await stead.apply(config, { dryRun: true });
  assert.deepEqual([planned.apps.map(({ change }) => change), (await stead.list('all')).length], [['new', 'new'], 1]);
  await stead.apply(config);
  const again = await stead.apply({ apps: { a: config.apps.a } }, { prune: true });
  assert.deepEqual(
    again.apps.map(({ name, change }) => [name, change]),
    [
      ['a', 'same'],
      ['b', 'removed'],
    ],
  );
  writeFileSync(
    join(world.directory, 'stead.config.ts'),
    'export default { apps: { c: { command: "sleep 1000" as string } } };',
  );
  assert.equal((await stead.apply('stead.config.ts', { cwd: world.directory })).apps[0]!.change, 'new');

  const codes = {
    APP_NOT_FOUND: stead.stop('nobody'),
    EXITED_EARLY: stead.start({ command: ['sh', '-c', 'echo why; exit 4'] }, { name: 'bad', restart: 'no' }),
    OPTION_INVALID: stead.set('a', { nice: 99 }),
    PROGRAM_NOT_FOUND: stead.start('./nowhere.js'),
    CONFIG_INVALID: stead.apply({ apps: { x: { comand: 'y' } } }),
    TIMED_OUT: stead.wait('a', { timeoutMs: 10 }),
    NO_TERMINAL: stead.attach('a'),
    SIGNAL_UNKNOWN: stead.signal('a', 'NONE'),
    USAGE: stead.send('a', { keys: 'C-nonsense' }),
  };
  const errors = await Promise.all(Object.values(codes).map(failureOf));
  assert.deepEqual(
    errors.map(({ code }) => code),
    Object.keys(codes),
  );
  assert.ok(errors.every((error) => error instanceof SteadError && error.message !== ''));
  const early = errors[1]!;
  assert.match(early.message, /"bad" ended at once: exit code 4/);
  assert.deepEqual(
    (early.details!.apps as { early: { lastLines: string[] } }[]).map((one) => one.early.lastLines),
    [['why']],
  );
  // Of several the others are done, and the details say so.
  const half = await failureOf(stead.signal(['a', 'bad'], 'CONT'));
  assert.deepEqual(
    [half.code, (half.details!.results as { changed: boolean }[]).map(({ changed }) => changed)],
    ['NOT_RUNNING', [true, false]],
  );
});

test('a terminal is attached to, typed into, waited for and captured; a stdin is written to', async (t) => {
  const world = new Stead(t);
  const stead = await connectTo(t, world, { start: true });
  await stead.start(
    { command: ['sh', '-c', 'PS1="> " exec sh -i'] },
    { name: 'shell', restart: 'no', tty: true, ttySize: '80x24' },
  );
  const session = await stead.attach('shell', { cols: 100, rows: 30, from: 'start' });
  await session.write('stty size; echo "sum $((40+2))"\r');
  let text = '';
  for await (const bytes of session) {
    text += Buffer.from(bytes).toString();
    if (/sum 42/.test(text)) break;
  }
  assert.match(text, /30 100/);
  assert.deepEqual(await session.ended, { reason: 'detached', exit: null });
  await stead.send('shell', { line: 'echo "line $((1+1))"' });
  assert.match((await stead.waitForLine('shell', 'line 2', { timeoutMs: 20_000 })).line ?? '', /line 2/);
  await stead.send('shell', { keys: 'x C-u' });
  await stead.send('shell', 'echo done\r');
  await stead.waitForLine('shell', '^done', { timeoutMs: 20_000 });
  assert.match((await stead.capture('shell')).text, /^done$/m);
  const ended = await stead.attach('shell');
  await ended.write('exit 5\r');
  const end = await ended.ended;
  assert.deepEqual([end.reason, end.exit?.code], ['ended', 5]);

  await stead.start({ command: ['cat'] }, { name: 'cat', stdin: true });
  await stead.send('cat', 'hello\n');
  const { value } = await stead.logs('cat', { follow: true }).next();
  assert.equal(value?.line, 'hello');
});

test('events, logs, a wait and a repeatable request go on over the death of the daemon; one that may not be repeated says how far it came', async (t) => {
  const world = new Stead(t);
  const stead = await connectTo(t, world, { start: true });
  const passive = await connectTo(t, world);
  const pid = (await passive.daemonStatus()).pid!;
  const file = join(world.directory, 'go');
  const script = `echo begun; until test -e '${file}'; do sleep 0.02; done; echo more; exit 7`;
  const stubborn = "trap '' TERM; while :; do sleep 0.05; done";
  await stead.start({ command: ['sh', '-c', stubborn] }, { name: 'slow', stopTimeoutMs: 3000 });
  const events = passive.events();
  const lines = passive.logs('job', { follow: true, lines: 'all' });
  await stead.run(['sh', '-c', script], { name: 'job' });
  assert.equal((await events.next()).value!.app, 'job');
  assert.equal((await lines.next()).value!.line, 'begun');
  const waiting = passive.wait('job', { timeoutMs: 60_000 });
  const stopping = passive.stop('slow');
  const restarting = failureOf(passive.restart('slow'));
  await world.until('slow', 'stopping', ({ state }) => state === 'stopping');
  process.kill(pid, 'SIGKILL');
  const broken = await restarting;
  assert.deepEqual([broken.code, broken.details?.phase], ['DAEMON_UNREACHABLE', 'answer'], broken.message);
  writeFileSync(file, '');
  assert.equal((await waiting)[0]!.exit!.code, 7);
  assert.equal((await lines.next()).value!.line, 'more');
  const ids = [];
  for await (const { id, type, app } of events) {
    ids.push(id);
    if (type === 'exit' && app === 'job') break;
  }
  assert.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
  );
  assert.equal((await stopping)[0]!.app.want, 'stopped');
  assert.notEqual((await passive.daemonStatus()).pid, pid);
  await lines.return!();
});

test('a daemon of another version says VERSION_SKEW', async (t) => {
  const world = new Stead(t);
  mkdirSync(world.home, { recursive: true, mode: 0o700 });
  const answers: [status: number, code: string][] = [
    [409, 'VERSION_SKEW'],
    [404, 'UNKNOWN_ROUTE'],
  ];
  const server = createServer((request, response) => {
    request.resume();
    const [status, code] = answers[request.url!.includes('why') ? 1 : 0]!;
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { code, message: 'x' } }));
  });
  await new Promise<void>((resolve) => server.listen(join(world.home, 'stead.sock'), resolve));
  t.after(() => server.close());
  const stead = await connectTo(t, world);
  for (const asked of [stead.list(), stead.why('web'), stead.stop('web'), stead.events().next()])
    assert.equal((await failureOf(asked)).code, 'VERSION_SKEW');
  const { connect } = await loadApi();
  assert.equal((await failureOf(connect({ home: world.home, start: true }))).code, 'VERSION_SKEW');
});

test('what is aborted rejects with the reason and leaves no socket, listener or timer; so does what is left or closed', async (t) => {
  const world = new Stead(t);
  const { connect } = await loadApi();
  const stead = await connectTo(t, world, { start: true });
  await stead.start(
    { command: ['sh', '-c', "trap '' TERM HUP; while :; do sleep 0.1; done"] },
    { name: 'web', tty: true, stopTimeoutMs: 60_000 },
  );
  const reason = new Error('enough');
  const before = holdings();
  const settled = () =>
    waitFor('nothing to be left', () => {
      const now = holdings();
      return now.sockets <= before.sockets && now.fds <= before.fds && now.timers <= before.timers;
    });
  for (const [name, call] of Object.entries(calls))
    assert.equal(await failureOf(call(stead, AbortSignal.abort(reason))), reason, name);
  assert.deepEqual(holdings(), before);
  const controller = new AbortController();
  const { signal } = controller;
  const session = await stead.attach('web', { signal });
  const going = [
    stead.wait('web', { signal }),
    stead.waitForLine('web', 'never', { signal }),
    stead.events({ signal }).next(),
    stead.logs('web', { signal, follow: true, lines: 0 }).next(),
    stead.logs('all', { signal, follow: true, lines: 0 }).next(),
    session.ended,
    session[Symbol.asyncIterator]()
      .next()
      .then(() => session.ended),
    // It goes on for a minute.
    stead.stop('web', { signal }),
    ...Array.from({ length: 20 }, () => stead.wait('web', { signal })),
  ].map(failureOf);
  await world.until('web', 'stopping', ({ state }) => state === 'stopping');
  controller.abort(reason);
  for (const error of await Promise.all(going)) assert.equal(error, reason);
  await settled();
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  // At whatever moment, too.
  const lasting: readonly ((signal: AbortSignal) => Promise<unknown>)[] = [
    (inner) => stead.list(undefined, { signal: inner }),
    (inner) => stead.wait('web', { signal: inner }),
    (inner) => stead.waitForLine('web', 'never', { signal: inner }),
    (inner) => stead.events({ signal: inner }).next(),
    (inner) => stead.logs('web', { signal: inner, follow: true, lines: 0 }).next(),
    (inner) => stead.logs('all', { signal: inner, follow: true, lines: 0, grep: 'x' }).next(),
    async (inner) => (await stead.attach('web', { signal: inner })).ended,
  ];
  for (let turns = 0; turns < 30; turns++) {
    const early = new AbortController();
    const asked = lasting.map((call) => call(early.signal).catch((error) => error));
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    early.abort(reason);
    for (const [at, outcome] of (await Promise.all(asked)).entries())
      assert.ok(outcome === reason || at === 0, `${at} after ${turns}: ${JSON.stringify(outcome)}`);
  }
  await settled();

  const other = await connect({ home: world.home });
  const left = other.events();
  const pending = left.next();
  await left.return!();
  assert.equal((await pending).done, true);
  const followed = other.logs('web', { follow: true, lines: 0 });
  const next = followed.next();
  const happening = other.events().next();
  const asked = failureOf(other.wait('web'));
  const attached = await other.attach('web');
  await other.close();
  assert.equal((await asked).code, 'CLIENT_CLOSED');
  assert.deepEqual([(await next).done, (await happening).done], [true, true]);
  assert.equal((await attached.ended).reason, 'detached');
  assert.equal((await failureOf(other.list())).code, 'CLIENT_CLOSED');
  await settled();
  await stead.signal('web', 'KILL');
});

test('a thousand calls leave nothing open', async (t) => {
  const world = new Stead(t);
  const stead = await connectTo(t, world, { start: true });
  await stead.start(forever, { name: 'web' });
  await stead.list();
  const before = holdings();
  const signal = new AbortController().signal;
  for (let round = 0; round < 50; round++)
    await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        if (at % 5 === 0) return failureOf(stead.show('nobody', { signal }));
        if (at === 7) for await (const _line of stead.logs('web', { signal }));
        return at % 2 === 0 ? stead.list(undefined, { signal }) : stead.reset('web', { signal });
      }),
    );
  await waitFor('all to be closed', () => {
    const now = holdings();
    return now.fds <= before.fds && now.timers <= before.timers;
  });
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a daemon that is started holds nothing of the program that asks, and closes nothing of it', async (t) => {
  const world = new Stead(t);
  const kept = join(world.directory, 'kept');
  const fd = openSync(kept, 'w');
  t.after(() => closeSync(fd));
  const script = `import { readlinkSync } from 'node:fs';
    import { connect } from ${JSON.stringify(apiFile)};
    const stead = await connect({ start: true });
    const { pid, guardian } = await stead.daemonStatus();
    console.log(JSON.stringify({ pid, guardian, own: readlinkSync('/proc/self/fd/20') }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: world.env,
    stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: 17 }, () => 'ignore' as const), fd],
  });
  const { stdout, stderr } = await collect(child, 'a program that uses the API', 60_000);
  assert.ok(stdout, stderr);
  const { pid, guardian, own } = JSON.parse(stdout);
  assert.equal(own, kept);
  for (const one of [pid, guardian])
    for (const name of readdirSync(`/proc/${one}/fd`)) assert.notEqual(readlinkSync(`/proc/${one}/fd/${name}`), kept);
});

/** Too much of everything, and a machine that misbehaves: the daemon lives on, says what is wrong, and gives back what it took. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { cgroupBase } from '../../src/host/cgroup.ts';
import { processStat } from '../../src/host/process.ts';
import { type AppView, routes } from '../../src/protocol/api.ts';
import { errorCatalogue } from '../../src/protocol/errors.ts';
import { homeId } from '../../src/storage/home.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning, statusField } from '../support/proc.ts';
import { collect, execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';
import { daemonsOf } from './harness/invariants.ts';
import { type Answer, post } from './harness/requests.ts';
import { fields } from './harness/wrong-values.ts';

const socketOf = (stead: Stead) => join(stead.home, 'stead.sock');
const pidOf = (stead: Stead): number => JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8')).pid;
const fdsOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const megabytes = (pid: number) => Number.parseInt(statusField(pid, 'VmRSS'), 10) / 1024;
const caller = {
  cwd: '/',
  env: ['PATH=/usr/bin:/bin'],
  umask: 18,
  limits: {},
  nice: 0,
  oomScoreAdj: 0,
  pid: 1,
  command: 'test',
};
const startOf = (name: string, rest: readonly string[] = ['sleep', '1000'], options = {}) =>
  JSON.stringify({ targets: [], rest, options: { name, ...options }, caller, wait: false });
const selecting = (name: string) => JSON.stringify({ select: [name], caller: { pid: 1, command: 'test' }, wait: true });
const programs = (apps: readonly AppView[]) => apps.map(({ name, instances }) => `${name} ${instances[0]!.pid}`).sort();

/** Processor time in hundredths of a second. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** What it uses of one core over a second: time itself is what is measured. */
async function loadOf(pid: number): Promise<number> {
  const before = ticksOf(pid);
  await pause(1000);
  return (ticksOf(pid) - before) / 100;
}

function isClear({ status, body }: Answer, what: string): void {
  if (status === 200) return;
  const { code, message } = (body as { error: { code: string; message: string } }).error;
  assert.ok(
    Object.hasOwn(errorCatalogue, code) && code !== 'INTERNAL' && message.length > 20,
    `${what}: ${code} ${message}`,
  );
}

interface Client {
  readonly socket: Socket;
  received: string;
  isClosed: boolean;
}

/** Connects, a hundred at a time: the kernel holds some more that nobody has accepted yet. */
async function crowd(t: TestContext, path: string, count: number, greeting: (at: number) => string): Promise<Client[]> {
  const clients: Client[] = [];
  t.after(() => leave(clients));
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(100, count - clients.length) }, (_, at) => clients.length + at);
    await Promise.all(
      some.map(
        (at) =>
          new Promise<void>((resolve) => {
            const client: Client = { socket: connect(path), received: '', isClosed: false };
            clients.push(client);
            // Being hung up on is what some are here for.
            client.socket.on('error', () => {});
            client.socket.setEncoding('latin1').on('data', (text: string) => {
              client.received += text;
            });
            client.socket.once('connect', () => {
              if (greeting(at) !== '') client.socket.write(greeting(at));
              resolve();
            });
            client.socket.once('close', () => {
              client.isClosed = true;
              resolve();
            });
          }),
      ),
    );
  }
  return clients;
}

function leave(clients: readonly Client[]): void {
  for (const { socket } of clients) socket.destroy();
}

/** `stead daemon run` through other commands. It ends with the test's stead. */
async function foreground(
  stead: Stead,
  through: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ChildProcess> {
  const before = existsSync(join(stead.home, 'daemon.json')) ? pidOf(stead) : null;
  const [command, ...words] = [...through, process.execPath, steadBin, 'daemon', 'run'];
  const child = spawn(command!, words, { env: { ...stead.env, ...env }, cwd: stead.directory, stdio: 'pipe' });
  void collect(child, 'stead daemon run', 60_000).catch(() => {});
  await waitFor('the daemon', async () => pidOf(stead) !== before && (await stead.daemon()).running, {
    timeoutMs: 60_000,
  });
  return child;
}

test('64 open files for 80 apps and 200 clients: refused in words or done, and all is well when it is over', async (t) => {
  const stead = new Stead(t);
  const narrow = ['prlimit', '--nofile=64:64', '--'];
  await foreground(stead, narrow);
  const daemon = pidOf(stead);
  const names = Array.from({ length: 80 }, (_, at) => `app-${at}`);
  // So many at once that the kernel itself may turn one away.
  const answers = await Promise.all(
    names.map((name) => post(socketOf(stead), '/v1/start', startOf(name)).catch(() => null)),
  );
  for (const [at, answer] of answers.entries()) if (answer !== null) isClear(answer, `start ${at}`);
  const count = (test: (answer: Answer | null) => boolean) => answers.filter(test).length;
  t.diagnostic(
    `of 80 at once: ${count((answer) => answer?.status === 200)} started, ${count((answer) => answer === null)} hung up on`,
  );

  // Those of the crowd that hung up may be under way yet.
  for (const name of names)
    await waitFor(
      `${name} to start`,
      async () => (await post(socketOf(stead), '/v1/start', startOf(name))).status === 200,
    );
  await waitFor('80 to run', async () => (await stead.list()).every(({ state }) => state === 'running'));
  const before = programs(await stead.list());
  assert.equal(before.length, 80);

  const clients = await crowd(t, socketOf(stead), 200, () => 'GET /v1/apps HTTP/1.1\r\nhost: x\r\n\r\n');
  await waitFor('an answer to each', () =>
    clients.every(({ received, isClosed }) => isClosed || received.includes('\r\n\r\n')),
  );
  const heads = clients.map(({ received }) => received.split('\r\n', 1)[0]!);
  t.diagnostic(
    JSON.stringify(
      Object.fromEntries([...new Set(heads)].map((head) => [head, heads.filter((one) => one === head).length])),
    ),
  );
  for (const head of heads) assert.match(head, /^(HTTP\/1\.1 (200|503) .*)?$/);

  assert.ok((await loadOf(daemon)) < 0.5, 'it does not spin');
  const { code, stderr } = await stead.run(['list']);
  assert.ok(code === 0 || /limit|open files|connections/.test(stderr), stderr);
  leave(clients);
  await waitFor('it to recover', async () => (await stead.run(['list'])).code === 0);
  assert.deepEqual([programs(await stead.list()), pidOf(stead), isRunning(daemon)], [before, daemon, true]);

  // The next one finds 80 launchers to look after.
  process.kill(daemon, 'SIGKILL');
  await waitFor('its end', () => !isRunning(daemon));
  await foreground(stead, narrow);
  const next = pidOf(stead);
  const idle = await crowd(t, socketOf(stead), 200, () => '');
  assert.ok((await loadOf(next)) < 0.5, 'it does not spin');
  await stead.ok(['restart', 'app-7']);
  await stead.ok(['stop', 'app-8']);
  leave(idle);
  const untouched = (entry: string) => !/^app-[78] /.test(entry);
  assert.deepEqual(programs(await stead.list()).filter(untouched), before.filter(untouched));
  const odd = (await stead.list()).filter(({ state, instances }) => state !== 'running' || instances[0]!.restarts > 0);
  assert.deepEqual([odd.map(({ name }) => name), pidOf(stead)], [['app-8'], next]);
});

test('3,000 idle clients: commands work, and what they cost is given back', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const daemon = pidOf(stead);
  const [fds, memory] = [fdsOf(daemon), megabytes(daemon)];
  const clients = await crowd(t, socketOf(stead), 3000, () => '');
  for (const words of [['list'], ['show', 'web'], ['restart', 'web'], ['daemon', 'status']]) await stead.ok(words);
  const grown = megabytes(daemon) - memory;
  t.diagnostic(`${clients.filter(({ isClosed }) => !isClosed).length} stay connected, ${Math.round(grown)} MB`);
  assert.ok(grown < 100, `${grown} MB`);
  leave(clients);
  await waitFor(`${fds} open files again`, () => fdsOf(daemon) <= fds);
  await stead.ok(['list']);
  assert.equal(pidOf(stead), daemon);
});

// What waits for the most part.
const faketime = [
  `/usr/lib/${{ arm64: 'aarch64', x64: 'x86_64' }[process.arch as string]}-linux-gnu`,
  '/usr/lib',
  '/usr/lib64',
]
  .map((folder) => join(folder, 'faketime/libfaketime.so.1'))
  .find((path) => existsSync(path));

describe('clients and daemons that are silent, a Node that is gone, a clock that jumps', { concurrency: 3 }, () => {
  test('300 clients that never finish their request: others are served, and they are hung up on', async (t) => {
    const stead = new Stead(t);
    await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
    const daemon = pidOf(stead);
    const fds = fdsOf(daemon);
    const began = performance.now();
    const head =
      'POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"select":["all"]';
    const halves = [head.slice(0, 40), head, ''];
    const clients = await crowd(t, socketOf(stead), 300, (at) => (at < 150 ? '' : halves[at % 3]!));
    let sent = 0;
    const drip = setInterval(() => {
      for (const { socket, isClosed } of clients.slice(0, 150)) if (!isClosed) socket.write(head[sent]!);
      sent += 1;
    }, 1000);
    t.after(() => clearInterval(drip));
    const open = () => clients.filter(({ isClosed }) => !isClosed).length;
    while (open() > 0 && performance.now() - began < 20_000) {
      const { tookMs } = await stead.ok(['list']);
      assert.ok(tookMs < 3000, `list took ${tookMs} ms`);
      await Promise.race([pause(500), waitFor('their end', () => open() === 0)]);
    }
    assert.equal(open(), 0, 'all are hung up on');
    t.diagnostic(`hung up on after ${Math.round((performance.now() - began) / 1000)} s`);
    // Who writes at the very moment in which it is hung up on may miss why.
    for (const [at, { received }] of clients.entries())
      if (at >= 150 || received !== '') assert.match(received, /^HTTP\/1\.1 4\d\d [\s\S]*BAD_REQUEST/);
    await waitFor(`${fds} open files again`, () => fdsOf(daemon) <= fds);
    assert.deepEqual([(await stead.show('web')).state, pidOf(stead)], ['running', daemon]);
  });

  test('a daemon that is stopped for 6 s: commands say so in time, and it goes on as if nothing had been', async (t) => {
    const stead = new Stead(t);
    await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
    const [daemon, program] = [pidOf(stead), await stead.pid('web')];
    process.kill(daemon, 'SIGSTOP');
    t.after(() => isRunning(daemon) && process.kill(daemon, 'SIGCONT'));
    await waitFor('it to be stopped', () => processStat(daemon)?.state === 'T');
    const stopped = pause(6000);
    const results = await Promise.all(
      [['list'], ['show', 'web'], ['daemon', 'status']].map((words) => stead.run(words)),
    );
    for (const { code, stderr, tookMs } of results) {
      assert.deepEqual([code, tookMs < 7000], [4, true], `${tookMs} ms: ${stderr}`);
      assert.match(stderr, new RegExp(`pid ${daemon}\\b`));
      assert.match(stderr, /stead daemon restart/);
    }
    await stopped;
    process.kill(daemon, 'SIGCONT');
    const { instances } = await stead.show('web');
    assert.deepEqual([instances[0]!.pid, instances[0]!.restarts, pidOf(stead)], [program, 0, daemon]);
    await stead.ok(['restart', 'web']);
    assert.notEqual(await stead.pid('web'), program);
    assert.deepEqual(daemonsOf(stead.home), [daemon]);
  });

  test('the Node that the daemon runs with is removed: its path is named, and another Node brings all back', async (t) => {
    const stead = new Stead(t);
    const [tools, bin] = [stead.folder('tools'), stead.folder('bin')];
    // All that a shell needs, but no Node.
    for (const folder of ['/bin', '/usr/bin'])
      for (const name of ['sh', 'sleep', 'rm', 'flock', 'setsid', 'env', 'cat'])
        if (existsSync(join(folder, name)) && !existsSync(join(tools, name)))
          symlinkSync(join(folder, name), join(tools, name));
    const node = join(bin, 'node');
    copyFileSync(process.execPath, node);
    const env = { ...stead.env, PATH: `${bin}:${tools}` };
    const started = await execute(node, [steadBin, 'start', '--name', 'web', '--', 'sleep', '1000'], {
      env,
      cwd: stead.directory,
    });
    assert.equal(started.code, 0, started.stderr);
    const [daemon, program] = [pidOf(stead), await stead.pid('web')];
    rmSync(node);
    process.kill(daemon, 'SIGKILL');
    const log = join(stead.home, 'daemon.log');
    const line = await waitFor(
      'the guardian to say it',
      () => /^guardian: no Node: .*$/m.exec(readFileSync(log, 'utf8'))?.[0] ?? null,
    );
    assert.ok(line.includes(node) && line.includes(tools), line);

    const { stdout, stderr } = await stead.run(['list', '--json']);
    assert.match(stderr, /not running/);
    assert.match(stdout, new RegExp(`"pid": ?${program}\\b`));
    assert.ok(isRunning(program));
    const { tookMs } = await stead.ok(['start', '--name', 'new', '--', 'sleep', '1000']);
    assert.ok(tookMs < 5000, `${tookMs} ms`);
    assert.equal(await stead.pid('web'), program);
    await waitFor('one daemon', () => daemonsOf(stead.home).length === 1 && isRunning(pidOf(stead)));
    process.kill(pidOf(stead), 'SIGKILL');
    await waitFor('its guardian to bring it back', async () => (await stead.daemon()).running);
    assert.equal(await stead.pid('web'), program);
  });

  test('open files that run out under a daemon: clients are told, and served when the limit is lifted', async (t) => {
    const stead = new Stead(t);
    await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
    const [daemon, program] = [pidOf(stead), await stead.pid('web')];
    const get = () => crowd(t, socketOf(stead), 200, () => 'GET /v1/daemon HTTP/1.1\r\nhost: x\r\n\r\n');
    const idle = await crowd(t, socketOf(stead), 100, () => '');
    // Fewer than are open.
    execFileSync('prlimit', ['--pid', String(daemon), '--nofile=64:']);
    const some = await get();
    await waitFor('an answer to each', () => some.every(({ received, isClosed }) => isClosed || received !== ''));
    assert.ok((await loadOf(daemon)) < 0.5, 'it does not spin');
    assert.deepEqual([isRunning(program), isRunning(daemon)], [true, true]);
    leave(some);
    execFileSync('prlimit', ['--pid', String(daemon), '--nofile=4096:']);
    const others = await get();
    await waitFor('all to be served', () => others.every(({ received }) => received.startsWith('HTTP/1.1 200')));
    leave([...idle, ...others]);
    const { instances } = await stead.show('web');
    assert.deepEqual([instances[0]!.pid, instances[0]!.restarts, pidOf(stead)], [program, 0, daemon]);
  });

  test('the wall clock jumps ten years ahead and back: nothing is restarted, and nothing waits for it', async (t) => {
    if (faketime === undefined) {
      t.skip('faketime is not installed');
      return;
    }
    const directory = mkdtempSync(join(tmpdir(), 'stead-clock-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const clock = join(directory, 'clock');
    const jump = (offset: string) => writeFileSync(clock, `${offset}\n`);
    jump('+0y');
    const fake = {
      LD_PRELOAD: faketime,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
    const stead = new Stead(t);
    // `daemon run` hands no such variables on: the guardian is started as it would.
    await stead.ok(['daemon', 'restart']);
    await stead.ok(['daemon', 'stop']);
    await waitFor('its lock', () => execFileSync('flock', ['-n', join(stead.home, 'lock'), 'echo', 'free']).length > 0);
    const library = join(stead.home, 'lib', readdirSync(join(stead.home, 'lib'))[0]!);
    const words = [join(library, 'guardian.sh'), 'run', stead.home, process.execPath, join(library, 'daemon.cjs')];
    const child = spawn('/bin/sh', words, { env: { ...stead.env, ...fake }, stdio: 'ignore' });
    const end = new Promise((resolve) => child.once('exit', resolve));
    await waitFor('the daemon', async () => (await stead.daemon()).running);
    const daemon = pidOf(stead);
    const start = (name: string, rest: readonly string[], options = {}) =>
      post(socketOf(stead), '/v1/start', startOf(name, rest, options));
    assert.equal((await start('web', ['sleep', '1000'])).status, 200);
    assert.equal((await start('crash', ['false'], { backoffMinMs: 100, backoffMaxMs: 1000 })).status, 200);
    const program = await stead.pid('web');
    const began = performance.now();
    for (const [offset, year] of [
      ['+10y', 10],
      ['-10y', -10],
      ['+0y', 0],
    ] as const) {
      const before = (await stead.show('crash')).instances[0]!.restarts;
      jump(offset);
      const { instances } = await stead.until(
        'crash',
        `restarts at ${offset}`,
        (app) => app.instances[0]!.restarts > before + 1,
        8000,
      );
      assert.ok(instances[0]!.restarts < 200);
      const [web] = await stead
        .json<AppView[]>(['list'], { env: fake })
        .then((apps) => apps.filter(({ name }) => name === 'web'));
      const now = Date.now() + year * 365.25 * 86_400_000;
      const upMs = now - Date.parse(web!.instances[0]!.since!);
      assert.ok(Math.abs(upMs - (performance.now() - began)) < 3 * 86_400_000, `${offset}: up ${upMs} ms`);
      const { stdout } = await stead.ok(['list'], { env: fake });
      assert.match(stdout, /web +running +\d{1,2}s /, stdout);
      assert.deepEqual([web!.instances[0]!.pid, web!.instances[0]!.restarts, pidOf(stead)], [program, 0, daemon]);
      for (const { upMs: ran } of (await stead.show('crash')).exits)
        assert.ok(ran === null || (ran >= 0 && ran < 60_000), `${ran}`);
    }
    const { code } = await stead.run(['daemon', 'stop']);
    assert.equal(code, 0);
    await end;
  });
});

const named = Object.entries(routes).filter(([name]) => name !== 'daemonStop');
const harmless: Record<string, unknown> = {
  select: ['nobody'],
  targets: ['/nowhere/at/all'],
  command: ['/nowhere/at/all'],
};
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\0', '__proto__', 'constructor', '../..', '@', 'nobody:0', '\ud800', 'x'.repeat(70_000)),
);
const anything = fc.oneof(
  texts,
  fc.constantFrom(2 ** 31, 2 ** 53, -(2 ** 63), 1e308, -1, 0.1),
  fc.anything({ maxDepth: 3, maxKeys: 4 }),
  fc.array(texts, { maxLength: 3 }),
);

/** Right, but that it names nothing that there is; then some of its fields are replaced. A process of this machine is never named: `adopt` would take it. */
function nearly(route: string): fc.Arbitrary<string> {
  const table = fields[route] ?? {};
  const right = Object.entries(table).map(([key, value]) => [key, harmless[key] ?? value.right]);
  const fits = (value: unknown) => !(Number.isInteger(value) && (value as number) > 0 && (value as number) < 2 ** 22);
  const change = fc
    .tuple(fc.constantFrom(...Object.keys(table), 'nonsense'), anything)
    .filter(([key, value]) => key !== 'pid' || fits(value));
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => JSON.stringify({ ...Object.fromEntries(right), ...Object.fromEntries(changes) }));
}

function bodies(route: string): fc.Arbitrary<Buffer> {
  const nested = fc
    .tuple(fc.constantFrom('[', '{"a":', '{"select":['), fc.integer({ min: 100, max: 20_000 }))
    .map(([text, depth]) => text.repeat(depth));
  const right = fc
    .oneof(
      { weight: 6, arbitrary: nearly(route) },
      { weight: 1, arbitrary: nested },
      { weight: 2, arbitrary: fc.json() },
    )
    .map((text) => Buffer.from(text));
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  const cut = fc.tuple(right, part).map(([bytes, at]) => bytes.subarray(0, Math.floor(bytes.length * at)));
  const noUtf8 = fc.tuple(right, part).map(([bytes, at]) => {
    const middle = Math.floor(bytes.length * at);
    return Buffer.concat([bytes.subarray(0, middle), Buffer.from([0xff]), bytes.subarray(middle)]);
  });
  const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 5, arbitrary: right }, cut, noUtf8, random);
}

interface Nonsense {
  readonly route: string;
  readonly bytes: Buffer;
  /** Less comes than it says. */
  readonly isCut: boolean;
}

/** One request, as bytes. Its length is at times not what it says: then more is waited for, or what is left is no HTTP. */
function requests([route, [method, path]]: (typeof named)[number]): fc.Arbitrary<Nonsense> {
  const selectors = fc.oneof(
    texts.map((text) => encodeURIComponent(Buffer.from(text).toString())),
    fc.constantFrom('%', '%ff', '%00', '..', '9'.repeat(400), 'nobody?showEnv=%ff', ':0', '%2e%2e%2f'),
  );
  const types = fc.constantFrom('application/json', 'application/json', 'application/json', 'text/plain', '');
  return fc
    .tuple(bodies(route), selectors, types, fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1))
    .map(([body, selector, type, lie]) => {
      const length = Math.max(0, body.length + lie);
      const lines = [`${method} ${path.replace(':sel', selector)} HTTP/1.1`, 'host: x', 'connection: close'];
      const head = [...lines, `content-type: ${type}`, `content-length: ${length}`, '', ''].join('\r\n');
      return { route, bytes: Buffer.concat([Buffer.from(head), body]), isCut: length > body.length };
    });
}

/** All that came until the other side hung up, or for so long that it waits for something. */
function send(path: string, { bytes, isCut }: Nonsense): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    // A client that is done writing is taken for gone: only one that lies does that.
    const socket = connect(path, () => (isCut ? socket.end(bytes) : socket.write(bytes)));
    const timer = setTimeout(() => socket.destroy(), 15_000);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

test('1,200 requests that make no sense: none ends the daemon, is a fault of its own, or costs memory', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const [daemon, program] = [pidOf(stead), await stead.pid('web')];
  const seed = Number(process.env.STEAD_TEST_SEED ?? 1) || Date.now() % 2 ** 31;
  const all = named.flatMap((route, at) => fc.sample(requests(route), { numRuns: 130, seed: seed + at }));
  const shuffled = fc.sample(fc.shuffledSubarray(all, { minLength: 1200 }), { numRuns: 1, seed })[0]!;
  const statuses = new Map<string, number>();
  const faults: string[] = [];
  const work = async (queue: typeof all) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const text = await send(socketOf(stead), next);
      const status = text.slice(9, 12) || 'none';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (/^HTTP\/1\.1 5/.test(text) || (text === '' && !next.isCut))
        faults.push(`${next.route} ${next.bytes.toString('latin1').slice(0, 600)} → ${text}`);
    }
  };
  const warm = shuffled.splice(0, 600);
  await Promise.all(Array.from({ length: 8 }, () => work(warm)));
  const memory = megabytes(daemon);
  await Promise.all(Array.from({ length: 8 }, () => work(shuffled)));
  t.diagnostic(JSON.stringify(Object.fromEntries(statuses)));
  const grown = megabytes(daemon) - memory;
  t.diagnostic(`${Math.round(grown)} MB more`);
  assert.deepEqual(faults, []);
  assert.ok(grown < 40, `${grown} MB more`);
  assert.deepEqual([pidOf(stead), await stead.pid('web'), daemonsOf(stead.home)], [daemon, program, [daemon]]);
  assert.doesNotMatch(readFileSync(join(stead.home, 'daemon.log'), 'utf8'), /fault:|Error/);
});

test('90 times started and stopped, 30 times started and deleted: nothing is left of it', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['daemon', 'restart']);
  const daemon = pidOf(stead);
  const base = cgroupBase(homeId(stead.home), stead.env);
  const say = async (path: string, body: string) => {
    const { status, body: answer } = await post(socketOf(stead), path, body);
    assert.equal(status, 200, JSON.stringify(answer));
  };
  const cycles = async (name: string, count: number, end: 'stop' | 'delete') => {
    for (let cycle = 0; cycle < count; cycle++) {
      await say('/v1/start', startOf(name));
      await say(`/v1/${end}`, selecting(name));
    }
  };
  const round = async (factor: number) => {
    await Promise.all([0, 1, 2].map((at) => cycles(`app-${at}`, 10 * factor, 'stop')));
    await Promise.all([3, 4].map((at) => cycles(`app-${at}`, 5 * factor, 'delete')));
  };
  const files = () =>
    (readdirSync(stead.home, { recursive: true }) as string[])
      .filter((name) => !/\/runs\/\d+|exits\.jsonl|\.prev$|\/\.state\b/.test(name))
      .sort();
  const groups = () =>
    base === null
      ? []
      : readdirSync(base)
          .filter((name) => !name.includes('.'))
          .concat(readdirSync(base).filter((name) => name.startsWith('app.')))
          .sort();
  const runs = () => [0, 1, 2].map((at) => readdirSync(join(stead.home, `apps/app-${at}/0/runs`)).length);
  await round(1);
  const before = { fds: fdsOf(daemon), files: files(), groups: groups() };
  const memory = megabytes(daemon);
  await round(2);
  await waitFor('all to be as it was', () => {
    assert.ok(fdsOf(daemon) <= before.fds, `${fdsOf(daemon)} open files, ${before.fds} before`);
    assert.deepEqual([files(), groups()], [before.files, before.groups]);
    return true;
  });
  assert.ok(
    runs().every((count) => count <= 2),
    `${runs()} run directories`,
  );
  const grown = megabytes(daemon) - memory;
  t.diagnostic(`${Math.round(grown)} MB more; cgroups: ${base !== null}`);
  assert.ok(grown < 30, `${grown} MB more`);
  assert.equal(pidOf(stead), daemon);
});

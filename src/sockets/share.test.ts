/** What a program sees of its own servers is the same with the preload as without it, whether it binds them or inherits them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../test/support/ports.ts';
import { preload, ShareDaemon, type StartOptions } from '../../test/support/share.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';

/** [what is listened on with the port P, the key, the address as recorded] */
const forms: readonly (readonly [string, string, string])[] = [
  ['P', 'tcp:*:P', '[::]:P'],
  ['String(P)', 'tcp:*:P', '[::]:P'],
  ["P, '0.0.0.0'", 'tcp:0.0.0.0:P', '0.0.0.0:P'],
  ["P, '::'", 'tcp:*:P', '[::]:P'],
  ["P, 'localhost'", 'tcp:127.0.0.1:P', '127.0.0.1:P'],
  ["P, '127.0.0.1'", 'tcp:127.0.0.1:P', '127.0.0.1:P'],
  ["P, '::1'", 'tcp:::1:P', '[::1]:P'],
  ["P, '0:0:0:0:0:0:0:1'", 'tcp:::1:P', '[::1]:P'],
  ['{ port: P }', 'tcp:*:P', '[::]:P'],
  ["{ port: P, host: '127.0.0.1', exclusive: true }", 'tcp:127.0.0.1:P', '127.0.0.1:P'],
  ["{ port: P, host: '::', ipv6Only: true }", 'tcp:*:P:6', '[::]:P'],
  ['{ port: P, backlog: 5 }', 'tcp:*:P', '[::]:P'],
];

const hold = 'setInterval(() => {}, 1e6);';

/** Listens in each form; prints what a program can see at once and later. */
const listens = (ports: readonly number[], names: readonly string[]) => `
  const net = require('node:net');
  const seen = {};
  let left = ${names.length};
  const see = (name, args) => {
    const server = net.createServer();
    seen[name] = { events: [] };
    for (const event of ['listening', 'error', 'close']) server.on(event, (e) => seen[name].events.push(event + (e ? ' ' + e.message : '')));
    server.listen(...args, () => {
      Object.assign(seen[name], { later: server.address(), key: server._connectionKey });
      if (--left === 0) console.log(JSON.stringify(seen));
    });
    Object.assign(seen[name], { atOnce: server.address(), listening: server.listening, shows: Object.keys(server) });
  };
  ${names.map((name, at) => `see(${JSON.stringify(name)}, [${name.replaceAll('P', String(ports[at]))}]);`).join('\n')}
  ${hold}`;

test('each form of listen looks as it does alone: when the program binds it, and when it inherits it', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const names = forms.map(([name]) => name);
  const ports = await Promise.all(names.map(() => freePort()));
  const source = listens(ports, names);
  const alone = await daemon.program(source, { env: { NODE_OPTIONS: '' } });
  const [expected] = await alone.prints(/^.*\n/);
  alone.signal('SIGKILL');
  await alone.ended();

  const first = await daemon.program(source);
  assert.deepEqual(JSON.parse((await first.prints(/^.*\n/))[0]), JSON.parse(expected!));
  for (const [at, [, key]] of forms.entries())
    await daemon.event('given', { key: key.replaceAll('P', String(ports[at])), taken: true, pid: first.pid });
  const second = await daemon.program(source);
  assert.deepEqual(JSON.parse((await second.prints(/^.*\n/))[0]), JSON.parse(expected!));
  const records = forms.map(([, key, address], at) => ({
    do: 'listen',
    key: key.replaceAll('P', String(ports[at])),
    address: address.replaceAll('P', String(ports[at])),
    isShared: true,
  }));
  const sorted = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort();
  assert.deepEqual(sorted(first.said()), sorted(records));
  assert.deepEqual(sorted(second.said()), sorted(records));
  // Nothing was asked for: what is inherited is used.
  assert.deepEqual(daemon.events, []);
});

test('port 0 is one port for all; an exclusive one is each program’s own', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const source = `const net = require('node:net');
    const a = net.createServer().listen(0); const b = net.createServer().listen(0, '127.0.0.1');
    const c = net.createServer().listen(0); const d = net.createServer().listen({ port: 0, exclusive: true });
    b.once('listening', () => console.log(JSON.stringify([a, b, c, d].map((s) => s.address().port))));`;
  const first = await daemon.program(source);
  for (const key of ['tcp:*:0#1', 'tcp:127.0.0.1:0#1', 'tcp:*:0#2']) await daemon.event('given', { key, taken: true });
  const second = await daemon.program(source);
  const ports = async (program: typeof first) => JSON.parse((await program.prints(/^.*\n/))[0]) as number[];
  const [ofFirst, ofSecond] = [await ports(first), await ports(second)];
  assert.deepEqual(ofSecond.slice(0, 3), ofFirst.slice(0, 3));
  assert.equal(new Set([...ofFirst, ...ofSecond]).size, 5);
  assert.deepEqual(
    second
      .said()
      .filter(({ isShared }) => !isShared)
      .map(({ address }) => address),
    [`[::]:${ofSecond[3]}`],
  );
});

test('a held socket on all addresses serves a program that asks for 0.0.0.0', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const at = (host: string) => `require('node:net').createServer().listen(${port}${host})`;
  await daemon.program(at(''));
  await daemon.event('given', { taken: true });
  const second = await daemon.program(at(", '0.0.0.0'"));
  assert.equal((await second.saysThat('listen')).key, `tcp:*:${port}`);
});

for (const [kind, source] of [
  ['CommonJS', (port: number) => `require('http').createServer((q, r) => r.end(process.pid + '')).listen(${port})`],
  [
    'ESM',
    (port: number) =>
      `import { createServer } from 'node:http'; createServer((q, r) => r.end(process.pid + '')).listen(${port})`,
  ],
] as const)
  test(`two programs of ${kind} answer on one port, and one alone when the other has ended`, async (t) => {
    const daemon = await ShareDaemon.start(t);
    const port = await freePort();
    const options: StartOptions = { extension: kind === 'ESM' ? 'mjs' : 'cjs' };
    const first = await daemon.program(source(port), options);
    await daemon.event('given', { taken: true });
    const second = await daemon.program(source(port), options);
    await second.saysThat('listen');
    first.signal('SIGKILL');
    await first.ended();
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => (await fetch(`http://127.0.0.1:${port}`)).text()),
    );
    assert.deepEqual(new Set(answers), new Set([String(second.pid)]));
  });

test('the program sees nothing of it, nor do its threads, children and forks', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const source = `
    const { isMainThread, Worker, parentPort } = require('node:worker_threads');
    const look = () => ({
      env: Object.keys(process.env).sort(), send: typeof process.send, names: process.eventNames(), keys: Object.keys(process).sort(),
      inherited: (() => { const all = []; for (const k in process) all.push(k); return all.sort(); })(),
      cache: Object.keys(require.cache).length, options: process.env.NODE_OPTIONS, execArgv: process.execArgv, emitter: Object.getOwnPropertyNames(require('node:events').prototype).sort(),
      noDeprecation: process.noDeprecation, active: process.getActiveResourcesInfo(),
    });
    if (process.argv[2] === 'child') { process.send ? process.send(look()) : console.log(JSON.stringify(look())); process.exit(7); }
    if (!isMainThread) { parentPort.postMessage(look()); return; }
    const all = { own: look(), warnings: [] };
    process.on('warning', (w) => all.warnings.push(w.message));
    const { fork, execFileSync, spawnSync } = require('node:child_process');
    all.spawned = JSON.parse(spawnSync(process.execPath, [__filename, 'child'], { encoding: 'utf8' }).stdout);
    new Worker(__filename).on('message', (m) => { all.worker = m;
      fork(__filename, ['child']).on('message', (m) => { all.forked = m; }).on('exit', (code) => { all.code = code; console.log(JSON.stringify(all)); }); });`;
  const look = async (env: Record<string, string>, nodeArgs: readonly string[] = []) => {
    const program = await daemon.program(source, { env, nodeArgs, shares: false });
    const [line] = await program.prints(/^.*\n/);
    assert.equal(await program.ended(), 0);
    assert.equal(program.err(), '');
    return JSON.parse(line!.replaceAll(program.directory, '')) as Record<string, Record<string, unknown>>;
  };
  const alone = await look({ NODE_OPTIONS: '' });
  // The launcher's shell alone would leave these two.
  for (const seen of Object.values(alone).filter((one) => Array.isArray(one?.env)))
    seen.env = (seen.env as string[]).filter((name) => !['STEAD_PID', 'STEAD_SHARE', 'NODE_OPTIONS'].includes(name));
  for (const seen of Object.values(alone).filter((one) => one?.options === '')) delete seen.options;
  // Its own few modules are in the cache of modules: those of any preload are.
  const withoutCache = (seen: Record<string, Record<string, unknown>>) =>
    JSON.parse(JSON.stringify(seen, (key, value) => (key === 'cache' || key === 'emitter' ? undefined : value)));
  assert.deepEqual(withoutCache(await look({})), withoutCache(alone));
  assert.deepEqual(withoutCache(await look({}, ['--pending-deprecation'])).warnings, []);
});

test('the environment keeps every other option, and what others call share.cjs', (t) => {
  const directory = temporaryDirectory(t);
  const other = join(directory, 'with space', 'share.cjs');
  mkdirSync(join(directory, 'with space'));
  writeFileSync(other, '');
  const run = (options: string) =>
    spawnSync(
      process.execPath,
      ['-p', 'JSON.stringify([process.env.NODE_OPTIONS, process.env.STEAD_PID, process.env.STEAD_SHARE])'],
      {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, NODE_OPTIONS: options, STEAD_PID: '1', STEAD_SHARE: '{}' },
      },
    ).stdout.trim();
  const own = `--require="${preload}"`;
  for (const [given, left] of [
    [own, null],
    [`--no-warnings ${own}`, '--no-warnings'],
    [`${own} --no-warnings`, '--no-warnings'],
    [`--require="${other}" ${own} --no-warnings`, `--require="${other}" --no-warnings`],
  ] as const)
    assert.deepEqual(JSON.parse(run(given)), [left, null, null], given);
});

test('cluster in the program works, and its port is shared like any', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const source = `const cluster = require('node:cluster');
    if (cluster.isPrimary) { cluster.fork(); cluster.fork(); }
    else require('node:http').createServer((q, r) => r.end(process.ppid + '')).listen(${port}, () => console.log('worker listens'));`;
  const first = await daemon.program(source);
  await first.prints(/(worker listens\n){2}/);
  await daemon.event('given', { key: `tcp:*:${port}`, pid: first.pid, taken: true });
  const second = await daemon.program(source);
  await second.prints(/(worker listens\n){2}/);
  first.signal('SIGTERM');
  await first.ended();
  const answer = await fetch(`http://127.0.0.1:${port}`);
  assert.equal(await answer.text(), String(second.pid));
});

test('a program that does not listen ends by itself, with its own code', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const program = await daemon.program(`require('node:net'); process.exitCode = 3;`);
  assert.equal(await program.ended(), 3);
  assert.deepEqual(program.said(), []);
});

test('an unref’d shared server keeps no program alive', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const source = `require('node:net').createServer().listen(${port}).unref(); setTimeout(() => {}, 100);`;
  const first = await daemon.program(source);
  assert.equal(await first.ended(), 0);
  await daemon.event('given', { taken: true });
  const second = await daemon.program(source);
  assert.equal(await second.ended(), 0);
});

/** Sockets that a program is given, and the variables that tell whose they are. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inEachShell, type Launched, launcherIn, launcherScript } from '../../test/support/launcher.ts';
import { isRunning, openFds, procEntries, processesMarked } from '../../test/support/proc.ts';
import { waitFor, waitForFile } from '../../test/support/wait.ts';
import { closeInheritedFds } from '../host/fds.ts';
import { launcherEnvironment } from './environment.ts';
import { spawnLauncher } from './launch.ts';

// What the test itself was started with is no matter of these.
closeInheritedFds();

const pipe = { owner: null, forward: null };
const sleep = ['/bin/sleep', '300'];
/** Through commands that change what can be changed here, each of which executes the next. */
const via = [
  '/usr/bin/prlimit',
  '--core=0:0',
  '--',
  '/usr/bin/nice',
  '-n',
  '1',
  '/usr/bin/setpriv',
  '--no-new-privs',
  '--',
];

interface Listening {
  readonly server: Server;
  readonly fd: number;
  readonly port: number;
  /** As /proc/PID/fd tells it: `socket:[12345]`. */
  readonly inode: string;
}

async function listening(t: TestContext): Promise<Listening> {
  const server = createServer();
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { server, fd, port: (server.address() as AddressInfo).port, inode: readlinkSync(`/proc/self/fd/${fd}`) };
}

const several = (t: TestContext, count: number) => Promise.all(Array.from({ length: count }, () => listening(t)));

/** Of the open file, so of everybody that has it: who hands it on may not change it. */
const isNonBlocking = (pid: number, fd: number): boolean =>
  (Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))![1]!, 8) &
    constants.O_NONBLOCK) !==
  0;

/** Waits until these are the fds of a program above 2: while it is loaded it has others open. */
const waitForInherited = (pid: number, expected: Record<string, string>) =>
  waitFor('the fds of the program', () => {
    const { 0: _0, 1: _1, 2: _2, ...others } = openFds(pid);
    assert.deepEqual(others, expected);
    return true;
  });

async function end(run: Launched): Promise<void> {
  process.kill(run.record().program!.pid, 'SIGKILL');
  await run.ended;
}

/** What the other end says until it closes. */
async function answer(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  for await (const part of socket) text += part;
  return text;
}

inEachShell('sockets are the same ones at their places in the program, whatever else it is given', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const all = await several(t, 5);
  const held = openSync('/dev/full', 'r');
  t.after(() => closeSync(held));
  const everything = { env: ['a.b=1'], held, hasStdin: true, via, pipe };
  const orders: readonly [readonly number[], object][] = [
    ...[[3], [7], [4, 6]].map((places) => [places, everything] as [number[], object]),
    ...[{}, { held }, { pipe }, everything].map((options) => [[3, 4, 5, 6, 7], options] as [number[], object]),
  ];
  for (const [places, options] of orders) {
    const run = launch({
      argv: sleep,
      sockets: places.map((at, index) => ({ at, fd: all[index]!.fd })),
      pidNames: ['LISTEN_PID'],
      ...options,
    });
    const pid = await run.program('sleep');
    const expected = Object.fromEntries(places.map((at, index) => [at, all[index]!.inode]));
    await waitForInherited(pid, expected);
    const ofLauncher = openFds(run.child.pid!);
    for (const at of places) assert.equal(ofLauncher[at], expected[at]);
    assert.equal(ofLauncher[8], 'held' in options ? '/dev/full' : undefined);
    await end(run);
  }
});

inEachShell('a socket stays as it is, blocking or not', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const { fd } = await listening(t);
  const blocking = openSync('/dev/full', 'r');
  t.after(() => closeSync(blocking));
  const sockets = [
    { at: 3, fd },
    { at: 4, fd: blocking },
  ];
  const run = launch({ argv: sleep, sockets, held: blocking });
  const pid = await run.program('sleep');
  assert.deepEqual([isNonBlocking(pid, 3), isNonBlocking(pid, 4)], [true, false]);
  await end(run);
});

inEachShell('a socket beside an fd for readiness', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const [one, two] = await several(t, 2);
  for (const [at, readyFd] of [
    [3, 4],
    [7, 3],
    [3, 7],
  ] as const) {
    const sockets = [
      { at, fd: one!.fd },
      { at: 5, fd: two!.fd },
    ];
    const run = launch({ argv: sleep, sockets, readyFd, pipe });
    const pid = await run.program('sleep');
    await waitForInherited(pid, { [at]: one!.inode, 5: two!.inode, [readyFd]: join(run.directory, 'ready') });
    await end(run);
  }
});

inEachShell('of five sockets and what is held, no pump has any', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const sockets = (await several(t, 5)).map(({ fd }, index) => ({ at: index + 3, fd }));
  const held = openSync('/dev/full', 'r');
  t.after(() => closeSync(held));
  const log = openSync(join(launch.base, 'both'), 'a');
  t.after(() => closeSync(log));
  for (const options of [{}, { out: log, err: log }, { pipe: { owner: null, forward: ['/bin/cat'] } }]) {
    const argv = ['/bin/sh', '-c', 'echo out; echo err >&2; exec sleep 300'];
    const run = launch({ argv, sockets, held, pipe, ...options });
    await run.program('sleep');
    // One that was seen may have been on its way to its end.
    const pumps = processesMarked(launcherScript).filter(
      (pid) => pid !== run.child.pid && isRunning(pid) && wordsOf(pid).includes(String(run.child.pid)),
    );
    assert.equal(pumps.length >= ('out' in options ? 1 : 2), true);
    for (const pump of pumps) {
      await waitFor('a pump without what it needs to start', () => {
        const targets = Object.values(openFds(pump));
        return !targets.some((target) => target.endsWith('/up (deleted)')) && targets;
      });
      assert.ok(
        !Object.values(openFds(pump)).some((target) => /socket:|\/dev\/full/.test(target)),
        JSON.stringify(openFds(pump)),
      );
    }
    await waitForFile('out' in options ? join(launch.base, 'both') : run.output, /out\n/);
    await end(run);
  }
});

const accepts = {
  node: [
    process.execPath,
    '-e',
    'require("net").createServer((s) => s.end([process.env.LISTEN_PID, process.pid].join(" "))).listen({ fd: 5 })',
  ],
  python: [
    '/usr/bin/python3',
    '-c',
    'import os, socket\ns = socket.socket(fileno=5)\ns.setblocking(True)\nwhile True:\n  c = s.accept()[0]\n  c.sendall(f"{os.environ[\'LISTEN_PID\']} {os.getpid()}".encode())\n  c.close()',
  ],
};

inEachShell('a program accepts from its socket; its launcher and who started it may go', async (t, shell) => {
  const launch = launcherIn(t, shell);
  for (const argv of Object.values(accepts)) {
    const { server, fd, port, inode } = await listening(t);
    const run = launch({ argv, sockets: [{ at: 5, fd }], pidNames: ['LISTEN_PID'], pipe });
    server.close();
    const { pid } = await waitFor('a run record', () => run.record().program);
    // It waits in the socket's queue until the program accepts.
    assert.equal(await answer(port), `${pid} ${pid}`);
    run.child.kill('SIGKILL');
    assert.equal(await run.ended, 'SIGKILL');
    assert.equal(openFds(pid)[5], inode);
    assert.equal(await answer(port), `${pid} ${pid}`);
    process.kill(pid, 'SIGKILL');
    await waitFor('its end', () => processesMarked(run.directory).length === 0);
  }
});

const showEnvironment = ['/bin/cat', '/proc/self/environ'];

inEachShell("variables hold the program's own pid, whatever else is in its environment", async (t, shell) => {
  const launch = launcherIn(t, shell);
  symlinkSync('/bin/cat', join(launch.base, 'a=b'));
  const environments = [
    [],
    ['A=1'],
    ['PATH=/bin', 'a.b=1', 'IFS=x', 'LD_X=$y', 'N\udcf0=1'],
    ['RAW=\udc81\n', 'PATH=/bin'],
    [`PATH=${launch.base}`, '_stead_pids=A', '_stead_pid=7', '_stead_value=8'],
  ];
  for (const env of environments) {
    for (const options of [
      {},
      { via, pipe },
      { argv: [...showEnvironment, '\udcff'] },
      { argv: ['./a=b', '/proc/self/environ'] },
    ]) {
      const stale = ['LISTEN_PID=1', 'STEAD_PID=\udc80'];
      const pidNames = ['LISTEN_PID', 'STEAD_PID'];
      const run = launch({ argv: showEnvironment, env: [...stale, ...env], pidNames, ...options });
      const entries = (await run.wrote()).replace(/\0$/, '').split('\0');
      const { pid } = run.record().program!;
      const expected = [
        ...env.map((entry) => Buffer.from(entry).toString('latin1')),
        `LISTEN_PID=${pid}`,
        `STEAD_PID=${pid}`,
      ];
      const readable = (each: string) => !/RAW|^N/.test(each);
      assert.deepEqual(
        entries.filter(readable).sort(),
        expected.filter(readable).sort(),
        JSON.stringify([env, options]),
      );
      assert.equal(entries.length, expected.length);
    }
  }
});

test('a pid costs dash and busybox no odd entry', () => {
  for (const shell of ['dash', 'busybox'] as const) {
    const place = { shell, cwd: '/', pidNames: ['LISTEN_PID'] };
    assert.deepEqual(launcherEnvironment(['LISTEN_PID=1', 'A=1'], place).odd, []);
  }
});

test('what no program can have is refused before anything runs', () => {
  const order = {
    shell: '/bin/sh',
    script: launcherScript,
    runDirectory: '/nonexistent',
    argv: ['/bin/true'],
    env: [],
    cwd: '/',
    out: 1,
    err: 2,
    umask: 0,
    nofile: null,
    oomScoreAdj: null,
    via: [],
  };
  const refused = (options: object, why: RegExp) => assert.throws(() => spawnLauncher({ ...order, ...options }), why);
  for (const at of [2, 8, 3.5]) refused({ sockets: [{ at, fd: 0 }] }, /can't be fd/);
  refused(
    {
      sockets: [
        { at: 3, fd: 0 },
        { at: 3, fd: 0 },
      ],
    },
    /can't be fd 3/,
  );
  refused({ sockets: [{ at: 3, fd: 0 }], readyFd: 3 }, /can't be fd 3/);
  for (const name of ['_stead_pid', 'a.b', 'IFS', '', 'A B']) refused({ pidNames: [name] }, /no launcher can set/);
});

function wordsOf(pid: number): readonly string[] {
  try {
    return procEntries(pid, 'cmdline');
  } catch {
    return [];
  }
}

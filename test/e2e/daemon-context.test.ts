/** Where and how the command is called makes no difference to the daemon or to programs; and nobody else gets at them. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { quoted, shellScript, steadInShell } from '../support/callers.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning, openFds, procEntries, sessionOf, statusField } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const isRoot = process.getuid?.() === 0;
const node = process.execPath;

const signalSets = (pid: number) => ['SigIgn', 'SigBlk'].map((name) => BigInt(`0x${statusField(pid, name)}`));

/** That a program has what every program has, however it was started. */
async function isOrdinary(stead: Stead, name: string): Promise<void> {
  const pid = await stead.pid(name);
  assert.deepEqual(signalSets(pid), [0n, 0n], name);
  const { logs } = await stead.show(name);
  assert.deepEqual(openFds(pid), { 0: '/dev/null', 1: logs.out, 2: logs.err }, name);
  assert.deepEqual(sessionOf(pid), { session: pid, group: pid, terminal: 0 }, name);
}

/** Each of them starts the daemon, too: a home of its own. */
const contexts: Readonly<Record<string, readonly string[]>> = {
  'fds 0 to 2 closed': ['/bin/sh', '-c', 'exec 0<&- 1<&- 2<&-; exec "$@"', 'sh'],
  'no terminal and a session of its own': ['setsid', '-w'],
  nohup: ['nohup'],
  "trap '' INT QUIT HUP": ['/bin/sh', '-c', `trap '' INT QUIT HUP TERM PIPE CHLD USR1; exec "$@"`, 'sh'],
  'SIGCHLD and all other signals blocked': [
    'python3', '-c', 'import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); os.execv(sys.argv[1], sys.argv[1:])',
  ], // biome-ignore format: a list
  'a background job of a script': ['/bin/sh', '-c', '"$@" & wait $!', 'sh'],
  'a soft limit of 64 open files': ['/bin/sh', '-c', 'ulimit -Sn 64; exec "$@"', 'sh'],
};

for (const [title, [command, ...args]] of Object.entries(contexts)) {
  test(`a program is an ordinary one, started under: ${title}`, async (t) => {
    const stead = new Stead(t);
    const options = { env: stead.env, cwd: stead.directory, timeoutMs: 20_000 };
    const start = await execute(
      command!,
      [...args, node, steadBin, 'start', '--name', 'app', '--', 'sleep', '300'],
      options,
    );
    const run = await execute(
      command!,
      [...args, node, steadBin, 'run', '--name', 'job', '--', 'sleep', '300'],
      options,
    );
    assert.deepEqual([start.code, run.code], [0, 0], start.stderr + run.stderr);
    await isOrdinary(stead, 'app');
    await isOrdinary(stead, 'job');
    const { pid, guardian } = await stead.daemon();
    assert.equal(signalSets(pid!)[1], 0n);
    assert.notEqual(sessionOf(pid!).session, sessionOf(process.pid).session);
    assert.deepEqual(
      [pid!, guardian!].map((each) =>
        execFileSync('readlink', [`/proc/${each}/cwd`])
          .toString()
          .trim(),
      ),
      ['/', '/'],
    );
  });
}

test('under env -i the home is that of the user database, and a command gives nothing away to /tmp', {
  skip: !isRoot && 'needs root',
}, async (t) => {
  const stead = new Stead(t);
  const home = execFileSync('/bin/sh', ['-c', 'getent passwd 0 | cut -d: -f6']).toString().trim();
  const before = readdirSync('/tmp').filter((name) => /^\.?stead/.test(name));
  const script = `
    mount -t tmpfs none ${home} || exit 99
    cd / && env -i ${steadInShell} run --name job --env MARK=${stead.directory} -- /bin/sleep 300 || exit 98
    ls -A ${home}
    env -i ${steadInShell} stop job >/dev/null && env -i ${steadInShell} daemon stop >/dev/null || exit 97
    env -i ${steadInShell} list -a --json`;
  const result = await execute('unshare', ['-m', '/bin/sh', '-c', script], { env: { PATH: process.env.PATH } });
  if (result.code === 99 || /unshare/.test(result.stderr)) return t.skip('needs a mount namespace');
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^\.stead$/m);
  const after = readdirSync('/tmp').filter((name) => /^\.?stead/.test(name) && !before.includes(name));
  assert.deepEqual(
    after.filter((name) => !/^stead-[a-z0-9]+-\w{6}$/.test(name)),
    [],
  );
});

test('a command in $(…) returns at once, also as the first of a home', async (t) => {
  const stead = new Stead(t);
  const call = `out=$(${steadInShell} run --name one -- sleep 300 2>&1); echo "$?: $out"; out=$(${steadInShell} start --name two -- sleep 300 2>&1 | cat); echo "$out"`;
  const result = await execute('/bin/sh', ['-c', call], { env: stead.env, cwd: stead.directory, timeoutMs: 15_000 });
  assert.match(result.stdout, /^0: .*one/);
  assert.match(result.stdout, /two/);
  assert.ok(result.tookMs < 10_000);
});

test("the ends of a caller's pipes are let go, whatever their numbers", async (t) => {
  const stead = new Stead(t);
  const pipes = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const child: ChildProcess = spawn(node, [steadBin, 'start', '--name', 'app', '--', 'sleep', '300'], {
    env: stead.env, cwd: stead.directory, stdio: ['pipe', 'pipe', 'pipe', ...pipes.map(() => 'pipe' as const)],
  }); // biome-ignore format: short
  let open = 0;
  for (const stream of child.stdio.slice(1)) {
    open++;
    stream!.once('close', () => {
      open--;
    });
    (stream as import('node:stream').Readable).resume();
  }
  await waitFor('the end of every pipe', () => open === 0);
  await isOrdinary(stead, 'app');
});

test("a program's soft limit of open files is its caller's, whatever the daemon's is", async (t) => {
  const stead = new Stead(t);
  const limit = async (name: string) =>
    /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(`/proc/${await stead.pid(name)}/limits`, 'utf8'))!.slice(1);
  for (const soft of ['333', '77', '1024']) {
    const call = `ulimit -Sn ${soft}; ${steadInShell} run --name n${soft} -- sleep 300`;
    assert.equal((await execute('/bin/sh', ['-c', call], { env: stead.env, cwd: stead.directory })).code, 0);
  }
  assert.deepEqual(
    (await Promise.all(['n333', 'n77', 'n1024'].map(limit))).map(([soft]) => soft),
    ['333', '77', '1024'],
  );
  const call = `ulimit -n 500; ${steadInShell} run --name hard -- sleep 300`;
  assert.equal((await execute('/bin/sh', ['-c', call], { env: stead.env, cwd: stead.directory })).code, 0);
  assert.deepEqual(await limit('hard'), ['500', '500']);
});

test('a daemon that was first started from within an app outlives that app', async (t) => {
  // A second home, whose first command is given by a program of the first.
  const outer = new Stead(t);
  const inner = new Stead(t);
  const call = shellScript(
    outer,
    `export STEAD_HOME=${quoted(inner.home)}; ${steadInShell} start --name within -- sleep 300; exec sleep 300`,
  );
  await outer.ok(['start', '--name', 'outer', '--', 'sh', call]);
  const pid = await inner.pid('within');
  const { pid: daemon } = await inner.daemon();
  await outer.ok(['stop', 'outer']);
  assert.ok(isRunning(pid) && isRunning(daemon!), 'it died with the app');
  assert.equal((await inner.daemon()).pid, daemon);
});

test('homes with spaces, unicode and long paths work', async (t) => {
  const stead = new Stead(t);
  for (const name of ['a b \'c\' "d" $e', 'ünïcödé 家 🏠', `${'long/'.repeat(20)}${'x'.repeat(120)}`]) {
    const env = { STEAD_HOME: join(stead.directory, name) };
    const run = (...args: string[]) => stead.run(args, { env });
    const started = await run('start', '--name', 'app', '--', 'sleep', '300');
    assert.equal(started.code, 0, started.stderr);
    assert.match((await run('list')).stdout, /app +running/);
    assert.equal((await run('stop', 'app')).code, 0);
    assert.equal((await run('daemon', 'stop')).code, 0);
  }
});

test('a home and all in it are private at every instant, also under umask 0', async (t) => {
  const stead = new Stead(t);
  const tooOpen = new Set<string>();
  const look = (path: string) => {
    try {
      const { mode, uid } = lstatSync(path);
      if ((mode & 0o077) !== 0 || uid !== process.geteuid?.()) tooOpen.add(`${path} ${(mode & 0o777).toString(8)}`);
    } catch {
      // Not there at this instant.
    }
  };
  const timer = setInterval(() => {
    for (const path of [
      stead.home,
      join(stead.home, 'stead.sock'),
      join(stead.home, 'lock'),
      join(stead.home, 'daemon.log'),
    ])
      look(path);
  }, 0);
  try {
    for (let at = 0; at < 4; at++) {
      const call = `umask 0; ${steadInShell} start --name a${at} --env TOKEN=x -- sh -c 'echo out; exec sleep 300'; ${steadInShell} daemon stop`;
      assert.equal((await execute('/bin/sh', ['-c', call], { env: stead.env, cwd: stead.directory })).code, 0);
    }
    await stead.ok(['run', '--', 'true']);
    for (const path of readdirSync(stead.home, { recursive: true, encoding: 'utf8' })) look(join(stead.home, path));
  } finally {
    clearInterval(timer);
  }
  assert.deepEqual([...tooOpen], []);
  assert.equal(statSync(stead.home).mode & 0o777, 0o700);
  assert.equal(statusField(await stead.pid('a0'), 'Umask'), '0000');
});

test('another user can neither connect nor look in', { skip: !isRoot && 'needs root to become another' }, async (t) => {
  const stead = new Stead(t);
  chmodSync(stead.directory, 0o755);
  await stead.ok(['start', '--name', 'app', '--', 'sleep', '300']);
  const knock = `require('net').connect(${JSON.stringify(join(stead.home, 'stead.sock'))}).on('error', (e) => console.log(e.code)).on('connect', () => console.log('in'))`;
  const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const env = { PATH: process.env.PATH };
  assert.equal((await execute('setpriv', [...asNobody, node, '-e', knock], { env })).stdout, 'EACCES\n');
  assert.notEqual((await execute('setpriv', [...asNobody, 'ls', stead.home], { env })).code, 0);
  const list = await execute('setpriv', [...asNobody, node, steadBin, 'list'], { env: stead.env, cwd: '/' });
  assert.equal(list.code, 5, list.stdout + list.stderr);
});

test('a home that was planted is refused, and nothing is made or removed through it', async (t) => {
  const stead = new Stead(t);
  const target = stead.folder('target');
  chmodSync(target, 0o700);
  const planted: Record<string, (path: string) => void> = {
    link: (path) => symlinkSync(target, path),
    dangling: (path) => symlinkSync(join(stead.directory, 'nowhere'), path),
    open: (path) => {
      mkdirSync(path);
      chmodSync(path, 0o777);
    },
    file: (path) => writeFileSync(path, 'a file\n'),
    ...(isRoot && {
      foreign: (path: string) => {
        mkdirSync(path);
        chownSync(path, 65534, 65534);
      },
    }),
  };
  for (const [name, plant] of Object.entries(planted)) {
    const path = join(stead.directory, name);
    plant(path);
    const result = await stead.run(['start', '--', 'sleep', '300'], { env: { STEAD_HOME: path } });
    assert.equal(result.code, 5, `${name}: ${result.stderr}`);
    assert.match(result.stderr, new RegExp(name));
    if (name !== 'file' && name !== 'dangling') assert.deepEqual(readdirSync(path), []);
  }
  assert.equal(existsSync(join(stead.directory, 'nowhere')), false);
  assert.deepEqual(readdirSync(target), []);
});

test('a link that was planted in a home is not written through', async (t) => {
  const stead = new Stead(t);
  const precious = join(stead.directory, 'precious');
  writeFileSync(precious, 'precious\n');
  mkdirSync(stead.home, { mode: 0o700 });
  for (const name of ['stead.sock', 'daemon.log', 'lock', 'daemon.json']) symlinkSync(precious, join(stead.home, name));
  await stead.run(['start', '--name', 'app', '--', 'sleep', '300']);
  await stead.run(['daemon', 'stop']);
  assert.equal(readFileSync(precious, 'utf8'), 'precious\n');
});

test('the daemon keeps nothing of a caller: its environment, its directory, its terminal', async (t) => {
  const stead = new Stead(t, { env: { CALLERS_OWN: 'x', NODE_OPTIONS: '--no-warnings' } });
  await stead.ok(['start', '--name', 'app', '--', 'sleep', '300']);
  const { pid, guardian } = await stead.daemon();
  for (const each of [pid!, guardian!]) {
    assert.ok(!procEntries(each, 'environ').some((entry) => /^(CALLERS_OWN|NODE_OPTIONS)=/.test(entry)));
    assert.equal(sessionOf(each).terminal, 0);
  }
  assert.ok(procEntries(await stead.pid('app'), 'environ').includes('CALLERS_OWN=x'));
});

/** What a program gets of its caller: environment, argv, cwd, umask, limits, and nothing of the daemon's. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { quoted, shellScript, steadInShell } from '../support/callers.ts';
import { shellPath } from '../support/launcher.ts';
import { openFds, procEntries, processesMarked, sessionOf, statusField } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';

const isRoot = process.getuid?.() === 0;
const split = (text: string) => (text === '' ? [] : text.replace(/\0$/, '').split('\0'));
const log = (path: string) => readFileSync(path, 'latin1');

/** Every byte but NUL, and newline at the end. */
const everyByte = `${String.fromCharCode(...Array.from({ length: 255 }, (_, at) => at + 1))}\n`;

for (const title of ['dash', 'busybox ash', 'bash --posix'] as const) {
  const shell = shellPath(title);
  const skip = shell === null && `no ${title} is installed`;

  test(`the environment is the caller's, byte for byte and entry for entry (${title})`, { skip }, async (t) => {
    const stead = new Stead(t, { env: { STEAD_SHELL: shell! } });
    // The daemon is another caller's.
    await stead.ok(['run', '--name', 'first', '--env', 'ONLY_FIRST=1', '--', 'true']);
    const entries = [
      'PATH=/usr/bin:/bin', `HOME=${stead.directory}`, `STEAD_HOME=${stead.home}`, `RAW=${everyByte}`, 'EMPTY=', 'IFS=x', 'PPID=1', 'OPTIND=z',
      'a.b=dotted', '1a=digit', 'BASH_FUNC_f%%=() { echo hi; }', 'PWD=/nowhere', 'OLDPWD=/x', 'SHLVL=9', '_=/bin/x', 'PS1=$ ', 'PS4=+', 'ENV=/dev/null',
      'LD_DEBUG_OUTPUT=/nowhere', 'LANG=C.UTF-8', 'LC_ALL=C', '_stead_dir=mine', 'NODE_EXTRA_CA_CERTS=', 'TWO=a\nb\n', `LONG=${'l'.repeat(100_000)}`,
    ]; // biome-ignore format: a list
    const call = `exec env -i -C ${stead.directory} ${entries.map(quoted).join(' ')} ${steadInShell} run --name env -- /bin/cat /proc/self/environ`;
    const result = await execute('/bin/bash', [shellScript(stead, call)], { env: {} });
    assert.equal(result.code, 0, result.stderr);
    assert.equal((await stead.run(['wait', 'env'])).code, 0);
    const got = split(log((await stead.show('env')).logs.out));
    const cookies = got.filter((entry) => entry.startsWith('STEAD_RUN_ID='));
    assert.equal(cookies.length, 1);
    assert.deepEqual(got.filter((entry) => !cookies.includes(entry)).toSorted(), entries.toSorted());
  });

  test(`arguments are the caller's, byte for byte (${title})`, { skip }, async (t) => {
    const stead = new Stead(t, { env: { STEAD_SHELL: shell! } });
    const args = [
      everyByte,
      '',
      ' ',
      '*',
      '$HOME',
      '$(id)',
      '--',
      '--json',
      '-n',
      "it's",
      '\\',
      '\xff',
      'a\nb',
      'x'.repeat(120 * 1024),
    ];
    const call = `exec ${steadInShell} run --name args -- /bin/sh -c 'cat /proc/$$/cmdline; :' ${args.map(quoted).join(' ')}`;
    const result = await execute('/bin/bash', [shellScript(stead, call)], { env: stead.env, cwd: stead.directory });
    assert.equal(result.code, 0, result.stderr);
    assert.equal((await stead.run(['wait', 'args'])).code, 0);
    assert.deepEqual(split(log((await stead.show('args')).logs.out)).slice(3), args);
  });
}

test('a value too long to be executed with is refused, and the daemon lives', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['run', '--name', 'first', '--', 'true']);
  const { pid } = await stead.daemon();
  const many = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`BIG${at}`, 'b'.repeat(130_000)]));
  const result = await stead.run(['run', '--name', 'large', '--', '/bin/true', 'x'.repeat(100_000)], { env: many });
  assert.ok(result.code === 0 || /too l|E2BIG|environment/i.test(result.stderr), result.stderr);
  assert.equal((await stead.daemon()).pid, pid);
});

test("what belongs to the daemon's or the caller's own unit, channel or run passes no start", async (t) => {
  const own = [
    'LISTEN_FDS',
    'LISTEN_PID',
    'NOTIFY_SOCKET',
    'WATCHDOG_USEC',
    'WATCHDOG_PID',
    'INVOCATION_ID',
    'JOURNAL_STREAM',
    'NODE_UNIQUE_ID',
  ];
  const leaked = Object.fromEntries([...own, 'STEAD_RUN_ID'].map((name) => [name, '1']));
  const stead = new Stead(t, { env: leaked });
  await stead.ok(['run', '--name', 'env', '--', '/bin/cat', '/proc/self/environ']);
  await stead.run(['wait', 'env']);
  const names = split(log((await stead.show('env')).logs.out)).map((entry) => entry.split('=')[0]!);
  assert.deepEqual(
    names.filter((name) => own.includes(name)),
    [],
  );
  assert.ok(names.includes('PATH'));
  assert.doesNotMatch(log((await stead.show('env')).logs.out), /STEAD_RUN_ID=1\0/);
  const daemon = procEntries((await stead.daemon()).pid!, 'environ').map((entry) => entry.split('=')[0]!);
  assert.deepEqual(
    daemon.filter(
      (name) =>
        !['PATH', 'HOME', 'USER', 'LANG', 'STEAD_HOME', 'PWD', 'OLDPWD', '_', 'SHLVL', 'MALLOC_ARENA_MAX'].includes(
          name,
        ),
    ),
    [],
  );
});

test('no secret of an environment stands in an argument of a process, in a list, or in what is shown', async (t) => {
  const secret = 'hunter2-in-the-environment';
  const stead = new Stead(t, { env: { API_TOKEN: secret } });
  await stead.ok(['start', '--name', 'holder', '--', 'sleep', '300']);
  const pid = await stead.pid('holder');
  assert.ok(procEntries(pid, 'environ').includes(`API_TOKEN=${secret}`));
  for (const each of processesMarked(stead.directory))
    assert.doesNotMatch(procEntries(each, 'cmdline').join(' '), new RegExp(secret));
  for (const args of [
    ['list'],
    ['list', '--json'],
    ['show', 'holder'],
    ['show', 'holder', '--json'],
    ['daemon', 'logs'],
    ['daemon', 'status', '--json'],
  ]) {
    const { stdout, stderr } = await stead.run(args);
    assert.doesNotMatch(stdout + stderr, new RegExp(secret), args.join(' '));
  }
});

test("cwd, umask, soft limits and niceness are the caller's, not the daemon's", async (t) => {
  const stead = new Stead(t);
  await stead.ok(['run', '--name', 'first', '--', 'true']);
  const [real, link] = [stead.folder('a dir é'), join(stead.directory, 'link')];
  symlinkSync(real, link);
  const call = `cd ${quoted(Buffer.from(link).toString('latin1'))}; umask 027; ulimit -Sn 333; ulimit -Sc 0
    nice -n 3 ${steadInShell} run --name mine -- sleep 300`;
  const result = await execute('/bin/sh', [shellScript(stead, call)], { env: stead.env });
  assert.equal(result.code, 0, result.stderr);
  const pid = await stead.pid('mine');
  assert.equal(statusField(pid, 'Umask'), '0027');
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max open files +333 /m);
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 /m);
  assert.equal(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[16], '3');
  assert.ok(procEntries(pid, 'environ').includes(`PWD=${Buffer.from(link).toString('latin1')}`));
  await stead.ok(['run', '--name', 'set', '--umask', '0077', '--nice', '5', '--cwd', '/', '--', 'sleep', '300']);
  const set = await stead.pid('set');
  assert.deepEqual(
    [statusField(set, 'Umask'), readFileSync(`/proc/${set}/stat`, 'latin1').split(') ')[1]!.split(' ')[16]],
    ['0077', '5'],
  );
});

test('a restarted program has what the first one had', async (t) => {
  const stead = new Stead(t, { env: { MARK: 'from the caller' } });
  await stead.ok(['start', '--name', 'again', '--umask', '0031', '--', 'sleep', '300']);
  const first = await stead.pid('again');
  const before = procEntries(first, 'environ').filter((entry) => !entry.startsWith('STEAD_RUN_ID='));
  process.kill(first, 'SIGKILL');
  await stead.until(
    'again',
    'restarted',
    ({ instances }) => instances[0]!.restarts === 1 && instances[0]!.state === 'running',
  );
  const second = await stead.pid('again');
  assert.deepEqual(
    procEntries(second, 'environ').filter((entry) => !entry.startsWith('STEAD_RUN_ID=')),
    before,
  );
  assert.equal(statusField(second, 'Umask'), '0031');
  assert.deepEqual(sessionOf(second), { session: second, group: second, terminal: 0 });
});

test("--user gives a program the user's ids, groups and names, for good", {
  skip: !isRoot && 'needs root',
}, async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'nobodys', '--user', 'nobody', '--cwd', '/', '--', 'sleep', '300']);
  const pid = await stead.pid('nobodys');
  const [uid, gid] = [execFileSync('id', ['-u', 'nobody']), execFileSync('id', ['-g', 'nobody'])].map((text) =>
    text.toString().trim(),
  );
  assert.deepEqual(statusField(pid, 'Uid').split('\t'), Array(4).fill(uid));
  assert.deepEqual(statusField(pid, 'Gid').split('\t'), Array(4).fill(gid));
  assert.equal(statusField(pid, 'Groups'), execFileSync('id', ['-G', 'nobody']).toString().trim());
  for (const name of ['CapPrm', 'CapEff', 'CapInh', 'CapAmb'])
    assert.equal(BigInt(`0x${statusField(pid, name)}`), 0n, name);
  const env = procEntries(pid, 'environ');
  for (const entry of ['USER=nobody', 'LOGNAME=nobody']) assert.ok(env.includes(entry), entry);
  assert.ok(env.some((entry) => entry.startsWith('HOME=') && entry !== `HOME=${stead.directory}`));
  assert.notEqual(
    spawnSync('setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', 'ls', stead.home]).status,
    0,
  );
});

test('--user is refused to who is not root', { skip: !isRoot && 'needs root to become another' }, async (t) => {
  const stead = new Stead(t);
  const home = stead.folder('theirs');
  chmodSync(stead.directory, 0o755);
  execFileSync('chown', ['nobody', home]);
  chmodSync(home, 0o700);
  const call = `exec setpriv --reuid=65534 --regid=65534 --clear-groups ${steadInShell} start --user root -- sleep 300`;
  const result = await execute('/bin/sh', [shellScript(stead, call)], {
    env: { ...stead.env, STEAD_HOME: home, HOME: home },
    cwd: '/',
  });
  await execute('/bin/sh', ['-c', `setpriv --reuid=65534 --regid=65534 --clear-groups ${steadInShell} daemon stop`], {
    env: { ...stead.env, STEAD_HOME: home },
    cwd: '/',
  });
  assert.equal(result.code, 5, result.stdout + result.stderr);
  assert.match(result.stderr, /--user|root/);
  assert.doesNotMatch(result.stderr, /home/i);
});

test('--no-new-privs is set, and only where it was asked for', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['run', '--name', 'without', '--', 'sleep', '300']);
  await stead.ok(['run', '--name', 'with', '--no-new-privs', '--', 'sleep', '300']);
  assert.equal(statusField(await stead.pid('with'), 'NoNewPrivs'), '1');
  assert.equal(statusField(await stead.pid('without'), 'NoNewPrivs'), statusField(process.pid, 'NoNewPrivs'));
});

test('a program holds fds 0, 1 and 2 and nothing of the caller or the daemon', async (t) => {
  const stead = new Stead(t);
  mkdirSync(join(stead.directory, 'held'));
  const call = `exec 3</dev/zero 7<>${stead.directory}/held/seven 9>&1; exec 251<>${stead.directory}/held/far; ${steadInShell} run --name fds -- sleep 300`;
  const result = await execute('/bin/bash', [shellScript(stead, call)], { env: stead.env, cwd: stead.directory });
  assert.equal(result.code, 0, result.stderr);
  const { logs } = await stead.show('fds');
  assert.deepEqual(openFds(await stead.pid('fds')), { 0: '/dev/null', 1: logs.out, 2: logs.err });
  const { pid, guardian } = await stead.daemon();
  for (const each of [pid!, guardian!]) {
    assert.deepEqual(
      Object.values(openFds(each)).filter((to) => /held|\/dev\/zero/.test(to)),
      [],
    );
  }
});

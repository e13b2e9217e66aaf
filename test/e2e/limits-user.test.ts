/** What is set up before a program runs: user, groups, privileges, ulimits; and what this machine or user can't have is refused, not ignored. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { statusField } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';

const isRoot = process.geteuid?.() === 0;
const sleep = ['--', 'sleep', '100'];

test('another user, with its groups or others, and no way back', { skip: !isRoot && 'only root' }, async (t) => {
  const stead = new Stead(t);
  await execute('chmod', ['755', stead.directory]);
  const shared = ['--user', 'nobody', '--cwd', '/', '--no-new-privs'];
  await stead.ok(['start', '--name', 'own', ...shared, ...sleep]);
  await stead.ok(['start', '--name', 'other', ...shared, '--groups', 'daemon,mail', ...sleep]);
  const numbers = async (command: readonly string[]) =>
    (await execute(command[0]!, command.slice(1))).stdout.trim().split(/\s+/);
  const [uid] = await numbers(['id', '-u', 'nobody']);
  const [gid] = await numbers(['id', '-g', 'nobody']);
  for (const name of ['own', 'other']) {
    const pid = await stead.pid(name);
    assert.deepEqual(statusField(pid, 'Uid').split(/\s+/), [uid, uid, uid, uid]);
    assert.deepEqual(statusField(pid, 'Gid').split(/\s+/), [gid, gid, gid, gid]);
    assert.equal(statusField(pid, 'NoNewPrivs'), '1');
    assert.match(statusField(pid, 'CapEff'), /^0+$/);
  }
  const groups = async (name: string) =>
    statusField(await stead.pid(name), 'Groups')
      .trim()
      .split(/\s+/)
      .sort();
  assert.deepEqual(await groups('own'), (await numbers(['id', '-G', 'nobody'])).sort());
  const names = await Promise.all(
    ['daemon', 'mail'].map(async (name) => (await execute('getent', ['group', name])).stdout.split(':')[2]!),
  );
  assert.deepEqual(await groups('other'), names.sort());
});

test('a program of another user can say that it is ready, in each way', { skip: !isRoot && 'only root' }, async (t) => {
  const stead = new Stead(t);
  await execute('chmod', ['755', stead.directory]);
  const shared = ['--user', 'nobody', '--cwd', '/'];
  await stead.ok([
    'start',
    '--name',
    'ipc',
    ...shared,
    '--ready',
    'ipc',
    '--',
    process.execPath,
    '-e',
    "process.send('ready'); setInterval(() => {}, 1000)",
  ]);
  await stead.ok(['start', '--name', 'fd', ...shared, '--ready', 'fd:3', '--', 'sh', '-c', 'echo >&3; exec sleep 100']);
  const notify =
    "import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET']); s.send(b'READY=1'); time.sleep(100)";
  await stead.ok(['start', '--name', 'notify', ...shared, '--ready', 'notify', '--', '/usr/bin/python3', '-c', notify]);
  await stead.ok(['delete', 'all']);
});

test('an ordinary user is refused what takes root', {
  skip: !isRoot && 'only root can become another user',
}, async (t) => {
  const stead = new Stead(t);
  await execute('chown', ['nobody', stead.directory]);
  const asNobody = (args: readonly string[]) =>
    execute(
      'setpriv',
      [
        '--reuid=nobody',
        '--clear-groups',
        '--inh-caps=-all',
        process.execPath,
        join(process.cwd(), 'bin/stead.cjs'),
        ...args,
      ],
      {
        env: stead.env,
        cwd: stead.directory,
      },
    );
  for (const [option, value] of [
    ['--user', 'root'],
    ['--groups', 'daemon'],
    ['--nice', '-5'],
    ['--oom-score-adj', '-100'],
    ['--limit', 'nofile=9999999'],
    ['--io-nice', 'realtime'],
  ] as const) {
    const { code, stderr } = await asNobody(['start', '--name', 'x', option, value, ...sleep]);
    assert.equal(code, 5, `${option}: ${stderr}`);
    assert.match(stderr, /root|hard limit/i);
  }
  await asNobody(['daemon', 'stop']);
});

test('ulimits, niceness, I/O class and OOM score are as said', async (t) => {
  const stead = new Stead(t);
  const options = [
    '--limit',
    'nofile=100:200',
    '--limit',
    'core=0',
    '--nice',
    '5',
    '--io-nice',
    'idle',
    '--oom-score-adj',
    '500',
  ];
  const script = 'ulimit -Sn; ulimit -Hn; nice; ionice; cat /proc/self/oom_score_adj';
  await stead.ok(['run', '--name', 'x', ...options, '--', 'sh', '-c', script]);
  await stead.run(['wait', 'x']);
  assert.deepEqual((await stead.ok(['logs', 'x'])).stdout.trim().split('\n'), ['100', '200', '5', 'idle', '500']);
});

test('limits that need a controller which is not there are refused with what to use instead', async (t) => {
  const stead = new Stead(t, { env: { STEAD_NO_CGROUP: '1' } });
  for (const [option, value] of [
    ['--cpu', '50'],
    ['--cpu-weight', '50'],
    ['--max-tasks', '10'],
  ] as const) {
    const { code, stderr } = await stead.run(['start', '--name', 'x', option, value, ...sleep]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /can't be enforced here[\s\S]*Hint: use --/);
  }
  assert.deepEqual(await stead.list(), []);
});

test('doctor: what is wrong comes with what mends it', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', ...sleep]);
  const findings = await stead.json<{ level: string; about: string; mend: string | null }[]>(['doctor']);
  assert.ok(findings.some(({ level, about }) => level === 'ok' && about === 'daemon'));
  assert.ok(findings.every(({ level, mend }) => !['problem', 'warning'].includes(level) || mend !== null));
  await stead.ok(['daemon', 'stop']);
  writeFileSync(join(stead.home, 'apps', 'web', 'state.json.corrupt-now'), '');
  await execute('chmod', ['755', stead.home]);
  const { code, stdout } = await stead.run(['doctor']);
  assert.equal(code, 1);
  assert.match(stdout, /^problem +files .*corrupt-now did not parse/m);
  assert.match(stdout, /^warning +daemon +does not run/m);
  assert.match(stdout, /chmod -R go= /);
  await execute('chmod', ['700', stead.home]);
});

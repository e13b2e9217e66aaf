/** Where and how the command prints: pipes, JSON, closed descriptors, poor environments. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { ErrorBody } from '../../src/protocol/errors.ts';
import { steadBin } from '../support/paths.ts';
import { execute, Stead } from '../support/stead.ts';

const bash = (stead: Stead, script: string, env: NodeJS.ProcessEnv = {}) =>
  execute('/bin/bash', ['-c', script], {
    cwd: stead.directory,
    env: { ...stead.env, NODE: process.execPath, STEAD: steadBin, ...env },
  });

test('reading commands never start a daemon or make a home', async (t) => {
  const stead = new Stead(t);
  assert.equal((await stead.ok(['list', '--json'])).stdout, '[]\n');
  assert.match((await stead.ok([])).stdout, /to begin/);
  assert.equal((await stead.run(['daemon', 'status'])).code, 0);
  assert.equal((await stead.daemon()).running, false);
  assert.equal((await stead.run(['show', 'x'])).code, 3);
  assert.equal((await stead.run(['pid', 'x'])).code, 3);
  assert.ok(!existsSync(stead.home));
});

test('with the daemon down a list comes from disk and says so, in JSON on stderr alone', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '100']);
  const [up] = await stead.list();
  await stead.ok(['daemon', 'stop']);
  const { stdout, stderr } = await stead.ok(['list', '--json']);
  assert.match(stderr, /daemon is not running/);
  const [down] = JSON.parse(stdout);
  assert.deepEqual([down.name, down.state, down.instances[0].pid], ['web', 'running', up!.instances[0]!.pid]);
  assert.equal((await stead.daemon()).running, false);
});

test('list and show have the documented shape', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--group', 'shop', '-e', 'TOKEN=hunter2', '--', 'sleep', '100']);
  const { stdout } = await stead.ok(['list', '--json']);
  assert.equal(stdout.split('\n').length, 2, 'one line for a pipe');
  const [app] = JSON.parse(stdout);
  for (const key of ['id', 'name', 'group', 'want', 'state', 'reason', 'instances']) assert.ok(key in app, key);
  const [instance] = app.instances;
  for (const key of ['index', 'state', 'ready', 'pid', 'since', 'restarts', 'memory', 'cpu'])
    assert.ok(key in instance, key);
  const detail = await stead.ok(['show', 'web', '--json']);
  for (const key of ['spec', 'exits', 'logs', 'sockets', 'env']) assert.ok(key in JSON.parse(detail.stdout), key);
  assert.ok(!detail.stdout.includes('hunter2'), 'values are hidden');
  assert.ok((await stead.ok(['show', 'web', '--json', '--show-env'])).stdout.includes('TOKEN=hunter2'));
  assert.ok(!(await stead.ok(['list'])).stdout.includes('\x1b'), 'no colours for a pipe');
});

test('with --json a failure is one object on stdout and nothing else', async (t) => {
  const stead = new Stead(t);
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [['show', 'nobody', '--json'], 3, 'APP_NOT_FOUND'],
    [['list', '--nonsense', '--json'], 2, 'USAGE'],
    [['start', '--json', './missing.js'], 5, 'PROGRAM_NOT_FOUND'],
    [['stop', 'nobody', '--json'], 3, 'APP_NOT_FOUND'],
    [['start', '--json', '--stop-timeout', '5', 'x'], 2, 'OPTION_INVALID'],
    [['frobnicate', '--json'], 2, 'USAGE'],
  ];
  for (const [args, exit, expected] of cases) {
    const { code, stdout, stderr } = await stead.run(args);
    assert.equal(code, exit, `${args}: ${stdout}${stderr}`);
    assert.equal((JSON.parse(stdout) as { error: ErrorBody }).error.code, expected);
    assert.equal(stderr, '');
  }
});

test('a reader that goes away is no failure', async (t) => {
  const stead = new Stead(t);
  const { stdout, stderr } = await bash(
    stead,
    'set -o pipefail; "$NODE" "$STEAD" help | true; echo $?; "$NODE" "$STEAD" nonsense 2>&1 | true; echo $?',
  );
  assert.match(stdout, /^0\n(0|2)\n$/);
  assert.equal(stderr, '');
});

test('a full disk under the output is an error', { skip: !existsSync('/dev/full') }, async (t) => {
  const stead = new Stead(t);
  const { code, stderr } = await bash(stead, '"$NODE" "$STEAD" help > /dev/full');
  assert.equal(code, 1);
  assert.match(stderr, /no space left/i);
});

test('it works with fds 0 to 2 closed, under env -i and without HOME', async (t) => {
  const stead = new Stead(t);
  const { stdout } = await bash(
    stead,
    `exec 0<&- ; "$NODE" "$STEAD" start --name a -- sleep 100 1>&- 2>&-; echo $?
     env -i STEAD_HOME="$STEAD_HOME" PATH=/usr/bin:/bin "$NODE" "$STEAD" start --name b -- sleep 100 >/dev/null; echo $?
     unset HOME; "$NODE" "$STEAD" pid a b | wc -l
     out=$("$NODE" "$STEAD" run -- sleep 100); echo "$out" | wc -l`,
  );
  assert.deepEqual(stdout.trim().split('\n'), ['0', '0', '2', '1']);
  await stead.ok(['stop', 'all']);
});

test('the help of each command is reached in three ways', async (t) => {
  const stead = new Stead(t);
  const [a, b, c] = await Promise.all(
    [
      ['help', 'start'],
      ['start', '--help'],
      ['start', 'x', '-h'],
    ].map((args) => stead.ok(args)),
  );
  assert.equal(a!.stdout, b!.stdout);
  assert.equal(b!.stdout, c!.stdout);
  assert.match((await stead.ok(['--help'])).stdout, /Usage: stead <command>/);
  assert.match((await stead.ok(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  assert.match((await stead.ok(['help', 'exit-codes'])).stdout, /no such app/);
  assert.equal((await stead.run(['help', 'strat'])).code, 2);
});

for (const [shell, check] of [
  ['bash', 'complete -p stead'],
  ['zsh', ''],
  ['fish', 'complete -C "stead st"'],
] as const) {
  test(`${shell} takes its completion script`, async (t) => {
    const stead = new Stead(t);
    const { code } = await execute('/bin/sh', ['-c', `command -v ${shell}`]);
    if (code !== 0) return t.skip(`no ${shell} here`);
    const start = shell === 'zsh' ? 'autoload -U compinit && compinit -u -D; ' : '';
    const source =
      shell === 'fish' ? '"$NODE" "$STEAD" completion fish | source' : `eval "$("$NODE" "$STEAD" completion ${shell})"`;
    const run = await execute(shell, ['-c', `${start}${source}; ${check}`], {
      env: { ...stead.env, NODE: process.execPath, STEAD: steadBin },
    });
    assert.equal(run.stderr, '');
    assert.equal(run.code, 0);
    if (shell === 'fish') assert.match(run.stdout, /^start\t/m);
  });
}

/** What a program gets of the shell that started it: argv, environment, directory, umask, limits. */
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { steadBin } from '../support/paths.ts';
import { procEntries, statusField } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';

const bash = (stead: Stead, script: string, env: NodeJS.ProcessEnv = {}) =>
  execute('/bin/bash', ['-c', script], {
    cwd: stead.directory,
    env: { ...stead.env, NODE: process.execPath, STEAD: steadBin, ...env },
  });

/** Lives, whatever its arguments. */
const waiter = ['sh', '-c', '"sleep 100 & wait"', 'waiter'];

test('argv and environment arrive byte for byte, entry for entry', async (t) => {
  const stead = new Stead(t);
  const script = `
    export ODD=$'a\\xff\\n\\tb' EMPTY= PLAIN='x=y'
    env 'not.an=identifier' NOTIFY_SOCKET=/x LISTEN_FDS=1 INVOCATION_ID=z \
      "$NODE" "$STEAD" start --name a -e MORE=$'\\xfe' -- ${waiter.join(' ')} $'\\xff\\xc3(' '' ' * $HOME ' --help -- -f`;
  const { stderr } = await bash(stead, script);
  assert.equal(stderr, '');
  const pid = await stead.pid('a');
  assert.deepEqual(procEntries(pid, 'cmdline').slice(3), [
    'waiter',
    '\xff\xc3(',
    '',
    ' * $HOME ',
    '--help',
    '--',
    '-f',
  ]);
  const env = procEntries(pid, 'environ');
  for (const entry of ['ODD=a\xff\n\tb', 'EMPTY=', 'PLAIN=x=y', 'not.an=identifier', 'MORE=\xfe']) {
    assert.ok(env.includes(entry), JSON.stringify(entry));
  }
  const names = env.map((entry) => entry.slice(0, entry.indexOf('=')));
  for (const name of ['NOTIFY_SOCKET', 'LISTEN_FDS', 'INVOCATION_ID']) assert.ok(!names.includes(name), name);
  assert.equal(new Set(names).size, names.length);
});

test('directory, umask and limits are those of the shell', async (t) => {
  const stead = new Stead(t);
  symlinkSync(stead.folder('real'), join(stead.directory, 'link'));
  const { stderr } = await bash(
    stead,
    // `true` keeps bash from an exec: Node has raised our own soft limit, so it is read from the shell.
    `cd link; umask 027; ulimit -S -n 333; ulimit -c 0; "$NODE" "$STEAD" start --name a -- ${waiter.join(' ')}; true`,
  );
  assert.equal(stderr, '');
  const pid = await stead.pid('a');
  assert.equal(statusField(pid, 'Umask'), '0027');
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max open files +333 /m);
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), join(stead.directory, 'real'));
  assert.equal((await stead.show('a')).spec.cwd, join(stead.directory, 'link'));
});

test('a hard limit set right before the command holds, too', async (t) => {
  const stead = new Stead(t);
  const { code } = await execute('/bin/sh', ['-c', 'command -v prlimit']);
  if (code !== 0) return t.skip('prlimit(1) is not here');
  await bash(stead, `prlimit --nofile=200:300 "$NODE" "$STEAD" start --name a -- ${waiter.join(' ')}`);
  assert.match(readFileSync(`/proc/${await stead.pid('a')}/limits`, 'utf8'), /^Max open files +300 +300 /m);
});

test('started from a directory that has been removed, it says so', async (t) => {
  const stead = new Stead(t);
  const { code, stderr, stdout } = await bash(
    stead,
    'mkdir gone; cd gone; rmdir ../gone; "$NODE" "$STEAD" start -- sleep 100',
  );
  assert.equal(code, 5);
  assert.match(stderr, /directory you are in has been removed/);
  assert.equal(stdout, '');
});

test('NODE_OPTIONS is left out and that is said, unless it is set by -e', async (t) => {
  const stead = new Stead(t);
  const env = { NODE_OPTIONS: '--no-deprecation' };
  assert.match((await stead.ok(['start', '--name', 'a', '--', 'sleep', '100'], { env })).stderr, /NODE_OPTIONS/);
  const options = ['-e', 'NODE_OPTIONS=--no-warnings'];
  assert.equal((await stead.ok(['start', '--name', 'b', ...options, '--', 'sleep', '100'], { env })).stderr, '');
  const has = async (name: string) =>
    procEntries(await stead.pid(name), 'environ').filter((entry) => entry.startsWith('NODE_OPTIONS='));
  assert.deepEqual([await has('a'), await has('b')], [[], ['NODE_OPTIONS=--no-warnings']]);
});

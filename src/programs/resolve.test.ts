import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { decodeBytes, encodeBytes } from '../host/bytes.ts';
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, SpecOptions } from '../protocol/spec.ts';
import { meaningOf, resolveCommand, resolveTarget } from './resolve.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-resolve-'));
after(() => rmSync(root, { recursive: true }));

const bin = join(root, 'bin');
mkdirSync(bin);
const path = `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`;
const caller = { cwd: root, env: [`PATH=${path}`, 'HOME=/nonexistent'], limits: {} };

const file = (name: string, content: string | Buffer = '', mode = 0o644): string => {
  const at = join(root, name);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, content);
  chmodSync(at, mode);
  return at;
};

const start = (target: string, options: SpecOptions = {}, rest: readonly string[] = []) =>
  resolveTarget({ target, rest, options, caller });
const run = (...command: string[]) => resolveCommand({ command, options: {}, caller });

async function refused(promise: Promise<unknown>, code: string, ...patterns: RegExp[]): Promise<SteadError> {
  const error = await promise.then(
    () => assert.fail('was not refused'),
    (reason) => reason,
  );
  assert.ok(error instanceof SteadError, String(error?.stack));
  assert.equal(error.code, code, error.message);
  for (const pattern of patterns) assert.match(`${error.message}\n${error.hint ?? ''}`, pattern);
  return error;
}

test('a JavaScript file runs with the node of the caller’s PATH, under its own name', async () => {
  const script = file('web/queue.js');
  const resolved = await start('web/queue.js', {}, ['-x', '', 'a b']);
  assert.deepEqual(resolved.program, {
    how: 'script',
    words: [script, '-x', '', 'a b'],
    interpreter: { name: 'node', path: process.execPath, args: [] },
  });
  assert.equal(resolved.name, 'queue');
  assert.equal(resolved.cwd, root);
  assert.equal(resolved.isNamed, false);
});

test('a file of the directory is taken without a slash, and shadows a command', async () => {
  const script = file('sleep', '#!/bin/sh\n', 0o755);
  assert.deepEqual((await start('sleep')).program, { how: 'script', words: [script], interpreter: null });
  rmSync(script);
  assert.deepEqual((await start('sleep', {}, ['5'])).program, {
    how: 'command',
    words: ['sleep', '5'],
    interpreter: null,
  });
});

test('links in a script’s path are kept, and .. is only shortened where that leads to the same file', async () => {
  mkdirSync(join(root, 'releases/1/deep'), { recursive: true });
  file('releases/1/app.js');
  symlinkSync('releases/1', join(root, 'current'));
  symlinkSync('releases/1/deep', join(root, 'inner'));
  assert.equal((await start('current/app.js')).program.words[0], join(root, 'current/app.js'));
  assert.equal((await start('inner/../app.js')).program.words[0], `${root}/inner/../app.js`);
  assert.equal((await start('releases/../releases/1/app.js')).program.words[0], join(root, 'releases/1/app.js'));
});

test('an executable script with a #! line is executed itself, one without the permission by what its extension says', async () => {
  const script = file('tool.py', '#!/usr/bin/env perl\n', 0o755);
  assert.equal((await start('tool.py')).program.interpreter, null);
  chmodSync(script, 0o644);
  assert.equal((await start('tool.py')).program.interpreter?.name, 'perl');
  file('job.sh', 'exit 0');
  assert.equal((await start('job.sh')).program.interpreter?.name, 'sh');
  file('cli.mjs', '#!/usr/bin/env node\n', 0o755);
  assert.equal((await start('cli.mjs')).program.interpreter?.path, process.execPath);
});

test('--interpreter takes a name, a path or none', async () => {
  file('odd.txt', 'exit 0');
  const named = await start('odd.txt', { interpreter: 'sh', interpreterArgs: ['-e'] });
  assert.deepEqual(named.program.interpreter?.args, ['-e']);
  assert.equal((await start('odd.txt', { interpreter: '/bin/sh' })).program.interpreter?.path, '/bin/sh');
  await refused(start('odd.txt', { interpreter: 'none' }), 'NOT_EXECUTABLE', /no execute permission/, /chmod \+x/);
  await refused(start('odd.txt', { interpreter: 'nosuch' }), 'INTERPRETER_NOT_FOUND', /"nosuch" is not in your PATH/);
  await refused(start('odd.txt', { interpreter: './nosuch' }), 'INTERPRETER_NOT_FOUND', /"\.\/nosuch" does not exist/);
});

test('what the kernel would not execute is refused with the reason', async () => {
  file('plain', 'hello', 0o644);
  await refused(start('plain'), 'NOT_EXECUTABLE', /no execute permission/, /chmod \+x/);
  file('text', 'hello', 0o755);
  await refused(start('text'), 'NOT_EXECUTABLE', /without a #! line/, /--interpreter sh/);
  file('empty', '', 0o755);
  await refused(start('empty'), 'NOT_EXECUTABLE', /empty/);
  file('crlf', '#!/bin/sh\r\nexit\r\n', 0o755);
  await refused(start('crlf'), 'NOT_EXECUTABLE', /carriage return/, /sed -i/);
  file('gone', '#!/opt/nosuch/bin/python\n', 0o755);
  await refused(start('gone'), 'INTERPRETER_NOT_FOUND', /"\/opt\/nosuch\/bin\/python", which does not exist/);
  file('envgone', '#!/usr/bin/env -S nosuch --x\n', 0o755);
  await refused(start('envgone'), 'INTERPRETER_NOT_FOUND', /"nosuch", which is not in your PATH/);
  file('loop', `#!${join(root, 'loop')}\n`, 0o755);
  await refused(start('loop'), 'INTERPRETER_NOT_FOUND', /script to script/);
  file('page.php', '<?php');
  await refused(
    resolveTarget({ target: 'page.php', rest: [], options: {}, caller: { ...caller, env: [`PATH=${bin}`] } }),
    'INTERPRETER_NOT_FOUND',
    /"php" is not in your PATH/,
  );
});

test('an ELF file for another machine or system is refused, one for this is executed', async () => {
  const program = file('true', '', 0o755);
  copyFileSync('/bin/true', program);
  assert.equal((await start('./true')).program.interpreter, null);
  const bytes = readFileSync('/bin/true');
  const foreign = Buffer.from(bytes);
  foreign.writeUInt16LE(22, 18);
  file('foreign', foreign, 0o755);
  await refused(start('foreign'), 'NOT_EXECUTABLE', /built for S\/390/);
  const loader = bytes.indexOf('/ld-linux');
  bytes.write('/ld-LINUX', loader);
  file('musl', bytes, 0o755);
  await refused(start('musl'), 'NOT_EXECUTABLE', /loader ".*ld-LINUX.*" does not exist/);
});

test('what is not there is named, with what may have been meant', async () => {
  file('lib/server.js');
  await refused(
    start('./lib/sever.js'),
    'PROGRAM_NOT_FOUND',
    /"\.\/lib\/sever\.js": there is no such file/,
    /lib\/server\.js/,
  );
  await refused(start('lib/server'), 'PROGRAM_NOT_FOUND', /lib\/server\.js/);
  await refused(start('./nodir/x.js'), 'PROGRAM_NOT_FOUND', /nodir" does not exist/);
  await refused(start('nosuchcommand'), 'PROGRAM_NOT_FOUND', /no such command in your PATH/);
  await refused(start('./x\x1b[2J'), 'PROGRAM_NOT_FOUND', /x\\x1b\[2J/);
  await refused(run('cd', '/'), 'PROGRAM_NOT_FOUND', /word of the shell/, /sh -c/);
  await refused(start(''), 'USAGE');
  await refused(run(), 'USAGE');
});

test('what is there but no file to run is told from what is not there', async () => {
  symlinkSync(join(root, 'nosuch-target'), join(root, 'dangling.js'));
  await refused(
    start('./dangling.js'),
    'PROGRAM_NOT_FOUND',
    /symbolic link to ".*nosuch-target", which does not exist/,
  );
  symlinkSync('circle', join(root, 'circle'));
  await refused(start('./circle'), 'PROGRAM_NOT_FOUND', /circle/);
  execFileSync('mkfifo', [join(root, 'pipe')]);
  await refused(start('./pipe'), 'PROGRAM_NOT_FOUND', /no regular file/);
  await refused(start('pipe'), 'PROGRAM_NOT_FOUND', /no regular file/);
  await refused(start('/dev/null'), 'PROGRAM_NOT_FOUND', /no regular file/);
  await refused(start(`./${'x'.repeat(5000)}`), 'PROGRAM_NOT_FOUND', /longer than the system allows/);
  const { message } = await refused(start('.'), 'PROGRAM_NOT_FOUND', /directory/);
  assert.ok(message.length < 500);
});

test('what may not be read or reached is refused as such', {
  skip: process.geteuid!() === 0 && 'root may all',
}, async () => {
  file('secret.js', '', 0o200);
  await refused(start('secret.js'), 'NOT_EXECUTABLE', /may not read/);
  file('closed/a.js');
  chmodSync(join(root, 'closed'), 0o600);
  await refused(start('closed/a.js'), 'NOT_EXECUTABLE', /may not be searched/);
  chmodSync(join(root, 'closed'), 0o700);
});

test('a directory is refused with the file in it that was probably meant', async () => {
  file('pkg/package.json', '{"main": "lib/main.js"}');
  file('pkg/lib/main.js');
  await refused(start('./pkg'), 'PROGRAM_NOT_FOUND', /it is a directory/, /pkg\/lib\/main\.js/);
  await refused(start('pkg'), 'PROGRAM_NOT_FOUND', /it is a directory/);
  await refused(run('./pkg'), 'NOT_EXECUTABLE', /it is a directory/);
});

test('one word with spaces is run by sh -c, and that is said', async () => {
  const resolved = await start('cd /tmp && exec sleep 5');
  assert.deepEqual(resolved.program, {
    how: 'shell',
    words: ['cd /tmp && exec sleep 5'],
    interpreter: { name: 'sh', path: '/bin/sh', args: ['-c'] },
  });
  assert.match(resolved.notes[0]!, /sh -c/);
  assert.equal(resolved.name, 'sleep');
  assert.equal((await run('node x.js --a')).program.how, 'shell');
  const withArgs = (await start('echo "$1"', {}, ['a b'])).program;
  const [first, ...others] = withArgs.words;
  assert.equal(execFileSync('/bin/sh', ['-c', first!, ...others], { encoding: 'utf8' }), 'a b\n');
  const spaced = file('my prog.js');
  assert.equal((await start('my prog.js')).program.words[0], spaced);
  await refused(start('./my prg.js'), 'PROGRAM_NOT_FOUND', /my prog\.js/);
});

test('a command keeps its argv byte for byte, also bytes that are no UTF-8', async () => {
  const raw = decodeBytes(Buffer.from([0x61, 0xff, 0x0a, 0x24]));
  const { program } = await run('printf', '%s', raw, '', '-n', '$HOME', '*');
  assert.deepEqual(program.words, ['printf', '%s', raw, '', '-n', '$HOME', '*']);
  const folder = decodeBytes(Buffer.concat([Buffer.from(`${root}/f`), Buffer.from([0xfe])]));
  mkdirSync(encodeBytes(folder));
  writeFileSync(encodeBytes(`${folder}/a.js`), '');
  const resolved = await resolveTarget({ target: 'a.js', rest: [], options: {}, caller: { ...caller, cwd: folder } });
  assert.equal(resolved.program.words[0], `${folder}/a.js`);
  assert.equal(resolved.cwd, folder);
});

test('a command in PATH that may not be executed is told from one that is not there', async () => {
  file('bin/locked', '#!/bin/sh\n', 0o644);
  await refused(run('locked'), 'NOT_EXECUTABLE', /bin\/locked: it has no execute permission/);
  mkdirSync(join(bin, 'folder'));
  await refused(run('folder'), 'NOT_EXECUTABLE', /directory/);
});

test('the working directory must be there', async () => {
  file('web/queue.js');
  assert.equal((await start('web/queue.js', { cwd: 'web' })).cwd, join(root, 'web'));
  await refused(start('web/queue.js', { cwd: 'nosuch' }), 'CWD_MISSING', /nosuch" does not exist/);
  await refused(start('web/queue.js', { cwd: 'web/queue.js' }), 'CWD_MISSING', /is no directory/);
});

test('options are put over the environment, and its PATH is the one that counts', async () => {
  file('other/mytool', '#!/bin/sh\n', 0o755);
  const env = ['A=1', `PATH=${path}`, 'B=2'];
  const resolved = await resolveCommand({
    command: ['mytool'],
    options: { env: [`PATH=${join(root, 'other')}:/bin`, 'A=x=y', 'C=', 'A=z'] },
    caller: { ...caller, env },
  });
  assert.deepEqual(resolved.env, ['A=z', `PATH=${join(root, 'other')}:/bin`, 'B=2', 'C=']);
});

test('what the kernel would refuse for its size is refused with the largest part named', async () => {
  const most = 128 * 1024 - 1;
  assert.ok(await run('true', 'x'.repeat(most)));
  await refused(run('true', 'x'.repeat(most + 1)), 'ENVIRONMENT_TOO_LARGE', /argument 1 has 131072 bytes/);
  const large = { ...caller, env: [...caller.env, `BIG=${'é'.repeat(most / 2)}`] };
  await refused(
    resolveCommand({ command: ['true'], options: {}, caller: large }),
    'ENVIRONMENT_TOO_LARGE',
    /variable "BIG"/,
  );
  const many = Array.from({ length: 200 }, () => 'y'.repeat(20_000));
  const limited = (stack: number | null) => ({ ...caller, limits: { stack: [stack, null] as const } });
  await refused(
    resolveCommand({ command: ['true', ...many], options: {}, caller: limited(8 << 20) }),
    'ENVIRONMENT_TOO_LARGE',
    /kernel takes 2097152/,
  );
  assert.ok(await resolveCommand({ command: ['true', ...many], options: {}, caller: limited(null) }));
  await refused(run('true', 'a\0b'), 'BAD_REQUEST', /NUL/);
});

test('an app is meant by its name unless another file here has it, too', async () => {
  const script = file('api', '#!/bin/sh\n', 0o755);
  const known = (word: string, how: 'script' | 'command') =>
    ({ program: { how, words: [word], interpreter: null } }) as unknown as AppSpec;
  assert.equal(await meaningOf('api', { known: undefined, cwd: root }), 'program');
  assert.equal(await meaningOf('./api', { known: known(script, 'script'), cwd: root }), 'program');
  assert.equal(await meaningOf('api', { known: known(script, 'script'), cwd: root }), 'app');
  assert.equal(await meaningOf('api', { known: known('/x/api', 'script'), cwd: '/' }), 'app');
  await refused(meaningOf('api', { known: known('/bin/true', 'script'), cwd: root }), 'TARGET_AMBIGUOUS', /\.\/api/);
  await refused(meaningOf('api', { known: known('api', 'command'), cwd: root }), 'TARGET_AMBIGUOUS', /--name/);
});

test('a given name is checked first', async () => {
  await refused(start('nosuch', { name: '0' }), 'NAME_INVALID');
  assert.equal((await start('sleep', { name: 'nap' })).name, 'nap');
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseShebang, shebangProgram } from './executable.ts';
import { findCommand } from './find.ts';
import { lookUpUser, parsePasswd } from './user.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-find-'));
after(() => rmSync(root, { recursive: true }));
for (const folder of ['a', 'b', 'a/tool']) mkdirSync(join(root, folder));
writeFileSync(join(root, 'b/tool'), '');
chmodSync(join(root, 'b/tool'), 0o755);
writeFileSync(join(root, 'here'), '');
chmodSync(join(root, 'here'), 0o755);
writeFileSync(join(root, 'b/locked'), '');

const look = (word: string, path: string | undefined) => findCommand(word, { path, cwd: root });

test('the first executable file in PATH is found; directories and files without permission are passed over', async () => {
  assert.deepEqual(await look('tool', `${root}/a:${root}/b`), { how: 'found', path: join(root, 'b/tool') });
  assert.deepEqual(await look('tool', `${root}/a`), {
    how: 'refused',
    path: join(root, 'a/tool'),
    why: 'it is a directory',
  });
  assert.equal((await look('locked', `${root}/a:${root}/b`)).how, 'refused');
  assert.deepEqual(await look('nosuch', `${root}/a:${root}/nosuch:${root}/here`), { how: 'missing' });
});

test('an empty or relative part of PATH counts from the working directory, and no PATH at all is /bin:/usr/bin', async () => {
  assert.deepEqual(await look('here', `/nosuch:`), { how: 'found', path: join(root, 'here') });
  assert.deepEqual(await look('tool', `b`), { how: 'found', path: join(root, 'b/tool') });
  assert.deepEqual(await look('sh', undefined), { how: 'found', path: '/bin/sh' });
  assert.deepEqual(await look('./here', ''), { how: 'found', path: join(root, 'here') });
  assert.deepEqual(await look('', '/bin'), { how: 'missing' });
});

test('a noexec mount is named', { skip: process.geteuid!() !== 0 && 'needs root' }, async (t) => {
  const mount = join(root, 'no exec');
  mkdirSync(mount);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec,size=64k', 'tmpfs', mount], { stdio: 'ignore' });
  } catch {
    return t.skip('cannot mount');
  }
  try {
    writeFileSync(join(mount, 'tool'), '#!/bin/sh\n');
    chmodSync(join(mount, 'tool'), 0o755);
    const found = await look('tool', mount);
    assert.deepEqual(found, {
      how: 'refused',
      path: join(mount, 'tool'),
      why: `the file system at ${mount} is mounted noexec`,
    });
  } finally {
    execFileSync('umount', [mount]);
  }
});

test('#! lines are read as the kernel reads them', () => {
  const parse = (text: string) => parseShebang(Buffer.from(text));
  assert.deepEqual(parse('#!/bin/sh'), { interpreter: '/bin/sh', argument: null, endsInCr: false });
  assert.deepEqual(parse('#! /bin/sh -e  -x \nfoo'), { interpreter: '/bin/sh', argument: '-e  -x', endsInCr: false });
  assert.equal(parse('#!/bin/sh\r\n')?.endsInCr, true);
  assert.equal(parse('#!\n/bin/sh'), null);
  assert.equal(parse(' #!/bin/sh'), null);
  const program = (text: string) => shebangProgram(parse(text)!);
  assert.deepEqual(program('#!/usr/bin/env node'), { word: 'node', args: [], isEnv: true });
  assert.deepEqual(program('#!/usr/bin/env -S deno run -A'), { word: 'deno', args: ['run', '-A'], isEnv: true });
  assert.deepEqual(program('#!/usr/bin/env -S A=1 node --x'), { word: 'node', args: ['--x'], isEnv: true });
  assert.deepEqual(program('#!/bin/sh -e'), { word: '/bin/sh', args: ['-e'], isEnv: false });
});

test('a user is found by name and by number, and only root gets another one', async () => {
  const nobody = parsePasswd(execFileSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' }))!;
  assert.deepEqual(await lookUpUser('nobody', 0), nobody);
  assert.deepEqual(await lookUpUser(String(nobody.uid), 0), nobody);
  assert.equal(await lookUpUser('nobody', nobody.uid), null);
  await assert.rejects(lookUpUser('nobody', 4711), { code: 'NOT_PERMITTED' });
  for (const name of ['no such', 'nosuchuser', '-h', '', 'a:b', 'x\ny', '99999999', '__proto__']) {
    await assert.rejects(lookUpUser(name, 0), { code: 'USER_UNKNOWN' }, name);
  }
  assert.equal(parsePasswd('a:b:c'), null);
});

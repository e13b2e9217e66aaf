import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { processStat } from '../host/process.ts';
import type { SteadError } from '../protocol/errors.ts';
import { fileFacts } from './executable.ts';
import { chooseInterpreter, relookup } from './interpreter.ts';
import { wantedVersion } from './node-version.ts';
import { isAtLeast, probe } from './probe.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-interpreter-'));
after(() => rmSync(root, { recursive: true }));

const file = (name: string, content = '', mode = 0o644): string => {
  const at = join(root, name);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, content);
  chmodSync(at, mode);
  return at;
};
const inPath = (...folders: string[]) => {
  const path = [...folders.map((folder) => join(root, folder)), '/usr/bin', '/bin'].join(':');
  return { path, cwd: root, env: [`PATH=${path}`, `NODE_OPTIONS=--nosuchoption`] };
};
const choose = async (path: string, surroundings: ReturnType<typeof inPath>) =>
  chooseInterpreter({ path, facts: await fileFacts(path) }, {}, surroundings);

/** Says that it is a Node of this version. */
const fakeNode = (folder: string, version: string) => file(`${folder}/node`, `#!/bin/sh\necho ${version}\n`, 0o755);

test('TypeScript runs on type stripping as the Node in PATH has it', async () => {
  const script = file('plain/a.ts');
  const cases: readonly [string, readonly string[] | null][] = [
    ['20.20.2', null],
    ['22.5.1', null],
    ['22.6.0', ['--experimental-strip-types']],
    ['22.18.0', []],
    ['23.5.0', ['--experimental-strip-types']],
    ['23.6.0', []],
    ['24.1.0', []],
  ];
  for (const [version, args] of cases) {
    const node = fakeNode(`node-${version}`, version);
    const chosen = choose(script, inPath(`node-${version}`));
    if (args === null) {
      await assert.rejects(chosen, (error: SteadError) => {
        assert.equal(error.code, 'INTERPRETER_NOT_FOUND');
        assert.match(error.message, new RegExp(version.replaceAll('.', '\\.')));
        assert.match(error.hint!, /tsx.*22\.18.*bun, deno/);
        return true;
      });
    } else {
      assert.deepEqual((await chosen).interpreter, { name: 'node', path: node, args });
      assert.match((await chosen).notes[0]!, /type stripping/);
    }
  }
  await assert.rejects(choose(file('plain/a.tsx'), inPath('node-24.1.0')), /JSX/);
  await assert.rejects(choose(script, { ...inPath(), path: join(root, 'nothing') }), /no node in your PATH/);
});

test('a project’s own tsx, bun or deno comes before type stripping, in this order', async () => {
  const node = fakeNode('node-24', '24.0.0');
  const bun = file('others/bun', '#!/bin/sh\n', 0o755);
  const deno = file('others/deno', '#!/bin/sh\n', 0o755);
  const script = file('project/src/deep/a.ts');
  file('project/deno.json');
  const surroundings = inPath('node-24', 'others');
  assert.deepEqual((await choose(script, surroundings)).interpreter, {
    name: 'deno',
    path: deno,
    args: ['run', '--allow-all'],
  });
  const given = await chooseInterpreter(
    { path: script, facts: await fileFacts(script) },
    { interpreterArgs: ['--allow-net'] },
    surroundings,
  );
  assert.deepEqual(given.interpreter?.args, ['run', '--allow-net'], 'who says what is allowed means it');
  file('project/bun.lock');
  const chosen = await choose(script, surroundings);
  assert.deepEqual(chosen.interpreter, { name: 'bun', path: bun, args: ['run'] });
  assert.deepEqual(chosen.notes, ['runs with bun run, as the project has bun.lock']);
  assert.equal((await choose(script, inPath('node-24'))).interpreter?.path, node, 'a lock file without the program');
  const tsx = file('project/node_modules/.bin/tsx', '#!/bin/sh\n', 0o755);
  assert.deepEqual((await choose(script, surroundings)).interpreter, { name: 'tsx', path: tsx, args: [] });
  const loader = file('project/node_modules/tsx/dist/loader.mjs');
  assert.deepEqual((await choose(script, surroundings)).interpreter, {
    name: 'node',
    path: node,
    args: ['--import', pathToFileURL(loader).href],
  });
});

test('a version manager’s shim is resolved to the program behind it', async () => {
  const script = file('plain/b.js');
  const real = file('versions/20/bin/node', '#!/bin/sh\n', 0o755);
  file('home/.volta/bin/node', `#!/bin/sh\n[ "$1" = -p ] && echo ${real}\n`, 0o755);
  assert.equal((await choose(script, inPath('home/.volta/bin'))).interpreter?.path, real);
  mkdirSync(join(root, 'run/fnm_multishells/12_34'), { recursive: true });
  symlinkSync(dirname(real), join(root, 'run/fnm_multishells/12_34/bin'));
  assert.equal((await choose(script, inPath('run/fnm_multishells/12_34/bin'))).interpreter?.path, real);
  const broken = file('home/.asdf/shims/node', '#!/bin/sh\nexit 1\n', 0o755);
  assert.equal((await choose(script, inPath('home/.asdf/shims'))).interpreter?.path, broken);
});

test('another Node than .nvmrc asks for is said', async () => {
  fakeNode('node-20', '20.1.0');
  const script = file('asks/src/c.js');
  file('asks/.nvmrc', 'v18\n');
  assert.match(
    (await choose(script, inPath('node-20'))).notes[0]!,
    /\.nvmrc asks for Node 18, but it runs with 20\.1\.0/,
  );
  file('asks/.nvmrc', '20\n');
  assert.deepEqual((await choose(script, inPath('node-20'))).notes, []);
  assert.equal(wantedVersion('# x\nv20.1.2\n'), '20.1.2');
  assert.equal(wantedVersion('lts/*'), null);
});

test('an interpreter whose file is gone is looked up again by its name', async () => {
  const node = fakeNode('node-20', '20.1.0');
  const program = {
    how: 'script',
    words: ['/x.js'],
    interpreter: { name: 'node', path: '/gone/bin/node', args: ['-r', 'y'] },
  } as const;
  const again = await relookup(program, inPath('node-20'));
  assert.deepEqual(again?.interpreter, { name: 'node', path: node, args: ['-r', 'y'] });
  const present = { ...program, interpreter: { ...program.interpreter, path: node } };
  assert.equal(await relookup(present, inPath('node-20')), present);
  assert.equal(await relookup(program, { ...inPath(), path: join(root, 'nothing') }), null);
});

test('an interpreter that hangs is given up and killed with its children', async () => {
  const pidFile = join(root, 'pid');
  const hangs = file('hangs', '#!/bin/sh\nsleep 63 &\necho $! >pid\necho early\nwait\n', 0o755);
  assert.equal(await probe(hangs, [], inPath(), 500), null);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const isAlive = () => (processStat(pid)?.state ?? 'Z') !== 'Z';
  const deadline = Date.now() + 10_000;
  while (isAlive() && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!isAlive());
  assert.equal(await probe(join(root, 'nosuch'), [], inPath()), null);
  assert.equal(await probe('/bin/sh', ['-c', 'echo x; exit 1'], inPath()), null);
  assert.equal(await probe('/bin/sh', ['-c', 'echo x'], { ...inPath(), cwd: '/nosuch' }), null);
  assert.equal(await probe('/bin/sh', ['-c', 'echo " x "'], inPath()), 'x');
});

test('versions compare by number', () => {
  assert.ok(isAtLeast('22.18.0', 22, 6));
  assert.ok(isAtLeast('24.0.0', 22, 18));
  assert.ok(!isAtLeast('22.5.9', 22, 6));
  assert.ok(!isAtLeast('9.99.0', 22, 6));
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../../test/support/paths.ts';
import { waitFor } from '../../test/support/wait.ts';
import { project } from '../../test/support/watching.ts';
import { filesBeside, followGraph, graphEnvironment } from './graph.ts';

const preload = join(repository, 'src/watch/graph.cjs');

const files = {
  'package.json': '{"name":"x"}',
  'app.js': `
    debugger;
    require('./lib/a'); require('./data.json'); require('dep');
    import('./esm/b.mjs').then(() => import('./esm/späte (1).mjs')).then(() => {
      const { NODE_OPTIONS = '', STEAD_GRAPH = '' } = process.env;
      console.log(JSON.stringify({ send: typeof process.send, NODE_OPTIONS, STEAD_GRAPH }));
    });
  `,
  'lib/a.js': '',
  'lib/unused.js': '',
  'data.json': '{}',
  'node_modules/dep/index.js': '',
  'esm/b.mjs': 'import "./c.mjs"',
  'esm/c.mjs': '',
  'esm/späte (1).mjs': '',
};

test('just what a program has imported is watched, and what configures it', async (t) => {
  const one = await project(t, []);
  for (const [path, text] of Object.entries(files)) one.write(path, text);
  const { watch, next, settled } = await one.watch({ roots: null }, { always: filesBeside(one.root, 'app.js') });
  const graph = followGraph(one.at('graph'), (paths) => watch.include(paths));
  t.after(() => graph.close());
  const env = { ...process.env, NODE_OPTIONS: '--no-warnings' };
  const child = spawn(process.execPath, ['app.js'], {
    cwd: one.root,
    env: { ...env, ...graphEnvironment(preload, one.at('graph'), env) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(output), { send: 'undefined', NODE_OPTIONS: '--no-warnings', STEAD_GRAPH: '' });
  await waitFor('all that it imported', () => graph.count >= 7);
  for (const path of [...Object.keys(files).filter((path) => path !== 'lib/unused.js'), '.env', 'tsconfig.json']) {
    one.write(path, 'changed');
    assert.deepEqual((await next()).paths, [path]);
  }
  one.write('lib/unused.js', 'changed');
  one.write('other.js');
  assert.deepEqual(await settled(), []);
});

test('a program that fails while it loads has told what it loaded', async (t) => {
  const one = await project(t, []);
  one.write('app.js', "require('./a'); require('./bad');");
  one.write('a.js', '');
  one.write('bad.js', 'syntax error');
  one.write('graph', '');
  const env = { ...process.env, ...graphEnvironment(preload, one.at('graph'), {}) };
  const child = spawn(process.execPath, ['app.js'], { cwd: one.root, env, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 1);
  const told = readFileSync(one.at('graph'), 'utf8').split('\n');
  for (const path of ['app.js', 'a.js', 'bad.js']) assert.ok(told.includes(one.at(path)), path);
});

test('what is not there is told by the paths at which it would be found', async (t) => {
  const one = await project(t, []);
  const tells = async (script: string, text: string, expected: string, isError = true) => {
    one.write(script, text);
    one.write('graph', '');
    const env = { ...process.env, ...graphEnvironment(preload, one.at('graph'), {}) };
    const [code] = await once(spawn(process.execPath, [script], { cwd: one.root, env, stdio: 'ignore' }), 'exit');
    assert.equal(code, isError ? 1 : 0);
    const told = readFileSync(one.at('graph'), 'utf8').split('\n');
    assert.ok(told.includes(one.at(expected)), `${script}: ${told.join(' ')}`);
  };
  await tells('a.js', "require('./lib/late')", 'lib/late.js');
  await tells('a.js', "require('./lib/late')", 'lib/late/index.js');
  await tells('b.js', "try { require('./late.json') } catch {}", 'late.json', false);
  await tells('c.js', "require('@late/pkg/x')", 'node_modules/@late/pkg/package.json');
  await tells('d.mjs', "import './lib/late.mjs'", 'lib/late.mjs');
  await tells('e.mjs', "import 'late'", 'node_modules/late/package.json');
});

test('threads and Node children tell, too; nobody sees of it in an environment', async (t) => {
  const one = await project(t, []);
  const shows = 'console.log(JSON.stringify([process.env.NODE_OPTIONS, process.env.STEAD_GRAPH]));';
  one.write(
    'app.js',
    `${shows}
    const { execFile, fork } = require('node:child_process');
    fork('./forked.js');
    execFile('/usr/bin/env', [], (error, text) => console.log(/^STEAD_GRAPH/m.test(text)));
    new (require('node:worker_threads').Worker)('./thread.mjs');`,
  );
  one.write('forked.js', `require('./of-forked'); ${shows}`);
  one.write('of-forked.js', '');
  one.write('thread.mjs', `import './of-thread.mjs'; ${shows}`);
  one.write('of-thread.mjs', '');
  one.write('graph', '');
  const env = { ...process.env, NODE_OPTIONS: '--no-warnings' };
  const child = spawn(process.execPath, ['app.js'], {
    cwd: one.root,
    env: { ...env, ...graphEnvironment(preload, one.at('graph'), env) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  await once(child, 'close');
  const plain = '["--no-warnings",null]';
  assert.deepEqual(output.trim().split('\n').sort(), [plain, plain, plain, 'false'].sort());
  const told = readFileSync(one.at('graph'), 'utf8').split('\n');
  for (const path of ['forked.js', 'of-forked.js', 'thread.mjs', 'of-thread.mjs'])
    assert.ok(told.includes(one.at(path)), path);
});

test('what starts a program by npm hands it on', async (t) => {
  const one = await project(t, []);
  one.write('bin/npm-cli.js', "require('child_process').execFileSync(process.execPath, ['app.js'])");
  one.write('app.js', '');
  one.write('graph', '');
  const env = { ...process.env, ...graphEnvironment(preload, one.at('graph'), {}) };
  const child = spawn(process.execPath, ['bin/npm-cli.js'], { cwd: one.root, env, stdio: 'ignore' });
  await once(child, 'exit');
  const told = readFileSync(one.at('graph'), 'utf8')
    .split('\n')
    .filter((path) => path.startsWith(one.root));
  assert.deepEqual(told, [one.at('app.js')]);
});

test('the package of a script is that of the nearest directory above', async (t) => {
  const one = await project(t, []);
  mkdirSync(one.at('packages/x/src'), { recursive: true });
  writeFileSync(one.at('packages/x/package.json'), '{}');
  symlinkSync('packages/x', one.at('x'));
  assert.ok(filesBeside(one.root, 'packages/x/src/a.js').includes(one.at('packages/x/package.json')));
  assert.ok(filesBeside(one.root, 'packages/x/src/a.js').includes(one.at('package.json')));
});

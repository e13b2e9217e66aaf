import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/paths.ts';
import { execute, Stead } from '../support/stead.ts';

const usesEsm = `
import stead, { connect, SteadError } from 'stead';
const client = await connect({ start: true });
const [{ app }] = await client.start({ command: ['sleep', '1000'] }, { name: 'sleeper' });
const error = await client.stop('nobody').catch((error) => error);
console.log(app.state, error instanceof SteadError, stead.connect === connect, error.code);
`;
const usesCommonJs = `
const { connect, SteadError } = require('stead');
connect().then(async (client) => {
  const error = await client.stop('nobody').catch((error) => error);
  const { SteadError: same } = await import('stead');
  console.log((await client.list()).length, error instanceof SteadError, same === SteadError);
});
`;
const typed = `
import { connect, SteadError, type AppView, type ErrorCode, type EventView, type LogLineView, type Stead } from 'stead';

export async function main(signal: AbortSignal): Promise<readonly AppView[]> {
  const client: Stead = await connect({ home: '/tmp/x', start: true, signal });
  const [started] = await client.start('server.js', { name: 'web', env: { PORT: '1' }, maxMemory: 2 ** 28, signal });
  const port: string | undefined = started?.app.ports[0];
  for await (const event of client.events({ after: 3 })) { const one: EventView = event; console.log(one.id, port); }
  for await (const line of client.logs('web', { grep: /x/i, since: new Date() })) { const one: LogLineView = line; console.log(one.line); }
  const session = await client.attach('web');
  await session.write('x');
  for await (const bytes of session) console.log(bytes.length);
  try {
    await client.stop(['web', '@g'], { wait: false });
  } catch (error) {
    if (error instanceof SteadError) { const code: ErrorCode = error.code; console.log(code, error.hint); }
  }
  // @ts-expect-error there is no such option
  await client.start('server.js', { nmae: 'web' });
  // @ts-expect-error it is a number of bytes
  await client.set('web', { maxMemory: '200M' });
  return client.list();
}
`;

test('the packed package installs into an empty project: command, ESM, CommonJS and types; what runs outlives its removal', async (t) => {
  const world = new Stead(t);
  const project = world.folder('project');
  const env = { ...process.env, npm_config_cache: world.folder('npm-cache') };
  const npm = async (...words: string[]) => {
    const result = await execute('npm', words, { cwd: repository, env, timeoutMs: 100_000 });
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };
  await npm('pack', '--ignore-scripts', '--silent', '--pack-destination', world.directory);
  const archive = readdirSync(world.directory).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(project, 'package.json'), '{ "name": "uses-stead", "version": "1.0.0" }');
  const quietly = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund'];
  await npm('install', ...quietly, '--prefix', project, join(world.directory, archive));

  const packed = readdirSync(join(project, 'node_modules/stead')).sort();
  assert.deepEqual(packed, [
    'LICENSE',
    'README.md',
    'THIRD_PARTY.md',
    'bin',
    'dist',
    'docs',
    'node_modules',
    'package.json',
  ]);
  const bin = join(project, 'node_modules/.bin/stead');
  assert.match((await execute(bin, ['--version'], { env: world.env })).stdout, /^\d+\.\d+\.\d+/);

  const files = { 'a.mjs': usesEsm, 'b.cjs': usesCommonJs, 'typed.mts': typed, 'typed.cts': typed, 'typed.ts': typed };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const node = (file: string) => execute(process.execPath, [file], { cwd: project, env: world.env });
  const esm = await node('a.mjs');
  assert.equal(esm.stdout, 'running true true APP_NOT_FOUND\n', esm.stderr);
  const commonJs = await node('b.cjs');
  assert.equal(commonJs.stdout, '1 true true\n', commonJs.stderr);

  const tsc = (...words: string[]) =>
    execute(
      join(repository, 'node_modules/.bin/tsc'),
      [
        ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2023', '--ignoreConfig'],
        ...['--typeRoots', join(repository, 'node_modules/@types'), '--types', 'node', ...words],
      ],
      { cwd: project },
    );
  const checked = await Promise.all([
    tsc('--module', 'node16', '--moduleResolution', 'node16', 'typed.mts', 'typed.cts'),
    tsc('--module', 'esnext', '--moduleResolution', 'bundler', 'typed.ts'),
  ]);
  for (const { code, stdout } of checked) assert.equal(code, 0, stdout);

  rmSync(join(project, 'node_modules'), { recursive: true });
  assert.equal(existsSync(bin), false);
  // The command of this checkout talks to the daemon that runs on from the home's own copy.
  const [app] = JSON.parse((await world.run(['list', '--json'])).stdout);
  assert.equal(app?.state, 'running');
  assert.equal((await world.run(['stop', 'sleeper'])).code, 0);
});

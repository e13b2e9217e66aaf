import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/paths.ts';
import { execute, Stead } from '../support/stead.ts';

test('the packed package installs into an empty prefix, works from there, and what runs outlives its removal', async (t) => {
  const world = new Stead(t);
  const prefix = world.folder('prefix');
  mkdirSync(prefix, { recursive: true });
  const env = { ...process.env, npm_config_cache: world.folder('npm-cache') };
  const npm = async (...words: string[]) => {
    const result = await execute('npm', words, { cwd: repository, env, timeoutMs: 100_000 });
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };
  await npm('pack', '--ignore-scripts', '--silent', '--pack-destination', world.directory);
  const archive = readdirSync(world.directory).find((name) => name.endsWith('.tgz'))!;
  await npm(
    'install',
    '-g',
    '--ignore-scripts',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--prefix',
    prefix,
    join(world.directory, archive),
  );

  const bin = join(prefix, 'bin/stead');
  const stead = (...words: string[]) => execute(bin, words, { env: world.env, cwd: world.directory });
  assert.match((await stead('--version')).stdout, /^\d+\.\d+\.\d+/);
  const started = await stead('start', '--name', 'sleeper', '--', 'sleep', '1000');
  assert.equal(started.code, 0, started.stderr);
  assert.match((await stead('list')).stdout, /sleeper +running/);
  const packed = readdirSync(join(prefix, 'lib/node_modules/stead')).sort();
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

  rmSync(prefix, { recursive: true });
  assert.equal(existsSync(bin), false);
  // The command of this checkout talks to the daemon that runs on from the home's own copy.
  const [app] = JSON.parse((await world.run(['list', '--json'])).stdout);
  assert.equal(app?.state, 'running');
  assert.equal((await world.run(['stop', 'sleeper'])).code, 0);
});

/**
 * `npm run test:lts [-- MAJOR]`: the tests on a current LTS of Node (24 unless said otherwise), taken from the npm package `node`. That package gets its
 * binary by an install script; here its platform package is installed instead, so that no script needs to run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const major = /^\d+$/.test(process.argv[2] ?? '') ? process.argv[2] : '24';
const place = join(root, `.build/node-${major}`);
const name = `node-linux-${process.arch}`;
const node = join(place, 'node_modules', name, 'bin/node');

if (!existsSync(node)) {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
  const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', `${name}@${major}`];
  const { status } = spawnSync('npm', words, { cwd: place, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
console.log(`Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
const filters = process.argv.slice(2).filter((word) => !/^\d+$/.test(word));
// First in PATH, too: programs that tests start by `node` run on it as well.
const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` };
process.exitCode =
  spawnSync(process.execPath, [join(root, 'scripts/test.mjs'), '--node', node, ...filters], {
    cwd: root,
    env,
    stdio: 'inherit',
  }).status ?? 1;

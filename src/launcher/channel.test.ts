/** What the module for messages leaves of the environment: exactly what there would be without it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../../test/support/paths.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';

const module = join(repository, 'src/launcher/channel.cjs');
const show = 'console.log(JSON.stringify([process.env.NODE_OPTIONS ?? null, process.env.STEAD_CHANNEL ?? null]))';

function left(options: string): string | null {
  const env = { PATH: process.env.PATH, STEAD_CHANNEL: '/nonexistent', NODE_OPTIONS: options };
  const [others, channel] = JSON.parse(execFileSync(process.execPath, ['-e', show], { env, encoding: 'utf8' }));
  assert.equal(channel, null);
  return others;
}

test('the module for messages takes itself, and nothing else, out of NODE_OPTIONS', (t) => {
  const base = join(temporaryDirectory(t, 'channel'), 'two words "quoted" \\');
  mkdirSync(join(base, 'own'), { recursive: true });
  symlinkSync(base, join(base, 'link'));
  copyFileSync(module, join(base, 'channel.cjs'));
  for (const name of ['share.cjs', 'own/channel.cjs', 'my-channel.cjs']) writeFileSync(join(base, name), '');
  const load = (name: string) => `--require="${join(base, name).replace(/["\\]/g, '\\$&')}"`;
  const channel = load('channel.cjs');
  assert.equal(left(channel), null);
  assert.equal(left(load('link/channel.cjs')), null);
  const all = [
    load('share.cjs'),
    load('own/channel.cjs'),
    load('my-channel.cjs'),
    '--no-warnings',
    '--title="a  b"',
    ' --no-deprecation ',
  ];
  for (const others of [...all, all.join(' ')]) {
    assert.equal(left(`${others} ${channel}`), others);
    assert.equal(left(`${channel} ${others}`), others);
    assert.equal(left(`${load('share.cjs')} ${channel} ${others}`), `${load('share.cjs')} ${others}`);
  }
});

test('of two modules that take themselves out nothing is left, in either order', (t) => {
  const base = temporaryDirectory(t, 'channel');
  for (const [one, two] of [
    ['a b', 'c'],
    ['c', 'a b'],
  ] as const) {
    const paths = [one, two].map((name) => join(base, name, 'channel.cjs'));
    for (const path of paths) {
      mkdirSync(join(path, '..'), { recursive: true });
      copyFileSync(module, path);
    }
    const options = paths.map((path) => `--require="${path}"`).join(' ');
    assert.equal(left(options), null);
    assert.equal(left(`--no-warnings ${options}`), '--no-warnings');
    assert.equal(left(`${options} --no-warnings`), '--no-warnings');
  }
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { bootRecipe } from './other-inits.ts';

const account = { name: 'dev', uid: 1000, gid: 1000, home: '/home/dev' };
const home = "/home/de'v %/.stead";
const on = (...paths: readonly string[]) => bootRecipe({ account, home, exists: (path) => paths.includes(path) });

test('the init that runs decides; without any it is a line for the crontab', () => {
  assert.equal(on('/run/openrc').init, 'OpenRC');
  assert.equal(on('/etc/runit/runsvdir').init, 'runit');
  assert.equal(on().init, 'cron');
});

test('scripts are shell that takes any home as one word', () => {
  for (const recipe of [on('/run/openrc'), on('/etc/runit/runsvdir')]) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: recipe.text, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
  // crontab(5): a % ends the command, unless it is escaped.
  const line = on().text.trim().replace('@reboot /bin/sh ', '');
  assert.ok(!/(?<!\\)%/.test(line), line);
  const { stdout } = spawnSync('sh', ['-c', `printf '<%s>' ${line.replaceAll('\\%', '%')}`], { encoding: 'utf8' });
  assert.equal(stdout, `<${home}/lib/unit.sh><boot><${home}>`);
});

import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { checkHome, homeId, prepareHome } from './home.ts';

const place = (t: TestContext): string => join(temporaryDirectory(t, 'home'), 'home');
const isRoot = process.geteuid?.() === 0;

function refused(home: string, message: RegExp): void {
  for (const look of [checkHome, prepareHome]) {
    assert.throws(
      () => look(home),
      (error: Error & { code: string; hint: string }) => {
        assert.deepEqual([error.code, typeof error.hint], ['HOME_UNSAFE', 'string']);
        assert.match(error.message, message);
        return true;
      },
    );
  }
}

test('a home that is not there is made, private, whatever the umask, with what leads to it', (t) => {
  const home = join(place(t), 'deep', 'er');
  assert.equal(checkHome(home), false);
  const before = process.umask(0);
  t.after(() => process.umask(before));
  prepareHome(home);
  assert.equal(lstatSync(home).mode & 0o777, 0o700);
  assert.equal(checkHome(home), true);
  assert.equal(homeId(home), homeId(`${home}/.`));
});

test('a home that others may read becomes private', (t) => {
  const home = place(t);
  mkdirSync(home);
  chmodSync(home, 0o755);
  prepareHome(home);
  assert.equal(lstatSync(home).mode & 0o777, 0o700);
});

test('a home that others may write to is refused, and left as it is', (t) => {
  const home = place(t);
  mkdirSync(home);
  for (const mode of [0o777, 0o770, 0o702, 0o1777]) {
    chmodSync(home, mode);
    refused(home, /can be written by others/);
    assert.deepEqual([lstatSync(home).mode & 0o7777, readdirSync(home)], [mode, []]);
  }
});

test('a link is refused, wherever it leads, and nothing is made there', (t) => {
  const home = place(t);
  const target = `${home}-target`;
  symlinkSync(target, home);
  refused(home, /is a symbolic link/);
  assert.equal(existsSync(target), false);
  mkdirSync(target, { mode: 0o700 });
  refused(home, /is a symbolic link/);
  assert.deepEqual(readdirSync(target), []);
});

test('a link in a home is refused by its name', (t) => {
  for (const name of ['apps', 'daemon.json', 'daemon.log', 'lib', 'lock', 'logs']) {
    const home = place(t);
    prepareHome(home);
    symlinkSync('/etc/passwd', join(home, name));
    assert.throws(() => prepareHome(home), {
      code: 'HOME_UNSAFE',
      message: new RegExp(`/${name}" is a symbolic link`),
    });
  }
});

test('a file in its place is refused', (t) => {
  const home = place(t);
  writeFileSync(home, 'mine');
  refused(home, /is no directory/);
});

test('a home in a file can’t be used, and it says so', (t) => {
  const file = place(t);
  writeFileSync(file, '');
  for (const look of [checkHome, prepareHome]) assert.throws(() => look(join(file, 'home')), { code: 'HOME_UNUSABLE' });
});

test('another user’s home is refused', { skip: !isRoot && 'only root can make one' }, (t) => {
  const home = place(t);
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, 65_534, 65_534);
  refused(home, /belongs to uid 65534, and you are uid 0/);
});

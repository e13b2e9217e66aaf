import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { logFiles } from './layout.ts';
import { openLog } from './open.ts';

const home = mkdtempSync(join(tmpdir(), 'stead-open-'));
after(() => rmSync(home, { recursive: true }));
const isRoot = process.geteuid!() === 0;

test('a log is made private whatever the umask, and appended to when it is there', () => {
  const { out, err } = logFiles(home, 'api', 0);
  assert.equal(out, join(home, 'logs/api/0.out.log'));
  assert.equal(err, join(home, 'logs/api/0.err.log'));
  const before = process.umask(0);
  try {
    for (const text of ['one\n', 'two\n']) {
      const fd = openLog(out);
      writeSync(fd, text);
      closeSync(fd);
    }
  } finally {
    process.umask(before);
  }
  assert.equal(readFileSync(out, 'utf8'), 'one\ntwo\n');
  assert.equal(statSync(out).mode & 0o7777, 0o600);
  assert.equal(statSync(dirname(out)).mode & 0o7777, 0o700);
  assert.equal(statSync(join(home, 'logs')).mode & 0o7777, 0o700);
});

test('a log that others can read is made private', () => {
  const { out } = logFiles(home, 'wide', 0);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, 'x', { mode: 0o644 });
  chmodSync(out, 0o666);
  closeSync(openLog(out));
  assert.equal(statSync(out).mode & 0o777, 0o600);
});

const refused = (path: string, why: RegExp) =>
  assert.throws(
    () => openLog(path),
    (error: Error & { code?: string }) => error.code === 'HOME_UNSAFE' && why.test(error.message),
  );

test('links, pipes and directories in the place of a log are refused and left alone', () => {
  const { out } = logFiles(home, 'evil', 0);
  mkdirSync(dirname(out), { recursive: true });
  const target = join(home, 'precious');
  writeFileSync(target, 'precious', { mode: 0o644 });
  symlinkSync(target, out);
  refused(out, /symbolic link/);
  rmSync(out);
  symlinkSync(join(home, 'nosuch'), out);
  refused(out, /symbolic link/);
  rmSync(out);
  linkSync(target, out);
  refused(out, /hard link/);
  rmSync(out);
  assert.equal(readFileSync(target, 'utf8'), 'precious');
  assert.equal(lstatSync(target).mode & 0o777, 0o644);
  execFileSync('mkfifo', [out]);
  refused(out, /no regular file/);
  rmSync(out);
  mkdirSync(out);
  refused(out, /no regular file/);
  symlinkSync(join(home, 'logs/evil'), join(home, 'logs/linked'));
  refused(logFiles(home, 'linked', 0).out, /symbolic link/);
});

test('a log that cannot be made is told as such', () => {
  writeFileSync(join(home, 'file'), '');
  assert.throws(() => openLog(join(home, 'file/x/0.out.log')), { code: 'DISK' });
});

test('a log of another user is refused; one for a program under another user is given to it', {
  skip: !isRoot && 'needs root',
}, () => {
  const { out } = logFiles(home, 'theirs', 0);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, '');
  chownSync(out, 65534, 65534);
  refused(out, /belongs to user 65534/);
  closeSync(openLog(out, { uid: 65534, gid: 65534 }));
  rmSync(out);
  closeSync(openLog(out, { uid: 65534, gid: 65534 }));
  assert.equal(statSync(out).uid, 65534);
  chownSync(dirname(out), 65534, 65534);
  refused(out, /belongs to user 65534/);
});

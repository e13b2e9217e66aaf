/** Both ends of a pseudoterminal, and bytes that pass through no process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { mkfifo } from './native.ts';
import { getSize, openPty, setSize, splice } from './pty.ts';
import { setNonblock } from './socket-calls.ts';

test('a pseudoterminal has two ends, the size asked for, and is inherited by nobody', () => {
  const { master, slave } = openPty({ cols: 91, rows: 33 });
  try {
    assert.deepEqual(getSize(master), { cols: 91, rows: 33 });
    setSize(master, { cols: 20, rows: 7 });
    assert.deepEqual(getSize(slave), { cols: 20, rows: 7 });
    assert.equal(fstatSync(slave).mode & 0o777, 0o620);
    for (const fd of [master, slave])
      assert.match(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'), /^flags:\s+0?2\d{6}$/m);
    writeSync(master, 'typed\n');
    const bytes = Buffer.alloc(100);
    assert.equal(bytes.toString('latin1', 0, readSync(slave, bytes)), 'typed\n');
  } finally {
    for (const fd of [master, slave]) closeSync(fd);
  }
});

test('the slave belongs to the user of the program', { skip: process.getuid?.() !== 0 }, () => {
  const { master, slave } = openPty({ cols: 80, rows: 24, owner: { uid: 65_534, gid: 65_534 } });
  try {
    assert.equal(fstatSync(slave).uid, 65_534);
    assert.equal(fstatSync(slave).mode & 0o777, 0o620);
  } finally {
    for (const fd of [master, slave]) closeSync(fd);
  }
});

test('output goes from the terminal through a pipe into a file', async (t) => {
  const directory = temporaryDirectory(t);
  const { master, slave } = openPty({ cols: 80, rows: 24 });
  const child = spawn('printf', ['a line\\n'], { stdio: [slave, slave, slave] });
  await once(child, 'exit');
  mkfifo(join(directory, 'pipe'), 0o600);
  const pipe = openSync(join(directory, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
  const log = openSync(join(directory, 'log'), constants.O_WRONLY | constants.O_CREAT);
  setNonblock(master, true);
  try {
    assert.equal(splice(master, pipe, 65_536), 8);
    assert.equal(splice(master, pipe, 65_536), null);
    assert.equal(splice(pipe, log, 65_536), 8);
    assert.equal(splice(pipe, log, 65_536), null);
    assert.equal(readFileSync(join(directory, 'log'), 'utf8'), 'a line\r\n');
    closeSync(slave);
    assert.throws(() => splice(master, pipe, 65_536), { code: 'EIO' });
  } finally {
    for (const fd of [master, pipe, log]) closeSync(fd);
  }
});

/** What a program and its launcher are given besides 0, 1 and 2: a stdin that never ends, an fd for readiness, a socket that only the launcher holds. */
import assert from 'node:assert/strict';
import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inEachShell, launcherIn } from '../../test/support/launcher.ts';
import { waitFor, waitForFile } from '../../test/support/wait.ts';
import { closeInheritedFds } from '../host/fds.ts';

// What the test itself was started with is no matter of these.
closeInheritedFds();

const fds = (pid: number) => readdirSync(`/proc/${pid}/fd`).sort();

inEachShell('stdin is a FIFO that the program itself keeps open', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const run = launch({ argv: ['/bin/cat'], hasStdin: true });
  const pid = await run.program('cat');
  assert.equal(statSync(`/proc/${pid}/fd/0`).isFIFO(), true);
  assert.equal(statSync(join(run.directory, 'stdin')).mode & 0o777, 0o600);
  for (const line of ['one\n', 'two\n']) {
    const fd = openSync(join(run.directory, 'stdin'), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(fd, line);
    closeSync(fd);
  }
  await waitForFile(run.output, /^one\ntwo\n$/);
  assert.deepEqual(fds(pid), ['0', '1', '2']);
  process.kill(pid, 'SIGTERM');
  assert.equal((await run.exit()).signal, 'SIGTERM');
});

inEachShell('an fd for readiness appends to a file, private and gone from the launcher', async (t, shell) => {
  const launch = launcherIn(t, shell);
  for (const readyFd of [3, 7]) {
    const run = launch({ argv: ['/bin/sh', '-c', `echo up >&${readyFd}; exec sleep 100`], readyFd });
    const pid = await run.program('sleep');
    assert.equal(readFileSync(join(run.directory, 'ready'), 'utf8'), 'up\n');
    assert.equal(statSync(join(run.directory, 'ready')).mode & 0o777, 0o600);
    assert.deepEqual(fds(pid), ['0', '1', '2', String(readyFd)]);
    assert.ok(!fds(run.child.pid!).some((fd) => readlinkSync(`/proc/${run.child.pid}/fd/${fd}`).endsWith('/ready')));
    process.kill(pid, 'SIGKILL');
    await run.ended;
  }
});

inEachShell(
  'what is held is held by the launcher for as long as it lives, and not by the program',
  async (t, shell) => {
    const launch = launcherIn(t, shell);
    const held = openSync('/dev/full', 'r');
    const run = launch({ argv: ['/bin/sleep', '100'], held });
    closeSync(held);
    const pid = await run.program('sleep');
    // Right after the exec the loader has files of its own open.
    await waitFor('the fds of the program', () => fds(pid).join() === '0,1,2');
    assert.equal(readlinkSync(`/proc/${run.child.pid}/fd/8`), '/dev/full');
    assert.ok(!fds(run.child.pid!).includes('3'));
    process.kill(pid, 'SIGKILL');
    await run.ended;
  },
);

inEachShell('a cgroup that can not be joined: the program does not run, and the note says why', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const run = launch({ argv: ['/bin/true'], cgroup: '/nonexistent' });
  assert.equal(await run.ended, 125);
  assert.equal(run.record().program, null);
  await waitFor('the note', () =>
    /cannot join the cgroup \/nonexistent/.test(readFileSync(join(run.directory, 'note'), 'utf8')),
  );
});

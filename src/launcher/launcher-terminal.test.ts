/** A program with a terminal: what it gets of it, and what its launcher keeps. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { inEachShell, launcherIn } from '../../test/support/launcher.ts';
import { isRunning, openFds } from '../../test/support/proc.ts';
import { waitFor } from '../../test/support/wait.ts';
import { closeInheritedFds } from '../host/fds.ts';
import { mkfifo } from '../host/native.ts';
import { openPty } from '../host/pty.ts';
import type { LaunchTerminal } from './launch.ts';

// What the test itself was started with is no matter of these.
closeInheritedFds();

/** A terminal, its master not blocking, and a FIFO in a directory. */
function terminalIn(t: TestContext, directory: string): LaunchTerminal & { read(): string } {
  const { master, slave } = openPty({ cols: 90, rows: 30 });
  mkfifo(join(directory, 'output'), 0o600);
  const output = openSync(join(directory, 'output'), 'r+');
  t.after(() => {
    for (const fd of [master, slave, output]) closeSync(fd);
  });
  const bytes = Buffer.alloc(65_536);
  return { master, slave, output, read: () => bytes.toString('utf8', 0, readSync(master, bytes)) };
}

const script = `
test -t 0 && test -t 1 && test -t 2 && echo all three
stty size
test "$(ps -o tty= -p $$)" = "$(tty | sed s,/dev/,,)" && echo controlling
sleep 300 & jobs -p >/dev/null
echo up
read line
echo "got $line"
kill $!
exit 7`;

inEachShell(
  'its stdin, stdout, stderr and controlling terminal are one, and nothing else is open',
  async (t, shell) => {
    const launch = launcherIn(t, shell);
    const terminal = terminalIn(t, launch.base);
    const run = launch({ argv: ['/bin/bash', '-c', script], terminal });
    let seen = '';
    await waitFor('it is up', () => {
      seen += terminal.read();
      return seen.includes('up\r\n');
    });
    assert.equal(seen, 'all three\r\n30 90\r\ncontrolling\r\nup\r\n');
    const { program, launcher } = run.record();
    const fds = openFds(program!.pid);
    assert.deepEqual(Object.keys(fds), ['0', '1', '2']);
    assert.deepEqual([...new Set(Object.values(fds))], [fds[0]]);
    const held = openFds(launcher!.pid);
    assert.match(held[8]!, /ptmx/);
    assert.match(held[9]!, /\/output$/);
    writeSync(terminal.master, 'hello\r');
    assert.equal(await run.ended, 7);
    assert.match(terminal.read(), /got hello/);
    assert.ok(!isRunning(launcher!.pid));
  },
);

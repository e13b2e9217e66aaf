/** Who may run, what is on record when, and what the death of a launcher leaves. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { inEachShell, launcherIn, launcherScript } from '../../test/support/launcher.ts';
import { isRunning, statusField } from '../../test/support/proc.ts';
import { execute } from '../../test/support/stead.ts';
import { waitFor } from '../../test/support/wait.ts';
import { isAlive, type ProcessId } from '../host/process.ts';
import { fenceRun, readRun } from './records.ts';
import { RunWatch } from './run-watch.ts';

const forever = ['/bin/sleep', '300'];

inEachShell('a run that is fenced never happens', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const runDirectory = join(launch.base, 'run');
  mkdirSync(runDirectory);
  assert.equal(fenceRun(runDirectory), true);
  const witness = join(launch.base, 'ran');
  const run = launch({ argv: ['/usr/bin/touch', witness], runDirectory });
  assert.equal(await run.ended, 125);
  assert.equal(existsSync(witness), false);
  assert.deepEqual([run.record().program, run.record().exit?.status], [null, 125]);
  assert.equal(readFileSync(run.errors, 'utf8'), '');
});

inEachShell('of several launchers on one run directory one runs', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const runDirectory = join(launch.base, 'run');
  const witness = join(launch.base, 'ran');
  const argv = ['/bin/sh', '-c', `echo $$ >>${witness}`];
  const runs = Array.from({ length: 8 }, () => launch({ argv, runDirectory }));
  const ends = await Promise.all(runs.map((run) => run.ended));
  assert.deepEqual(ends.toSorted(), [0, ...Array(7).fill(125)]);
  assert.equal(readFileSync(witness, 'utf8').trim(), String(readRun(runDirectory).program!.pid));
  assert.equal(readdirSync(runDirectory).filter((name) => name.startsWith('run.')).length, 1);
});

inEachShell('the run record names the program and the launcher, by pid and start time', async (t, shell) => {
  const run = launcherIn(t, shell)({ argv: forever });
  const pid = await run.program('sleep');
  const { program, launcher, claimed, exit } = run.record();
  assert.ok(claimed && exit === null && isAlive(program!) && isAlive(launcher!));
  assert.deepEqual([program!.pid, launcher!.pid], [pid, run.child.pid]);
  process.kill(pid, 'SIGKILL');
  await run.ended;
});

inEachShell("a pipe on the launcher's fd 0 ends with it, however it ends", async (t, shell) => {
  const launch = launcherIn(t, shell);
  for (const end of ['launcher', 'program'] as const) {
    const run = launch({ argv: forever });
    const pid = await run.program('sleep');
    const pipe = new Socket({ fd: openSync(`/proc/${run.child.pid}/fd/0`, 'r'), readable: true, writable: false });
    let ended = false;
    pipe.once('end', () => {
      ended = true;
    });
    pipe.resume();
    await new Promise(setImmediate);
    assert.equal(ended, false);
    process.kill(end === 'launcher' ? run.child.pid! : pid, 'SIGKILL');
    await waitFor('the end of the pipe', () => ended);
    pipe.destroy();
    assert.equal(isRunning(pid), end === 'launcher');
    if (end === 'launcher') process.kill(pid, 'SIGKILL');
  }
});

inEachShell('a full disk keeps no run and no exit from being recorded', async (t, shell) => {
  if (process.getuid?.() !== 0 || spawnSync('unshare', ['-m', 'true']).status !== 0)
    return t.skip('needs a mount namespace');
  const { base } = launcherIn(t, shell);
  const script = `
    mount -t tmpfs -o size=64k none "$1" && mkdir "$1/run" || exit 9
    head -c 200000 /dev/zero >"$1/fill" 2>/dev/null
    echo x >"$1/x" 2>/dev/null && exit 8
    "$2" "$3" "$1/run" /bin/sh -c 'exit 7'
    echo $?; ls "$1/run"`;
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' };
  const { stdout, stderr } = await execute('unshare', ['-m', 'sh', '-c', script, 'sh', base, shell, launcherScript], {
    env,
  });
  assert.match(stdout, /^7\nclaim\nexit\.7\.[\d.]+\nnote\nrun\.\d+\.\d+\.\d+\.\d+\n$/, stderr);
});

/** Starts a launcher from a Node that was itself started with signals ignored or blocked. */
const launchedBy = `
  const { spawn } = require('node:child_process');
  const [shell, script, run, ...argv] = process.argv.slice(1);
  spawn(shell, [script, run, ...argv], { detached: true, stdio: 'ignore', env: { PATH: '/bin' } }).unref();`;
const node = [process.execPath, '-e', launchedBy];
const block =
  'import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); os.execv(sys.argv[1], sys.argv[1:])';
const starters: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['nohup', ['nohup', ...node]],
  ["trap ''", ['/bin/sh', '-c', `trap '' HUP INT QUIT TERM CHLD PIPE USR1 TSTP; exec "$@"`, 'sh', ...node]],
  ['blocked signals', ['python3', '-c', block, ...node]],
];

inEachShell('a program has default signals, whatever its starter ignored or blocked', async (t, shell) => {
  const { base } = launcherIn(t, shell);
  for (const [at, [name, [command, ...args]]] of starters.entries()) {
    const run = join(base, `run${at}`);
    mkdirSync(run);
    await execute(command!, [...args, shell, launcherScript, run, ...forever], { env: { PATH: '/usr/bin:/bin' } });
    const { pid } = await waitFor('a run record', () => readRun(run).program);
    await waitFor('the program', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
    const masks = ['SigIgn', 'SigBlk', 'SigCgt'].map((field) => BigInt(`0x${statusField(pid, field)}`));
    assert.deepEqual(masks, [0n, 0n, 0n], name);
    process.kill(pid, 'SIGKILL');
    await waitFor('the record of its end', () => readRun(run).exit);
  }
});

interface Outcome {
  readonly launched: ProcessId | null;
  readonly never: boolean;
}

inEachShell(
  'a launcher killed in its first 5 ms leaves no program without a record, and none that was given up',
  async (t, shell) => {
    const launch = launcherIn(t, shell);
    const tries = 40;
    const counts = { launched: 0, never: 0 };
    for (let at = 0; at < tries; at += 4) await Promise.all(Array.from({ length: 4 }, (_, plus) => once(at + plus)));
    assert.equal(counts.launched + counts.never, tries);

    async function once(at: number): Promise<void> {
      const runDirectory = join(launch.base, `run-${at}`);
      const witness = join(launch.base, `ran-${at}`);
      mkdirSync(runDirectory);
      const { outcome, watch } = watching(runDirectory);
      const run = launch({ argv: ['/bin/sh', '-c', `echo $$ >>${witness}; exec sleep 300`], runDirectory });
      watch.own(run.child);
      setTimeout(() => run.child.kill('SIGKILL'), (at % 26) / 5);
      const { launched } = await outcome;
      watch.close();
      counts[launched ? 'launched' : 'never']++;
      if (launched === null) return;
      await waitFor('the program', () => existsSync(witness) && readFileSync(witness, 'utf8') === `${launched.pid}\n`);
      process.kill(launched.pid, 'SIGKILL');
    }

    // What was given up must not have run at all: all launchers are gone, so nothing can come any more.
    for (let at = 0; at < tries; at++) {
      const ran = existsSync(join(launch.base, `ran-${at}`));
      assert.equal(ran, readRun(join(launch.base, `run-${at}`)).program !== null, `run ${at}`);
    }
  },
);

function watching(directory: string): { readonly outcome: Promise<Outcome>; readonly watch: RunWatch } {
  let settle: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  const watch = new RunWatch(directory, {
    launched: (program) => settle({ launched: program, never: false }),
    never: () => settle({ launched: null, never: true }),
    ended: () => {},
  });
  watch.watchDirectory();
  return { outcome, watch };
}

/** How a run ends, and what its records say of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { inEachShell, type Launched, type LaunchOptions, launcherIn } from '../../test/support/launcher.ts';
import { isRunning } from '../../test/support/proc.ts';
import { waitFor, waitForFile } from '../../test/support/wait.ts';
import { processStat } from '../host/process.ts';
import { signalName } from '../host/signals.ts';
import { unknownExit } from './records.ts';

/** As many launchers at a time as keep both cores busy. */
async function inBatches<T>(items: readonly T[], body: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 16) await Promise.all(items.slice(at, at + 16).map(body));
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
const silent = new Set([130, 141]);

inEachShell('every exit code is recorded as it was', async (t, shell) => {
  const launch = launcherIn(t, shell);
  // All of them in one shell: what differs between shells is at the ends of ranges.
  const codes = /dash/.test(realpathSync(shell))
    ? range(0, 255)
    : [...range(0, 3), 63, 64, ...range(124, 194), 254, 255];
  await inBatches(codes, async (code) => {
    const run = launch({ argv: ['/bin/sh', '-c', `exit ${code}`] });
    assert.equal(await run.ended, code);
    const { code: seen, signal, ambiguous } = await run.exit();
    assert.equal(seen, code);
    if (silent.has(code)) assert.deepEqual([signal, ambiguous], [signalName(code - 128), true]);
    else assert.deepEqual([signal, ambiguous], [null, false]);
    assert.equal(readFileSync(join(run.directory, 'note'), 'utf8'), '');
  });
});

/** Those that end a process unless it says otherwise: not CHLD, CONT, URG, WINCH, nor those that stop. */
const deadly = [...range(1, 16), ...range(24, 27), ...range(29, 31), 34, 35, 50, 64];

inEachShell('every signal is told from the exit code that looks like it', async (t, shell) => {
  const launch = launcherIn(t, shell);
  await inBatches(deadly, async (number) => {
    const run = launch({ argv: ['/bin/sh', '-c', `ulimit -c 0; kill -${number} $$`] });
    assert.equal(await run.ended, 128 + number);
    const isSilent = silent.has(128 + number);
    const code = isSilent ? 128 + number : null;
    assert.deepEqual(await run.exit(), { ...unknownExit, code, signal: signalName(number), ambiguous: isSilent });
  });
});

inEachShell('a core dump is told', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const dump = 'ulimit -c unlimited; kill -SEGV $$';
  const { stderr } = spawnSync('/bin/bash', ['-c', `bash -c '${dump}'; :`], { cwd: launch.base, encoding: 'utf8' });
  if (!stderr?.includes('core dumped')) return t.skip('this machine keeps no core dumps');
  const exit = await launch({ argv: ['/bin/sh', '-c', dump] }).exit();
  assert.deepEqual([exit.signal, exit.coreDumped], ['SIGSEGV', true]);
});

inEachShell('a program that can not be executed ends with 127 or 126 and says why in its own log', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const endings = [
    ['/no/such', 127, /No such file/],
    ['no-such-command', 127, /No such file/],
    ['/etc/passwd', 126, /Permission denied/],
  ] as const;
  for (const env of [['PATH=/bin'], ['PATH=/bin', 'a.b=1']]) {
    for (const [program, code, words] of endings) {
      const run = launch({ argv: [program], env });
      assert.equal((await run.exit()).code, code);
      assert.match(readFileSync(run.errors, 'utf8'), words);
    }
  }
});

inEachShell(
  'a launcher that can not set the program up leaves no run, ends with 125 and notes why',
  async (t, shell) => {
    const launch = launcherIn(t, shell);
    const unusable: LaunchOptions[] = [
      { argv: ['/bin/true'], nofile: 2 ** 40 },
      { argv: ['/bin/true'], oomScoreAdj: 5000 },
    ];
    for (const options of unusable) {
      const run = launch(options);
      assert.equal(await run.ended, 125);
      const { claimed, program, exit } = run.record();
      assert.deepEqual([claimed, program, exit?.status], [false, null, 125]);
      assert.match(readFileSync(join(run.directory, 'note'), 'utf8'), /cannot set/);
      assert.equal(readFileSync(run.errors, 'utf8'), '');
    }
  },
);

const forever = ['/bin/sleep', '300'];

async function running(run: Launched): Promise<{ readonly pid: number; readonly launcher: number }> {
  const pid = await run.program('sleep');
  return { pid, launcher: run.record().launcher!.pid };
}

inEachShell('no signal but KILL and STOP ends the launcher', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const ready = join(launch.base, 'ready');
  const run = launch({ argv: ['/bin/sh', '-c', `trap 'exit 7' TERM; echo >${ready}; while :; do sleep 0.05; done`] });
  await waitForFile(ready);
  const { program } = run.record();
  const launcher = run.child.pid!;
  for (const signal of deadly.filter((each) => ![4, 5, 6, 7, 8, 9, 11, 31].includes(each)))
    process.kill(launcher, signal);
  // Stops that are orphaned by their own session have no effect; urgent data, windows and children have none either.
  for (const signal of ['SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'] as const)
    process.kill(launcher, signal);
  assert.ok(isRunning(launcher) && isRunning(program!.pid));
  process.kill(program!.pid, 'SIGTERM');
  assert.equal((await run.exit()).code, 7);
});

inEachShell(
  'SIGKILL for the group and for every process of the session leaves the launcher to record it',
  async (t, shell) => {
    const launch = launcherIn(t, shell);
    const run = launch({ argv: forever });
    const { pid, launcher } = await running(run);
    const launcherStat = processStat(launcher)!;
    process.kill(-pid, 'SIGKILL');
    assert.deepEqual(await run.exit(), { ...unknownExit, signal: 'SIGKILL' });
    assert.equal(await run.ended, 137);
    assert.notEqual(launcherStat.ppid, pid);
  },
);

inEachShell('a program that is stopped and continued has not ended', async (t, shell) => {
  const run = launcherIn(t, shell)({ argv: forever });
  const { pid, launcher } = await running(run);
  process.kill(pid, 'SIGSTOP');
  await waitFor('the stop', () => processStat(pid)?.state === 'T');
  // The launcher is asked something that it answers only while it lives and waits.
  process.kill(launcher, 'SIGUSR1');
  assert.equal(run.record().exit, null);
  process.kill(pid, 'SIGCONT');
  await waitFor('its going on', () => processStat(pid)?.state === 'S');
  assert.equal(run.record().exit, null);
  process.kill(pid, 'SIGTERM');
  assert.equal((await run.exit()).signal, 'SIGTERM');
});

inEachShell('the exit record tells when it was, in seconds since boot', async (t, shell) => {
  const uptimeMs = () => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000;
  const before = uptimeMs();
  const run = launcherIn(t, shell)({ argv: ['/bin/true'] });
  await run.ended;
  const { exit, program } = run.record();
  assert.ok(exit!.uptimeMs >= before - 10 && exit!.uptimeMs <= uptimeMs() + 10);
  assert.ok(Math.abs(program!.startTicks * 10 - before) < 5000);
});

inEachShell('a launcher whose run directory has been removed ends all the same', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const run = launch({ argv: forever });
  const { pid } = await running(run);
  spawnSync('rm', ['-r', run.directory]);
  process.kill(pid, 'SIGTERM');
  assert.equal(await run.ended, 143);
  assert.equal(existsSync(run.directory), false);
});

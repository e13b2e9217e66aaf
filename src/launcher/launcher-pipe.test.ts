/** A pipe between the program and its log: what arrives, what may die, what is left. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { inEachShell, type Launched, launcherIn, launcherScript } from '../../test/support/launcher.ts';
import { isRunning, openFds, procEntries, sessionOf } from '../../test/support/proc.ts';
import { execute } from '../../test/support/stead.ts';
import { waitFor, waitForFile } from '../../test/support/wait.ts';
import { closeInheritedFds } from '../host/fds.ts';
import { processStat } from '../host/process.ts';
import { signalName } from '../host/signals.ts';
import { cookieOf } from '../metrics/tree.ts';
import { readRun } from './records.ts';

// What the test itself was started with is no matter of these.
closeInheritedFds();

const pipe = { owner: null, forward: null };
const sh = (script: string) => ['/bin/sh', '-c', script];
const bytesOf = (path: string) => readFileSync(path);

const pids = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** Living children, but for what has not been executed yet. */
const childrenOf = (parent: number) =>
  pids()
    .map(Number)
    .filter((pid) => processStat(pid)?.ppid === parent && isRunning(pid));

const commOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

/** Everything that has a file in this directory open or among its arguments. */
function usersOf(directory: string): number[] {
  return pids()
    .map(Number)
    .filter((pid) => {
      try {
        if (pid === process.pid || !isRunning(pid)) return false;
        return [...procEntries(pid, 'cmdline'), ...Object.values(openFds(pid))].some((each) =>
          each.includes(directory),
        );
      } catch {
        return false;
      }
    });
}

const nothingLeft = (directory: string) =>
  waitFor('nothing to be left over', () => {
    const left = usersOf(directory);
    if (left.length > 0) throw new Error(`left: ${left.map((pid) => procEntries(pid, 'cmdline').join(' '))}`);
    return true;
  });

interface Pump {
  readonly pump: number;
  readonly cat: number;
}

/** The pumps of a launcher and their copiers, as soon as they are that. */
async function pumpsOf({ child }: Launched, count = 2): Promise<readonly Pump[]> {
  return waitFor('the pumps', () => {
    const found = childrenOf(child.pid!)
      .flatMap((pump) => childrenOf(pump).map((cat) => ({ pump, cat })))
      .filter(({ cat }) => commOf(cat) === 'cat');
    return found.length === count && found;
  });
}

inEachShell('what a program writes to its pipes is in its logs byte for byte when it has ended', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const file = join(launch.base, 'data');
  const data = Buffer.concat([randomBytes(5_000_000), Buffer.from('\0no end of line')]);
  writeFileSync(file, data);
  const run = launch({ argv: sh(`cat ${file}; cat ${file} >&2; exit 3`), pipe });
  assert.equal((await run.exit()).code, 3);
  for (const path of [run.output, run.errors]) assert.ok(bytesOf(path).equals(data), path);
  assert.deepEqual(
    readdirSync(run.directory).filter((name) => /^(out|err|up)$/.test(name)),
    [],
  );
  await nothingLeft(launch.base);
});

const reopening = 'echo 1; echo 2 >/dev/stdout; echo 3; echo 4 >/dev/stderr; echo 5 >&2; echo 6 >/dev/stderr; echo 7';

inEachShell('opening /dev/stdout and /dev/stderr anew empties no log', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const run = launch({ argv: sh(reopening), pipe });
  assert.equal(await run.wrote(), '1\n2\n3\n7\n');
  assert.equal(readFileSync(run.errors, 'utf8'), '4\n5\n6\n');
});

inEachShell('stdout and stderr in one log keep their order', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const path = join(launch.base, 'both');
  const log = openSync(path, 'a');
  const run = launch({ argv: sh(`${reopening}; sleep 300`), pipe, out: log, err: log });
  closeSync(log);
  await waitForFile(path, /7\n$/);
  assert.equal(readFileSync(path, 'utf8'), '1\n2\n3\n4\n5\n6\n7\n');
  assert.equal((await pumpsOf(run, 1)).length, 1);
  process.kill(-run.record().program!.pid, 'SIGKILL');
  await run.ended;
});

inEachShell('a program of another user may open /dev/stdout anew', async (t, shell) => {
  if (process.getuid!() !== 0) return t.skip('only root starts programs of other users');
  const launch = launcherIn(t, shell);
  chmodSync(launch.base, 0o755);
  const via = ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  const run = launch({ argv: sh(reopening), via, pipe: { owner: '65534:65534', forward: null } });
  assert.equal(await run.wrote(), '1\n2\n3\n7\n');
  assert.equal(readFileSync(run.errors, 'utf8'), '4\n5\n6\n');
});

inEachShell('exit codes and deaths by signal are told as without a pipe', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const check = async (script: string, expected: readonly unknown[]) => {
    const { code, signal, ambiguous } = await launch({ argv: sh(script), pipe }).exit();
    assert.deepEqual([code, signal, ambiguous], expected, script);
  };
  await Promise.all([0, 1, 125, 126, 143, 255].map((code) => check(`exit ${code}`, [code, null, false])));
  const deaths = [1, 6, 9, 11, 15].map((n) => check(`ulimit -c 0; kill -${n} $$`, [null, signalName(n), false]));
  await Promise.all([
    ...deaths,
    check('kill -2 $$', [130, 'SIGINT', true]),
    check('kill -13 $$', [141, 'SIGPIPE', true]),
  ]);
  assert.equal((await launch({ argv: ['/no/such'], pipe }).exit()).code, 127);
  await nothingLeft(launch.base);
});

inEachShell(
  'what is left of a program writes to its log still, and its end does not wait for that',
  async (t, shell) => {
    const launch = launcherIn(t, shell);
    const gate = join(launch.base, 'gate');
    execFileSync('mkfifo', [gate]);
    const run = launch({ argv: sh(`{ read line <${gate}; echo late; echo late >&2; } & echo early; exit 7`), pipe });
    // Nobody has opened the gate yet. How long it takes: docs/launcher-contract.md.
    assert.equal((await run.exit()).code, 7);
    assert.equal(readFileSync(run.output, 'utf8'), 'early\n');
    writeFileSync(gate, 'go\n');
    await waitForFile(run.output, /^early\nlate\n$/);
    await waitForFile(run.errors, /^late\n$/);
    await nothingLeft(launch.base);
  },
);

inEachShell('a killed launcher leaves the pumps to the program', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const run = launch({
    argv: sh('echo up; while read line; do echo "$line" >/dev/stderr; done'),
    pipe,
    hasStdin: true,
  });
  await waitForFile(run.output, /^up\n$/);
  const { program } = run.record();
  const held = new Socket({ fd: openSync(`/proc/${run.child.pid}/fd/0`, 'r'), readable: true, writable: false });
  const closed = new Promise((resolve) => held.once('close', resolve));
  held.resume();
  process.kill(run.child.pid!, 'SIGKILL');
  await closed;
  writeFileSync(join(run.directory, 'stdin'), 'one\ntwo\n');
  await waitForFile(run.errors, /^one\ntwo\n$/);
  process.kill(program!.pid, 'SIGKILL');
  await nothingLeft(launch.base);
});

inEachShell('a copier that is killed is replaced, and one whose pump is killed goes on', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const run = launch({ argv: ['/bin/cat'], pipe, hasStdin: true });
  const pid = await run.program('cat');
  const [before, other] = await pumpsOf(run);
  const say = (text: string) => writeFileSync(join(run.directory, 'stdin'), text);
  process.kill(before!.cat, 'SIGKILL');
  process.kill(other!.cat, 'SIGKILL');
  // One that is still dying may take what comes with it.
  await waitFor('their end', () => !isRunning(before!.cat) && !isRunning(other!.cat));
  say('one\n');
  await waitForFile(run.output, /^one\n$/);
  const now = await pumpsOf(run);
  assert.deepEqual([now[0]!.pump, now[1]!.pump], [before!.pump, other!.pump]);
  for (const { pump } of now) process.kill(pump, 'SIGKILL');
  await waitFor('their end', () => now.every(({ pump }) => !isRunning(pump)));
  say('two\n');
  await waitForFile(run.output, /^one\ntwo\n$/);
  process.kill(pid, 'SIGTERM');
  assert.deepEqual((await run.exit()).signal, 'SIGTERM');
  await nothingLeft(launch.base);
});

inEachShell('pumps are outside of the session, survive signals, and hold nothing of the launcher', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const held = openSync('/dev/full', 'r');
  const env = ['PATH=/usr/bin:/bin', 'STEAD_RUN_ID=own', '_stead_pipe=theirs'];
  const run = launch({ argv: sh('cat /proc/self/environ; exec sleep 300'), pipe, held, env });
  closeSync(held);
  const pid = await run.program('sleep');
  assert.deepEqual(
    (await waitForFile(run.output, /_stead_pipe=theirs/))
      .split('\0')
      .filter((entry) => /^_stead|^STEAD/.test(entry))
      .sort(),
    ['STEAD_RUN_ID=own', '_stead_pipe=theirs'],
  );
  assert.deepEqual(Object.keys(openFds(pid)), ['0', '1', '2']);
  const pumps = await pumpsOf(run);
  const logs = new Set<string>();
  for (const each of pumps.flatMap(({ pump, cat }) => [pump, cat])) {
    assert.notEqual(sessionOf(each).session, pid);
    const { 0: input, 1: output, 2: errors, ...others } = openFds(each);
    logs.add(output!);
    assert.match(input!, /\/(out|err) \(deleted\)$/);
    assert.deepEqual([errors, others], ['/dev/null', {}]);
    assert.equal(cookieOf(each), null);
    assert.ok(!procEntries(each, 'cmdline').includes(run.directory));
  }
  assert.deepEqual([...logs].sort(), [run.errors, run.output]);
  // The trace by which the daemon knows what is a launcher's.
  for (const { pump } of pumps) assert.ok(procEntries(pump, 'cmdline').includes(launcherScript));
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGPIPE', 'SIGUSR1', 'SIGALRM'] as const)
    process.kill(-run.child.pid!, signal);
  assert.deepEqual(await pumpsOf(run), pumps);
  process.kill(-pid, 'SIGKILL');
  assert.equal((await run.exit()).signal, 'SIGKILL');
  await nothingLeft(launch.base);
});

inEachShell('a copier takes little memory', async (t, shell) => {
  const run = launcherIn(t, shell)({ argv: ['/bin/sleep', '300'], pipe });
  const pid = await run.program('sleep');
  for (const { pump, cat } of await pumpsOf(run)) {
    const privateKb = (each: number) =>
      [...readFileSync(`/proc/${each}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+: +(\d+) kB/gm)].reduce(
        (sum, [, kb]) => sum + Number(kb),
        0,
      );
    t.diagnostic(`private: cat ${privateKb(cat)} kB, its shell ${privateKb(pump)} kB`);
    assert.ok(privateKb(cat) < 400 && privateKb(pump) < 800);
  }
  process.kill(pid, 'SIGKILL');
  await run.ended;
});

inEachShell('without its pipes the program does not run: 125, and the note says why', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const runs = ['out', 'up'].map((name) => {
    const runDirectory = join(launch.base, name);
    mkdirSync(runDirectory);
    writeFileSync(join(runDirectory, name), '');
    return launch({ argv: ['/bin/true'], pipe, runDirectory });
  });
  runs.push(launch({ argv: ['/bin/true'], pipe: { owner: 'no such user', forward: null } }));
  for (const run of runs) {
    assert.equal(await run.ended, 125);
    assert.deepEqual([run.record().claimed, run.record().exit?.status], [false, 125]);
    assert.match(readFileSync(join(run.directory, 'note'), 'utf8'), /cannot make the pipes for its output/);
  }
  // A pump that cannot be executed.
  const directory = join(launch.base, 'run');
  mkdirSync(directory);
  const env = { PATH: '/usr/bin:/bin', _stead_pipe: 'two', _stead_shell: '/no/such' };
  assert.equal((await execute(shell, [launcherScript, directory, '/bin/true'], { env })).code, 125);
  assert.equal(readRun(directory).program, null);
  await nothingLeft(launch.base);
});

inEachShell('a launcher killed in its first 10 ms leaves no pump, and no program without a log', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const once = async (at: number) => {
    const run = launch({ argv: sh('echo up >/dev/stdout; exec sleep 300'), pipe });
    setTimeout(() => run.child.kill('SIGKILL'), (at % 40) / 4);
    await run.ended;
    // It is on record, or nothing of it is alive any more.
    const program = await waitFor('a record or an end', () => {
      const found = run.record().program;
      return found ?? (!usersOf(run.directory).length && { pid: 0 });
    });
    if (program.pid === 0) return;
    await waitForFile(run.output, /^up\n$/);
    process.kill(program.pid, 'SIGKILL');
  };
  for (let at = 0; at < 24; at += 4) await Promise.all([0, 1, 2, 3].map((plus) => once(at + plus)));
  await nothingLeft(launch.base);
});

inEachShell('a forwarder gets what the log gets', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const [data, copy] = [randomBytes(1_000_000), join(launch.base, "a copy of it's")];
  const file = join(launch.base, 'data');
  writeFileSync(file, data);
  const log = openSync(join(launch.base, 'log'), 'a');
  const forward = ['/bin/sh', '-c', 'cat >"$0"; env >"$0.env"', copy];
  const run = launch({ argv: ['/bin/cat', file], pipe: { owner: null, forward }, out: log, err: log });
  closeSync(log);
  assert.equal((await run.exit()).code, 0);
  assert.ok(bytesOf(join(launch.base, 'log')).equals(data));
  assert.doesNotMatch(await waitForFile(`${copy}.env`), /STEAD|_stead/);
  assert.ok(bytesOf(copy).equals(data));
  await nothingLeft(launch.base);
});

inEachShell('a forwarder that ends or can not be started harms neither log nor program', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const file = join(launch.base, 'data');
  const data = randomBytes(1_000_000);
  writeFileSync(file, data);
  const forwards = [['/no/such'], ['/bin/true'], ['/usr/bin/head', '-c', '100'], sh('kill -9 $$')];
  for (const forward of forwards) {
    const run = launch({ argv: ['/bin/cat', file], pipe: { owner: null, forward } });
    assert.equal((await run.exit()).code, 0, forward.join(' '));
    const log = bytesOf(run.output);
    // Errors of the forwarder, and what the shell says of its end, may stand anywhere in it.
    if (forward[0] === '/no/such') assert.match(log.toString('latin1'), /no\/such: (not found|No such file)/);
    else assert.ok(log.equals(data) || log.includes('Killed'), `${forward}: ${log.length}`);
    assert.ok(log.length >= data.length && log.length < data.length + 500);
    await nothingLeft(launch.base);
  }
});

/** seq(1) through a pipe to a file system of 256 KB, of which 200 KB are in use: it stands still when that is full. */
async function onFullDisk(base: string, shell: string, forward: string) {
  const script = `
    mkdir "$1/log" "$1/run" && mount -t tmpfs -o size=256k none "$1/log" || exit 9
    head -c 200000 /dev/zero >"$1/log/fill"
    exec >>"$1/log/out" 2>&1 && exec "$2" "$3" "$1/run" /usr/bin/seq 100000 130000`;
  const env = {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    _stead_pipe: 'one',
    _stead_shell: shell,
    _stead_forward: forward,
  };
  const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', base, shell, launcherScript], {
    env,
    stdio: 'ignore',
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const log = join(`/proc/${child.pid}/root`, base, 'log');
  await waitFor('the copier to have failed', () => {
    const all = (parents: readonly number[]): number[] => parents.flatMap((pid) => [pid, ...all(childrenOf(pid))]);
    return fstat(join(log, 'out')) > 40_000 && all(childrenOf(child.pid!)).some((pid) => commOf(pid) === 'sleep');
  });
  return { child, ended, log };
}

function fstat(path: string): number {
  const fd = openSync(path, 'r');
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

const noMount = () => process.getuid!() !== 0 || spawnSync('unshare', ['-m', 'true']).status !== 0;

inEachShell('on a full disk the program waits, and loses only what was being written', async (t, shell) => {
  if (noMount()) return t.skip('needs a mount namespace');
  for (const forward of ['', "'/bin/cat'"]) {
    const { base } = launcherIn(t, shell);
    const { ended, log } = await onFullDisk(base, shell, forward);
    const fd = openSync(join(log, 'out'), 'r');
    rmSync(join(log, 'fill'));
    assert.equal(await ended, 0);
    const text = readFileSync(fd, 'utf8');
    closeSync(fd);
    assert.match(text, /^100000\n100001\n[\s\S]*\nstead: this log could not be written, .*\n[\s\S]*129999\n130000\n$/);
    assert.equal(text.split('stead:').length, 2);
    const whole = 30_001 * 7;
    assert.ok(text.length > whole - 65536, `${whole - text.length} bytes are missing`);
    await nothingLeft(base);
  }
});

inEachShell('a program that ends on a full disk leaves no pump', async (t, shell) => {
  if (noMount()) return t.skip('needs a mount namespace');
  const { base } = launcherIn(t, shell);
  const { ended } = await onFullDisk(base, shell, '');
  process.kill(readRun(join(base, 'run')).program!.pid, 'SIGKILL');
  assert.equal(await ended, 137);
  assert.equal(existsSync(join(base, 'run', 'up')), false);
  await nothingLeft(base);
});

/** `stop` ends all that a program started, and says what became of it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { processStat } from '../../src/host/process.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning } from '../support/proc.ts';
import { execute, type Result, Stead } from '../support/stead.ts';
import { waitFor, waitForFile } from '../support/wait.ts';

/** Each test twice: with cgroups where there are any, and with trees found by their traces in /proc. */
function bothWays(title: string, body: (t: TestContext, stead: Stead) => Promise<void>): void {
  test(title, (t) => body(t, new Stead(t)));
  test(`${title}, without cgroups`, (t) => body(t, new Stead(t, { env: { STEAD_NO_CGROUP: '1' } })));
}

/** A shell script of the test's own; `$P` in it is a directory for files that are named by a pid. */
function script(stead: Stead, name: string, text: string): string {
  const pids = stead.folder('pids');
  const path = join(stead.directory, `${name}.sh`);
  writeFileSync(path, `P=${pids}\n${text}\n`);
  return path;
}

async function pidsOf(stead: Stead, count: number): Promise<number[]> {
  const folder = stead.folder('pids');
  return waitFor(`${count} processes`, () => {
    const pids = readdirSync(folder).map(Number);
    return pids.length >= count && pids;
  });
}

const stay = 'while :; do sleep 300; done';

bothWays('nothing is left of children that left session and parents, one of them ignoring TERM', async (_t, stead) => {
  const member = join(stead.directory, 'member.sh');
  writeFileSync(member, `[ "$2" != stubborn ] || trap '' TERM HUP\n: >$1/$$\n${stay}\n`);
  const path = script(
    stead,
    'tree',
    `setsid sh ${member} $P &
     setsid sh ${member} $P stubborn &
     (setsid sh ${member} $P &)
     (setsid sh -c '(sh ${member} '$P' stubborn &)' &)
     (sh ${member} $P 0<&- 1<&- 2<&- &)
     : >$P/$$; ${stay}`,
  );
  await stead.ok(['start', path, '--stop-timeout', '1s']);
  const pids = await pidsOf(stead, 6);
  assert.ok(pids.every(isRunning));
  const app = await stead.show('tree');
  for (const pid of pids)
    assert.ok(
      app.processes.some((each) => each.pid === pid),
      `${pid} is not shown as its own`,
    );
  await stead.ok(['stop', 'tree']);
  assert.deepEqual(pids.filter(isRunning), []);
  assert.equal((await stead.show('tree')).state, 'stopped');
});

bothWays('a tree of five levels that forks while it is stopped is stopped whole', async (_t, stead) => {
  // Each level answers TERM by forking once more, in a session of its own.
  const level = join(stead.directory, 'level.sh');
  const pids = stead.folder('pids');
  writeFileSync(
    level,
    `: >${pids}/$$
     trap 'setsid sh -c ": >${pids}/\\$\\$; trap \\"\\" TERM; ${stay}" & exit 0' TERM
     [ "$1" -le 1 ] || { if [ $(($1 % 2)) = 0 ]; then setsid sh "$0" $(($1 - 1)) & else sh "$0" $(($1 - 1)) & fi; }
     while :; do sleep 0.05; done`,
  );
  await stead.ok(['start', '--name', 'deep', '--stop-timeout', '1s', '--', 'sh', level, '5']);
  await pidsOf(stead, 5);
  await stead.ok(['stop', 'deep']);
  const all = readdirSync(pids).map(Number);
  assert.ok(all.length > 5, 'nothing forked during the stop');
  assert.deepEqual(all.filter(isRunning), []);
});

bothWays('what ignores TERM is killed at the timeout, and that is said', async (_t, stead) => {
  const path = script(stead, 'stubborn', `trap '' TERM; : >$P/$$; ${stay}`);
  await stead.ok(['start', path, '--stop-timeout', '2s']);
  await pidsOf(stead, 1);
  const from = performance.now();
  await stead.ok(['stop', 'stubborn']);
  const tookMs = performance.now() - from;
  assert.ok(tookMs >= 2000 && tookMs < 10_000, `took ${tookMs} ms`);
  const app = await stead.show('stubborn');
  assert.deepEqual([app.state, app.exits.at(-1)?.signal, app.exits.at(-1)?.code], ['stopped', 'SIGKILL', null]);
  assert.match(app.exits.at(-1)!.reason, /SIGKILL/);
  // The time is known to a tenth: from the request to the kill, as the daemon saw it.
  assert.match(JSON.stringify([app.reason, app.exits.at(-1)!.reason]), /2( ?s|000)/, 'the timeout is not named');
});

bothWays('a program that was stopped by SIGSTOP is continued, so that it can end by itself', async (_t, stead) => {
  const path = script(stead, 'frozen', `trap 'exit 5' TERM; : >$P/$$; while :; do sleep 0.05; done`);
  await stead.ok(['start', path]);
  const [pid] = await pidsOf(stead, 1);
  process.kill(pid!, 'SIGSTOP');
  await waitFor('the stop', () => processStat(pid!)?.state === 'T');
  await stead.ok(['stop', 'frozen']);
  const exit = (await stead.show('frozen')).exits.at(-1);
  assert.deepEqual([exit?.code, exit?.signal], [5, null]);
});

test('what cannot be killed is named as stuck, the daemon answers, and a start is refused', async (t) => {
  // Without CAP_KILL root may signal its own processes only: those of another user stay.
  const powerless = ['--bounding-set', '-kill', '--inh-caps', '-kill', '--'];
  if (process.getuid?.() !== 0) return t.skip('needs root');
  const stead = new Stead(t, { env: { STEAD_NO_CGROUP: '1' } });
  const run = (args: string[]): Promise<Result> =>
    execute('setpriv', [...powerless, process.execPath, steadBin, ...args], { env: stead.env, cwd: '/' });
  const started = await run([
    'start',
    '--name',
    'foreign',
    '--user',
    'nobody',
    '--cwd',
    '/',
    '--stop-timeout',
    '300ms',
    '--',
    'sleep',
    '300',
  ]);
  assert.equal(started.code, 0, started.stderr);
  const pid = await stead.pid('foreign');
  const stopped = await run(['stop', 'foreign']);
  assert.equal(stopped.code, 6, stopped.stdout + stopped.stderr);
  assert.match(stopped.stdout + stopped.stderr, new RegExp(`\\b${pid}\\b`));
  const app = await stead.show('foreign');
  assert.equal(app.state, 'stuck');
  assert.notEqual((await run(['start', 'foreign'])).code, 0);
  assert.equal(isRunning(pid), true);
  process.kill(pid, 'SIGKILL');
  await stead.until('foreign', 'stopped', ({ state }) => state === 'stopped');
});

bothWays('what a program left behind is ended before its next run', async (_t, stead) => {
  const path = script(
    stead,
    'leaver',
    `[ -e $P/once ] || { setsid sh -c ': >'$P'/$$; ${stay}' & : >$P/once; sleep 0.2; exit 3; }\nrm $P/once; echo again; ${stay}`,
  );
  await stead.ok(['start', path, '--no-wait']);
  const app = await stead.until(
    'leaver',
    'running again',
    ({ instances }) => instances[0]!.restarts === 1 && instances[0]!.state === 'running',
  );
  const left = readdirSync(stead.folder('pids'))
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  assert.equal(left.length, 1);
  assert.deepEqual(left.filter(isRunning), []);
  assert.equal(app.exits[0]?.code, 3);
});

bothWays(
  'a job hands its exit code over at once; what it left writes on, and ends at the leave timeout',
  async (_t, stead) => {
    const path = script(
      stead,
      'left',
      `sh -c ': >'$P'/$$; sleep 0.5; echo late; ${stay}' & until [ -n "$(ls $P)" ]; do sleep 0.01; done; exit 4`,
    );
    await stead.ok(['run', '--name', 'left', '--leave-timeout', '1500ms', '--', 'sh', path]);
    const app = await stead.until('left', 'its exit', ({ exits }) => exits.length === 1);
    assert.equal(app.exits[0]?.code, 4);
    const [pid] = await pidsOf(stead, 1);
    assert.equal(isRunning(pid!), true);
    await waitForFile(app.logs.out, /late\n/);
    await waitFor('the end of what it left', () => !isRunning(pid!));
    assert.equal((await stead.run(['wait', 'left'])).code, 4);
  },
);

bothWays('--keep-tree leaves alone what a job left behind', async (_t, stead) => {
  const path = script(stead, 'kept', `sh -c ': >'$P'/$$; ${stay}' & until [ -n "$(ls $P)" ]; do sleep 0.01; done`);
  await stead.ok(['run', '--name', 'kept', '--keep-tree', '--leave-timeout', '100ms', '--', 'sh', path]);
  assert.equal((await stead.run(['wait', 'kept'])).code, 0);
  const [pid] = await pidsOf(stead, 1);
  await stead.ok(['list']);
  assert.equal(isRunning(pid!), true);
});

test('a program that closes its stdout and stderr runs on, and costs nothing', async (t) => {
  const stead = new Stead(t);
  const path = script(stead, 'closes', `exec 1<&- 2<&-; : >$P/$$; ${stay}`);
  await stead.ok(['start', path]);
  const [pid] = await pidsOf(stead, 1);
  const daemon = (await stead.daemon()).pid!;
  assert.deepEqual(
    readdirSync(`/proc/${pid}/fd`).filter((fd) => fd === '1' || fd === '2'),
    [],
  );
  assert.equal((await stead.show('closes')).state, 'running');
  const ticks = () =>
    readFileSync(`/proc/${daemon}/stat`, 'latin1')
      .split(') ')[1]!
      .split(' ')
      .slice(11, 13)
      .reduce((sum, each) => sum + Number(each), 0);
  const before = ticks();
  await waitFor(
    'a second',
    (() => {
      const from = performance.now();
      return () => performance.now() - from > 1000;
    })(),
  );
  assert.ok(ticks() - before <= 5, `the daemon took ${ticks() - before} ticks in a second`);
});

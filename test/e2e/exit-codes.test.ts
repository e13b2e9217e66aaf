/** How programs end, as `show --json`, `wait` and `run -f` tell it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { signalName } from '../../src/host/signals.ts';
import type { ExitView } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

async function inBatches<T>(items: readonly T[], body: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 4) await Promise.all(items.slice(at, at + 4).map(body));
}

/** The exit of a job that runs this in a shell, and what `wait` ends with. */
async function endOf(
  stead: Stead,
  name: string,
  text: string,
): Promise<{ readonly exit: ExitView; readonly waited: number | null }> {
  await stead.ok(['run', '--name', name, '--', 'sh', '-c', text]);
  const { code } = await stead.run(['wait', name]);
  const { exits, state } = await stead.show(name);
  assert.equal(exits.length, 1);
  assert.ok(state !== 'running', state);
  return { exit: exits[0]!, waited: code };
}

test('exit codes are told as they were; 130 and 141 are named as ambiguous', async (t) => {
  const stead = new Stead(t);
  await inBatches([0, 1, 77, 126, 127, 130, 141, 143, 255], async (code) => {
    const { exit, waited } = await endOf(stead, `code-${code}`, `exit ${code}`);
    assert.equal(waited, code);
    const isAmbiguous = code === 130 || code === 141;
    assert.deepEqual(
      [exit.code, exit.signal, exit.ambiguous],
      [code, isAmbiguous ? signalName(code - 128) : null, isAmbiguous],
    );
    assert.match(exit.reason, new RegExp(`\\b${code}\\b`));
    assert.ok(exit.at !== null && exit.pid !== null && exit.upMs !== null && exit.upMs >= 0);
    assert.ok(Math.abs(Date.parse(exit.at) - Date.now()) < 60_000);
  });
});

test('signals are told by name, and told from the exit codes that look like them', async (t) => {
  const stead = new Stead(t);
  const deadly = [1, 2, 3, 6, 9, 11, 13, 14, 15, 31, 34, 64];
  await inBatches(deadly, async (number) => {
    const { exit, waited } = await endOf(stead, `signal-${number}`, `ulimit -c 0; kill -${number} $$`);
    assert.equal(waited, 128 + number);
    const isAmbiguous = number === 2 || number === 13;
    assert.deepEqual(
      [exit.code, exit.signal, exit.ambiguous],
      [isAmbiguous ? 128 + number : null, signalName(number), isAmbiguous],
    );
    assert.match(exit.reason, new RegExp(signalName(number).replace('+', '\\+')));
  });
});

test('signals that end nothing end nothing', async (t) => {
  const stead = new Stead(t);
  for (const number of [17, 18, 20, 21, 22, 23, 28]) {
    const { exit } = await endOf(stead, `signal-${number}`, `kill -${number} $$; exit 9`);
    assert.deepEqual([exit.code, exit.signal], [9, null], signalName(number));
  }
});

test('a SIGTERM from outside is told from a stop', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'outside', '--restart', 'no', '--', 'sleep', '300']);
  await stead.ok(['start', '--name', 'ours', '--restart', 'no', '--', 'sleep', '300']);
  process.kill(await stead.pid('outside'), 'SIGTERM');
  await stead.ok(['stop', 'ours']);
  const outside = await stead.until('outside', 'its exit', ({ exits }) => exits.length === 1);
  const ours = await stead.show('ours');
  assert.deepEqual([outside.exits[0]?.signal, ours.exits[0]?.signal], ['SIGTERM', 'SIGTERM']);
  assert.deepEqual([outside.want, ours.want], ['running', 'stopped']);
  assert.notEqual(outside.reason, ours.reason);
  assert.notEqual(outside.state, 'stopped');
});

test('run -f ends as its program does: with its code, or 128 and the signal', async (t) => {
  const stead = new Stead(t);
  await inBatches(
    [
      ['exit 0', 0],
      ['exit 7', 7],
      ['exit 255', 255],
      ['kill -9 $$', 137],
      ['kill -15 $$', 143],
    ] as const,
    async ([text, code]) => {
      const result = await stead.run(['run', '-f', '--', 'sh', '-c', `echo out; echo err >&2; ${text}`]);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stdout, /^out$/m);
      assert.match(result.stderr, /^err$/m);
    },
  );
});

test('run gives 127 for what does not exist, 126 for what cannot be executed, 125 for a failure of its own', async (t) => {
  const stead = new Stead(t);
  const plain = join(stead.directory, 'plain.txt');
  writeFileSync(plain, 'no program\n', { mode: 0o644 });
  const cases = [
    [['run', '--', '/no/such'], 127],
    [['run', '--', 'no-such-command'], 127],
    [['run', '--', plain], 126],
    [['run', '--', stead.directory], 126],
    [['run', '--cwd', '/no/such', '--', 'true'], 125],
    [['run', '-f', '--', '/no/such'], 127],
    [['run', '-f', '--', plain], 126],
  ] as const;
  for (const [args, code] of cases) {
    const result = await stead.run(args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.notEqual(result.stderr, '');
  }
  assert.deepEqual(await stead.list(), [], 'something of it was kept');
});

test('what cannot be started is refused, named, and nothing of it is kept', async (t) => {
  const stead = new Stead(t);
  const file = (name: string, content: string, mode = 0o755) => {
    const path = join(stead.directory, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  const cases: readonly (readonly [args: readonly string[], words: RegExp])[] = [
    [['/no/such.js'], /\/no\/such\.js/],
    [['--', 'no-such-command'], /no-such-command/],
    [[file('unreadable.xyz', 'text\n', 0o644)], /unreadable\.xyz/],
    [[file('bad-interpreter', '#!/no/such/interpreter\n')], /\/no\/such\/interpreter/],
    [[file('fine.sh', 'sleep 300\n'), '--cwd', '/no/such/dir'], /\/no\/such\/dir/],
    [[file('fine2.sh', 'sleep 300\n'), '--user', 'no-such-user'], /no-such-user/],
    [[file('fine3.js', ''), '--interpreter', '/no/such/node'], /\/no\/such\/node/],
    [['--', file('empty-elf', '\x7fELF')], /empty-elf/],
  ];
  for (const [args, words] of cases) {
    const result = await stead.run(['start', ...args]);
    assert.ok(result.code !== 0 && result.code !== null, args.join(' '));
    assert.match(result.stdout + result.stderr, words);
  }
  assert.deepEqual(await stead.list(), []);
});

test('a program that ends early is reported with its code and last lines, and goes on by its policy', async (t) => {
  const stead = new Stead(t);
  const result = await stead.run([
    'start',
    '--name',
    'early',
    '--max-restarts',
    '2',
    '--',
    'sh',
    '-c',
    'echo the last line; exit 3',
  ]);
  assert.equal(result.code, 1);
  assert.match(result.stdout + result.stderr, /\b3\b/);
  assert.match(result.stdout + result.stderr, /the last line/);
  const app = await stead.until('early', 'given up', ({ state }) => state === 'failed');
  assert.deepEqual([app.instances[0]!.restarts, app.exits.map(({ code }) => code)], [2, [3, 3, 3]]);
});

test('exit 0 is completed under on-failure, and backs off under always', async (t) => {
  const stead = new Stead(t);
  await stead.run(['start', '--name', 'once', '--restart', 'on-failure', '--', 'true']);
  await stead.run(['start', '--name', 'ever', '--', 'true']);
  await stead.until('once', 'completed', ({ state }) => state === 'completed');
  const ever = await stead.until(
    'ever',
    'in back-off',
    ({ state, instances }) => state === 'backoff' && instances[0]!.restarts >= 3,
  );
  assert.match(ever.reason ?? '', /restart/);
  const gaps = ever.exits.slice(1).map(({ at }, index) => Date.parse(at!) - Date.parse(ever.exits[index]!.at!));
  // First at once, then 100 ms and doubling.
  assert.ok(gaps[1]! >= 90 && gaps[2]! >= 170, `gaps of ${gaps} ms`);
});

test('a stop during back-off stays a stop; a start then starts at once', async (t) => {
  const stead = new Stead(t);
  const gate = join(stead.directory, 'gate');
  const text = `[ -e ${gate} ] && exec sleep 300; exit 1`;
  await stead.run(['start', '--name', 'flaky', '--', 'sh', '-c', text]);
  await stead.until(
    'flaky',
    'in back-off',
    ({ state, instances }) => state === 'backoff' && instances[0]!.restarts >= 4,
  );
  await stead.ok(['stop', 'flaky']);
  const stopped = await stead.show('flaky');
  assert.equal(stopped.state, 'stopped');
  await stead.run(['start', 'flaky']);
  await stead.until(
    'flaky',
    'in back-off again',
    ({ state, instances }) => state === 'backoff' && instances[0]!.restarts >= 4,
  );
  mkdirSync(gate);
  const started = await stead.run(['start', 'flaky']);
  assert.equal(started.code, 0, started.stderr);
  const running = await stead.show('flaky');
  assert.equal(running.state, 'running');
  assert.equal(
    stopped.exits.length,
    (await stead.show('flaky')).exits.findIndex(({ run }) => run > stopped.exits.at(-1)!.run),
  );
});

test('stop exit codes leave an app completed', async (t) => {
  const stead = new Stead(t);
  await stead.run(['start', '--name', 'done', '--stop-exit-codes', '0,3', '--', 'sh', '-c', 'sleep 0.1; exit 3']);
  const app = await stead.until('done', 'completed', ({ state }) => state === 'completed');
  assert.deepEqual(
    app.exits.map(({ code }) => code),
    [3],
  );
});

test('an exit is noticed at once though a grandchild holds the log, and what that one writes is kept', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['run', '--name', 'late', '--', 'sh', '-c', '(sleep 1; echo late) & exit 6']);
  const app = await stead.until('late', 'its exit', ({ exits }) => exits.length === 1, 900);
  assert.equal(app.exits[0]!.code, 6);
  await waitFor('the late line', () => readFileSync(app.logs.out, 'utf8') === 'late\n');
});

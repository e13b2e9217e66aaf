/** `--listen-on-demand`: nothing runs until somebody connects, and nobody who connects is lost, whatever ends meanwhile. And what a start says whose address can't be had. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { steadBin } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { answerOf, killDaemon, needs, program, python } from '../support/programs.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const kinds = {
  Node: { command: ['node', program('by-fd.cjs')], options: [] },
  Python: { command: [python, program('threads.py')], options: ['--nonblock'] },
} as const;

const waits = (stead: Stead) =>
  stead.until(
    'web',
    'waits for a connection',
    ({ state, reason, processes }) =>
      state === 'waiting' && reason === 'waits for a connection' && processes.length === 0,
  );

for (const [kind, { command, options }] of Object.entries(kinds)) {
  test(
    `${kind} on demand: a connection starts it, without one it is stopped, and the next one starts it again`,
    needs(command[0]),
    async (t) => {
      const stead = new Stead(t);
      const port = await freePort();
      const listen = ['--listen', String(port), '--listen-on-demand', '--idle-timeout', '500ms'];
      await stead.ok(['start', '--name', 'web', ...listen, ...options, '--', ...command]);
      await waits(stead);
      const first = await answerOf(port);
      assert.match(first, /^\d+$/);
      await waits(stead);
      assert.ok(!isRunning(Number(first)));
      // The daemon that comes next waits as well; and one that comes while it runs sees that it is idle.
      await killDaemon(stead);
      const second = await answerOf(port);
      assert.notEqual(second, first);
      await killDaemon(stead);
      await waits(stead);
      assert.ok(!isRunning(Number(second)));
      await stead.ok(['stop', 'web']);
      await assert.rejects(answerOf(port), { code: 'ECONNREFUSED' });
      await stead.ok(['delete', 'web']);
    },
  );
}

test('a connection while it stops waits, and is answered by the next run', needs(python), async (t) => {
  const stead = new Stead(t);
  const port = await freePort();
  const file = join(stead.directory, 'stopping');
  const listen = ['--listen', String(port), '--listen-on-demand', '--idle-timeout', '300ms'];
  await stead.ok(['start', '--name', 'web', ...listen, '--', python, program('slow_to_end.py'), file]);
  const first = await answerOf(port);
  await waitFor('it to stop', () => existsSync(file));
  assert.ok(isRunning(Number(first)));
  assert.notEqual(await answerOf(port), first);
});

test('requests that are short keep it up, if it ends their connections', async (t) => {
  const stead = new Stead(t);
  const port = await freePort();
  const listen = ['--listen', String(port), '--listen-on-demand', '--idle-timeout', '1s'];
  await stead.ok(['start', program('by-fd.cjs'), '--name', 'web', ...listen]);
  const first = await answerOf(port);
  const until = performance.now() + 2500;
  while (performance.now() < until) {
    await pause(137);
    assert.equal(await answerOf(port), first);
  }
  await waits(stead);
});

test('one that crashes is not started without end by a connection that waits', async (t) => {
  const stead = new Stead(t);
  const port = await freePort();
  const script = join(stead.directory, 'crashes.sh');
  const log = join(stead.directory, 'runs');
  writeFileSync(script, `echo run >>${log}; exit 3\n`);
  await stead.ok(['start', '--name', 'web', '--listen', String(port), '--listen-on-demand', '--', 'sh', script]);
  await waits(stead);
  void answerOf(port).catch(() => {});
  const runs = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0);
  const began = performance.now();
  await waitFor('the third run', () => runs() >= 3);
  const { state } = await stead.until('web', 'backoff', ({ state }) => state === 'backoff' || state === 'failed');
  assert.ok(['backoff', 'failed'].includes(state));
  assert.ok(runs() <= 3 + (performance.now() - began) / 100, `${runs()} runs`);
  await stead.ok(['stop', 'web']);
  await assert.rejects(answerOf(port), { code: 'ECONNREFUSED' });
});

/** A start that is refused, and of which nothing is left. */
async function refused(stead: Stead, options: readonly string[], pattern: RegExp): Promise<void> {
  const command = ['--name', 'new', ...options, '--', 'sleep', '100'];
  const { code, stderr } = await stead.run(['start', ...command]);
  assert.notEqual(code, 0);
  assert.match(stderr, pattern);
  assert.ok(!(await stead.list()).some(({ name }) => name === 'new'), 'it is not in the list');
  assert.ok(!readdirSync(join(stead.home, 'apps')).includes('new'), 'nor on disk');
}

test('a start whose address is taken says by whom, and leaves nothing behind', async (t) => {
  const stead = new Stead(t);
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  t.after(() => stranger.close());
  const { port } = stranger.address() as { port: number };
  const free = await freePort();
  const by = new RegExp(`"new" can't have port ${port}: it is held by pid ${process.pid} \\(`);
  await refused(stead, ['--listen', String(free), '--listen', String(port)], by);
  // What it had by then is free again.
  const own = await freePort();
  await stead.ok([
    'start',
    '--name',
    'web',
    '-i',
    '2',
    '--listen',
    String(free),
    '--listen',
    `127.0.0.1:${own}`,
    '--',
    'sleep',
    '100',
  ]);
  await refused(stead, ['--listen', String(free)], new RegExp(`can't have port ${free}: stead holds it for "web"`));
  await refused(stead, ['--listen', `127.0.0.1:${free}`], /can't have 127\.0\.0\.1:\d+: stead holds .*for "web"/);
  await refused(stead, ['--listen', String(own)], /can't have port \d+: stead holds .*for "web"/);
  await refused(
    stead,
    ['--listen', '198.51.100.7:5000'],
    /can't have 198\.51\.100\.7:5000: this machine has no such address/,
  );
  await refused(
    stead,
    ['--listen', 'unix:nowhere/x.sock'],
    /can't have .*x\.sock: no socket can be made in .*nowhere \(ENOENT\)/,
  );
  await stead.ok(['stop', 'web']);
  await stead.ok(['start', '--name', 'new', '--listen', String(free), '--', 'sleep', '100']);
});

test('a port below 1024 is refused to who may not have it, with what to do', async (t) => {
  const stead = new Stead(t);
  if (process.getuid?.() !== 0) return t.skip('needs root, to be without its capability');
  const without = ['--bounding-set', '-net_bind_service', '--inh-caps', '-net_bind_service', '--'];
  await execute('setpriv', [...without, process.execPath, steadBin, 'daemon', 'restart'], { env: stead.env });
  await refused(
    stead,
    ['--listen', '81'],
    /"new" can't have port 81: permission denied\.\n.*ip_unprivileged_port_start/,
  );
});

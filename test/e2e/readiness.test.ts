/** When an app is ready, when it is well, and what becomes of one that is neither: each kind with a real program. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';

/** Listens after a while, and answers with the status that the file `status` names. */
const server = (port: number, after: number) => `
const fs = require('fs');
setTimeout(() => require('http').createServer((request, response) => {
  let status = 200;
  try { status = Number(fs.readFileSync('status', 'utf8')); } catch {}
  response.writeHead(status).end();
}).listen(${port}, '127.0.0.1'), ${after});`;

const node = (text: string) => ['--', process.execPath, '-e', text];

/** What says that it is ready, 300 ms after its start; and what it runs. */
const kinds: Readonly<Record<string, (port: number) => { ready: string; command: readonly string[] }>> = {
  port: (port) => ({ ready: `port:127.0.0.1:${port}`, command: node(server(port, 300)) }),
  http: (port) => ({ ready: `http://127.0.0.1:${port}/health`, command: node(server(port, 300)) }),
  exec: () => ({ ready: 'exec:test -e up', command: ['--', 'sh', '-c', 'sleep 0.3; touch up; exec sleep 100'] }),
  log: () => ({
    ready: 'log:^up and \\w+ning$',
    command: ['--', 'sh', '-c', 'echo starting; sleep 0.3; echo up and running >&2; exec sleep 100'],
  }),
  fd: () => ({ ready: 'fd:3', command: ['--', 'sh', '-c', 'sleep 0.3; echo >&3; exec 3>&-; exec sleep 100'] }),
  ipc: () => ({
    ready: 'ipc',
    command: node("setTimeout(() => process.send('ready'), 300); setInterval(() => {}, 1000)"),
  }),
};

for (const [kind, make] of Object.entries(kinds)) {
  test(`ready by ${kind}: the start is answered when it is, and not before`, async (t) => {
    const stead = new Stead(t);
    const { ready, command } = make(await freePort());
    const { tookMs } = await stead.ok(['start', '--name', 'web', '--ready', ready, ...command]);
    assert.ok(tookMs >= 300, `answered after ${tookMs} ms`);
    const [app] = await stead.list();
    assert.deepEqual([app!.state, app!.instances[0]!.ready], ['running', true]);
  });

  test(`never ready by ${kind}: exit code 6, failed with the reason, and nothing of it left`, async (t) => {
    const stead = new Stead(t);
    const { ready } = make(await freePort());
    const command = ['--', 'sh', '-c', 'echo $$ >pid; exec sleep 100'];
    const result = await stead.run([
      'start',
      '--name',
      'web',
      '--ready',
      ready,
      '--ready-timeout',
      '400ms',
      ...command,
    ]);
    assert.equal(result.code, 6, result.stderr);
    assert.match(result.stderr, /"web" has failed: not ready within 400 ms/);
    const { state, reason, processes } = await stead.show('web');
    assert.equal(state, 'failed');
    assert.match(reason!, /^not ready within 400 ms \(/);
    assert.deepEqual(processes, []);
  });
}

test('ready over the death of the daemon: what was said meanwhile is not lost', async (t) => {
  const stead = new Stead(t);
  for (const [name, ready, command] of [
    ['log', 'log:^up$', 'sleep 1; echo up; exec sleep 100'],
    ['fd', 'fd:3', 'sleep 1; echo >&3; exec sleep 100'],
  ] as const)
    await stead.ok(['start', '--no-wait', '--name', name, '--ready', ready, '--', 'sh', '-c', command]);
  process.kill((await stead.daemon()).pid!, 'SIGKILL');
  for (const name of ['log', 'fd']) await stead.until(name, 'ready', ({ state }) => state === 'running');
});

test('a word of an earlier run makes no later one ready', async (t) => {
  const stead = new Stead(t);
  const command = ['--', 'sh', '-c', 'test -e once && exec sleep 100; touch once; echo up; exec sleep 100'];
  await stead.ok(['start', '--name', 'web', '--ready', 'log:^up$', '--ready-timeout', '500ms', ...command]);
  process.kill((await stead.daemon()).pid!, 'SIGKILL');
  assert.equal((await stead.run(['restart', 'web'])).code, 6);
});

test('what crashes before it is ready is reported as that, and one that is late by itself is tried again', async (t) => {
  const stead = new Stead(t);
  const crash = await stead.run(['start', '--name', 'a', '--ready', 'port:1', '--', 'sh', '-c', 'echo no; exit 3']);
  assert.equal(crash.code, 1);
  assert.match(crash.stderr, /exit code 3/);
  const options = ['--ready', 'exec:test -e ready', '--ready-timeout', '300ms'];
  const command = ['--', 'sh', '-c', 'test -e late || touch ready; exec sleep 100'];
  await stead.ok(['start', '--name', 'b', ...options, ...command]);
  writeFileSync(join(stead.directory, 'late'), '');
  await stead.ok(['signal', 'KILL', 'b']);
  // The file is there still, so that it is ready; without it, it is not.
  await stead.until(
    'b',
    'running again',
    ({ state, instances }) => state === 'running' && instances[0]!.restarts === 1,
  );
  const { rmSync } = await import('node:fs');
  rmSync(join(stead.directory, 'ready'));
  await stead.ok(['signal', 'KILL', 'b']);
  const { state } = await stead.until('b', 'tried again', ({ instances }) => instances[0]!.restarts >= 3);
  assert.notEqual(state, 'failed');
});

const alive: Readonly<
  Record<string, (port: number) => { check: string; command: readonly string[]; finding: RegExp }>
> = {
  http: (port) => ({
    check: `http://127.0.0.1:${port}/`,
    command: node(server(port, 0)),
    finding: /^not alive: http:.*: status 500, 2 times in a row/,
  }),
  port: (port) => ({
    check: `port:127.0.0.1:${port}`,
    command: node(
      `const s = require('net').createServer().listen(${port}, '127.0.0.1'); setInterval(() => { if (require('fs').existsSync('status')) s.close() }, 50)`,
    ),
    finding: /^not alive: port \d+: ECONNREFUSED, 2 times in a row/,
  }),
  exec: () => ({
    check: 'exec:! test -e status',
    command: ['--', 'sleep', '100'],
    finding: /^not alive: ! test -e status: exit code 1, 2 times in a row/,
  }),
};

for (const [kind, make] of Object.entries(alive)) {
  test(`alive by ${kind}: failures in a row are a restart with that reason`, async (t) => {
    const stead = new Stead(t);
    const { check, command, finding } = make(await freePort());
    const often = ['--alive-interval', '150ms', '--alive-failures', '2', '--alive-timeout', '1s'];
    await stead.ok(['start', '--name', 'web', '--alive', check, ...often, ...command]);
    writeFileSync(join(stead.directory, 'status'), '500');
    const { exits } = await stead.until('web', 'restarted', ({ instances }) => instances[0]!.restarts > 0);
    assert.match(exits[0]!.cause!, finding);
    // On a busy machine it may have been too late to begin with.
    assert.ok(!isRunning(exits[0]!.pid!));
    assert.match((await stead.ok(['why', 'web'])).stdout, /ended by stead: not alive: /);
  });
}

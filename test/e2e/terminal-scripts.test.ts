/** Sessions as scripts use them, and what renames, deaths of the host and names in use do to them. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { steadBin } from '../support/paths.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { Terminal } from '../support/terminal.ts';
import { waitFor } from '../support/wait.ts';

const stead = new Stead({ after });

const attached = (name: string): Terminal =>
  new Terminal(process.execPath, [process.execPath, steadBin, 'attach', name], {
    env: { TERM: 'xterm-256color', ...stead.env },
    cwd: stead.directory,
  });

async function killHost(): Promise<void> {
  const about = join(stead.home, 'terminals', 'host.json');
  const { pid } = JSON.parse(readFileSync(about, 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await waitFor('its end', () => !isRunning(pid));
}

test('open without a terminal passes on all that is printed, and the exit code', async () => {
  const { code, stdout } = await stead.run([
    'open',
    'piped',
    '--',
    '/bin/sh',
    '-c',
    'echo first; sleep 1; seq 1 100000; exit 3',
  ]);
  assert.equal(code, 3);
  const lines = stdout.split('\r\n');
  assert.deepEqual([lines[0], lines[1], lines[100_000]], ['first', '1', '100000']);
});

test('a name in use is refused, or attached to with -A; that of one that is over is free', async () => {
  await stead.ok(['open', '-d', 'work', '--', '/bin/cat']);
  const taken = await stead.run(['open', '-d', 'work', '--', '/bin/ls']);
  assert.equal(taken.code, 5);
  assert.match(taken.stderr, /"work" is there already, and runs[\s\S]*stead attach work/);
  assert.match((await stead.ok(['open', '-d', '-A', 'work'])).stdout, /^work runs/);
  await stead.ok(['stop', 'work']);
  assert.match((await stead.ok(['open', '-d', 'work', '--', '/bin/cat'])).stdout, /^work runs/);
  await stead.ok(['delete', 'work']);
});

test('who is attached stays over a rename and the death of the host, and is told the present name', async () => {
  await stead.ok(['open', '-d', 'old', '--', '/bin/sh', '-c', 'echo begun; while read x; do echo "<$x>"; done']);
  const screen = attached('old');
  await screen.shows(/begun/);
  await stead.ok(['rename', 'old', 'new']);
  await killHost();
  // What is typed in between may be lost.
  const before = screen.shown.length;
  await waitFor('it to be drawn again', () => screen.shown.slice(before).includes('begun'));
  screen.type('hello\r');
  await screen.shows(/<hello>/);
  screen.type('\x02d');
  await screen.ended();
  assert.match(screen.shown, /\[detached from new; stead attach new\]/);
  await stead.ok(['delete', 'new']);
});

test('wait --for goes on over the death of the host', async () => {
  await stead.ok(['open', '-d', 'waits', '--', '/bin/sh', '-c', 'read x; echo "seen $x"; cat']);
  const waiting = stead.run(['wait', 'waits', '--for', '^seen it', '--timeout', '30s']);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await killHost();
  await stead.ok(['send', 'waits', 'it']);
  const { code, stdout, stderr } = await waiting;
  assert.deepEqual([code, stdout, stderr], [0, 'seen it\n', '']);
  await stead.ok(['delete', 'waits']);
});

test('send takes more than the host keeps, as fast as the program reads', async () => {
  const file = join(stead.directory, 'sent');
  await stead.ok(['open', '-d', 'reads', '--', '/bin/sh', '-c', `stty raw -echo; echo ready; exec cat >'${file}'`]);
  await stead.ok(['wait', 'reads', '--for', 'ready']);
  await stead.ok(['send', 'reads', '--stdin'], { input: 'y'.repeat(2_500_000) });
  await waitFor('all of it', () => statSync(file).size === 2_500_000);
  await stead.ok(['delete', 'reads']);
});

test('a job that does its work at once is restarted without a complaint', async () => {
  await stead.ok(['open', '-d', 'quick', '--', '/bin/sh', '-c', 'echo done']);
  await stead.ok(['wait', 'quick']);
  await stead.ok(['restart', 'quick']);
});

test('who attaches to an app that crashes again and again stays', async () => {
  await stead.run(['start', '--tty', '--name', 'loops', '--', '/bin/sh', '-c', 'echo "run $$"; sleep 0.3; exit 1']);
  await stead.until('loops', 'back-off', ({ state }) => state === 'backoff');
  const screen = attached('loops');
  await screen.shows(/run \d+/);
  const { instances } = await stead.show('loops');
  const before = instances[0]!.restarts;
  await stead.until('loops', 'two more', ({ instances }) => instances[0]!.restarts >= before + 2);
  assert.doesNotMatch(screen.shown, /\[loops ended: exit code 1\]/);
  await stead.ok(['delete', 'loops']);
  await screen.ended();
});

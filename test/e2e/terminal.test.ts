/** Sessions: opened, left, come back to, looked at from outside, and through the death of all that serves them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Eye } from '../support/eye.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { Terminal } from '../support/terminal.ts';
import { waitFor } from '../support/wait.ts';

/** `stead ARGS…` on a terminal of 80 columns. */
function onTerminal(stead: Stead, args: readonly string[], env: NodeJS.ProcessEnv = {}): Terminal {
  return new Terminal(process.execPath, [process.execPath, steadBin, ...args], {
    env: { TERM: 'xterm-256color', ...stead.env, ...env },
    cwd: stead.directory,
  });
}

const capture = async (stead: Stead, name: string, ...options: string[]) =>
  (await stead.ok(['capture', name, ...options])).stdout;

/** The pid of the process that serves the home's terminals: whose argv has the home. */
async function hostPid(stead: Stead): Promise<number> {
  return waitFor('the pty host', async () => {
    const path = join(stead.home, 'terminals', 'host.json');
    if (!existsSync(path)) return null;
    const { pid } = JSON.parse(readFileSync(path, 'utf8')) as { pid: number };
    return isRunning(pid) ? pid : null;
  });
}

const logOf = async (stead: Stead, name: string) => readFileSync((await stead.show(name)).logs.out, 'latin1');

test('a session is opened, looked at, typed into from outside, attached to, left, and its end is kept', async (t) => {
  const stead = new Stead(t);
  const opened = await stead.ok(['open', '-d', 'work', '--', '/bin/sh']);
  assert.match(opened.stdout, /^work runs, pid \d+; stead attach work$/m);
  const pid = await stead.pid('work');
  await stead.ok(['send', 'work', 'echo one; tput cols; echo $TERM $STEAD_SESSION; read x; echo "<$x>"']);
  await stead.ok(['wait', 'work', '--for', '^xterm-256color work:0']);
  await stead.ok(['send', 'work', '--keys', 'a b C-h Enter']);
  await waitFor('the screen', async () =>
    /one\n80\nxterm-256color work:0\nab?\n?.*<a/s.test(await capture(stead, 'work')),
  );
  const screen = onTerminal(stead, ['attach', 'work']);
  await screen.shows(/xterm-256color work:0/);
  await stead.until('work', 'attached', ({ instances }) => instances[0]?.terminal?.clients === 1);
  assert.match((await stead.ok(['list'])).stdout, /terminal\n.*80x24, 1 attached/);
  screen.type('echo from inside\r');
  await screen.shows(/\nfrom inside/);
  screen.type('\x02d');
  await screen.ended();
  assert.match(screen.shown, /\[detached from work; stead attach work\]/);
  assert.equal(await stead.pid('work'), pid);
  const again = onTerminal(stead, ['attach', 'work']);
  await again.shows(/from inside/);
  again.type('exit 7\r');
  await again.ended();
  assert.match(again.shown, /\[work ended: exit code 7\]/);
  const seen = await stead.json<{ text: string; exit: { code: number } }>(['capture', 'work']);
  assert.equal(seen.exit.code, 7);
  assert.match(seen.text, /from inside/);
  assert.match(await logOf(stead, 'work'), /one\r\n80\r\n/);
});

/** Prints numbers, 100 a second, until the file `stop` is there. */
const counting = 'i=0; until [ -e stop ]; do i=$((i+1)); echo "n $i"; sleep 0.01; done; echo last $i';

function assertCounted(text: string): void {
  const numbers = [...text.matchAll(/^n (\d+)\r?$/gm)].map(([, number]) => Number(number));
  const at = numbers.findIndex((number, index) => number !== numbers[0]! + index);
  assert.ok(at < 0, `after ${numbers[at - 1]} comes ${numbers[at]}`);
  assert.equal(Number(/^last (\d+)/m.exec(text)?.[1]), numbers.at(-1));
}

test('the pty host is killed, again and again, then with the daemon: no number is missing, and attach works', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['open', '-d', 'count', '--', '/bin/sh', '-c', counting]);
  const pid = await stead.pid('count');
  for (let round = 0; round < 5; round++) {
    const host = await hostPid(stead);
    process.kill(host, 'SIGKILL');
    await waitFor('another host', async () => (await hostPid(stead)) !== host);
  }
  const { pid: daemon, guardian } = await stead.daemon();
  const host = await hostPid(stead);
  for (const victim of [guardian!, daemon!, host]) process.kill(victim, 'SIGKILL');
  const screen = onTerminal(stead, ['attach', 'count']);
  await screen.shows(/n \d+/);
  assert.equal(await stead.pid('count'), pid);
  writeFileSync(join(stead.directory, 'stop'), '');
  await screen.ended();
  const log = await logOf(stead, 'count');
  assert.match(log, /^n 1\r\n/);
  assertCounted(log);
  const shown = await capture(stead, 'count', '--lines', '900');
  assertCounted(shown);
});

test("a session's log is rotated and emptied under it, and the daemon has nothing to do afterwards", async (t) => {
  const stead = new Stead(t);
  await stead.ok(['open', '-d', 'big', '--log-max-size', '1M', '--', '/bin/sh', '-c', 'seq 1 300000; echo all; cat']);
  await stead.ok(['wait', 'big', '--for', '^all']);
  const { logs } = await stead.show('big');
  await waitFor('an archive', () => existsSync(`${logs.out}.1.gz`));
  const lines = (await stead.ok(['logs', 'big', '-n', 'all', '--raw'])).stdout.split('\n');
  assert.deepEqual([lines.length, lines[0], lines[299_999]], [300_002, '1\r', '300000\r']);
  await stead.ok(['flush', 'big']);
  await stead.ok(['send', 'big', 'after']);
  await waitFor('what comes after', async () => (await stead.ok(['logs', 'big'])).stdout.includes('after'));
  assert.equal((await stead.ok(['logs', 'big', '--raw'])).stdout, 'after\r\nafter\r\n');
  const daemon = (await stead.daemon()).pid!;
  const before = cpuTicks(daemon);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(cpuTicks(daemon) - before < 50, 'it spins');
});

/** User and system time, in hundredths of a second. */
function cpuTicks(pid: number): number {
  const [, utime, stime] = /\) \S (?:\S+ ){10}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!;
  return Number(utime) + Number(stime);
}

test('programs that print a megabyte and end at once leave all of it, and their code', async (t) => {
  const stead = new Stead(t);
  const names = Array.from({ length: 6 }, (_, at) => `fast-${at}`);
  const program = 'head -c 1000000 /dev/zero | tr "\\0" x; exit 9';
  for (const name of names) await stead.ok(['open', '-d', name, '--', '/bin/sh', '-c', program]);
  for (const name of names) {
    const { exits } = await stead.until(name, 'its end', ({ state }) => state === 'failed' || state === 'completed');
    assert.equal(exits[0]!.code, 9);
    assert.equal((await logOf(stead, name)).length, 1_000_000);
  }
});

test('an app with a terminal is restarted, and who is attached stays', async (t) => {
  const stead = new Stead(t);
  const program = 'echo "run $$"; read line; exit 3';
  await stead.ok(['start', '--tty', '--name', 'web', '--', '/bin/sh', '-c', program]);
  const screen = onTerminal(stead, ['attach', 'web']);
  await screen.shows(/run \d+/);
  const first = await stead.pid('web');
  screen.type('x\r');
  await stead.until('web', 'its second run', ({ instances }) => instances[0]!.restarts === 1);
  const second = await stead.pid('web');
  assert.notEqual(second, first);
  await screen.shows(new RegExp(`run ${second}`));
  await stead.ok(['stop', 'web']);
  await screen.ended();
  assert.match(screen.shown, /\[web (?:ended|was stopped)/);
});

test('what has no terminal says so; an open stdin takes lines', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'plain', '--', '/bin/sleep', '300']);
  const refused = await stead.run(['attach', 'plain']);
  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /"plain" has no terminal[\s\S]*stead logs -f plain/);
  await stead.ok(['start', '--stdin', '--name', 'lines', '--', '/bin/sh', '-c', 'while read l; do echo "<$l>"; done']);
  await stead.ok(['send', 'lines', 'hello', 'you']);
  await waitFor('the line', async () => (await logOf(stead, 'lines')).includes('<hello you>\n'));
  assert.match((await stead.run(['attach', 'lines'])).stderr, /its stdin is open[\s\S]*stead send lines/);
});

test('bad input is told: no command, no directory, itself', async (t: TestContext) => {
  const stead = new Stead(t);
  assert.equal((await stead.run(['open', '-d', 'x', '--', 'no-such-command'])).code, 127);
  assert.equal((await stead.run(['open', '-d', 'x', '--', '/etc/passwd'])).code, 126);
  const inside = `${process.execPath} ${steadBin} attach work; echo "code $?"`;
  await stead.ok(['open', '-d', 'work', '--', '/bin/sh', '-c', `${inside}; sleep 300`]);
  await stead.ok(['wait', 'work', '--for', '^code 5', '--timeout', '20s']);
});

test('a screen that was left looks the same to who comes back', async (t) => {
  const stead = new Stead(t);
  const paint =
    'printf "\\033[?1049h\\033[2J\\033[5;10H\\033[1;31mred\\033[0m\\033[10;1H\\033[44mblue\\033[K\\033[0m\\033[3;3H"; read x';
  await stead.ok(['open', '-d', 'art', '--', '/bin/sh', '-c', paint]);
  await stead.ok(['wait', 'art', '--for', 'blue']);
  const screens = [onTerminal(stead, ['attach', 'art']), onTerminal(stead, ['attach', 'art', '--read-only'])];
  const seen = await Promise.all(
    screens.map(async (screen) => {
      await screen.shows(/blue/);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const eye = new Eye();
      eye.feed(screen.shown.replace(/^pid \d+\n/, ''));
      return (await eye.settled()).cells();
    }),
  );
  assert.deepEqual(seen[0], seen[1]);
  assert.match(seen[0]![4]!, /r11/);
});

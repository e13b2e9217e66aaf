/** `stead dev` on a terminal: the terminal is the program's own, and what is typed there, and its end, mean what they mean to any program. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { type Files, filesIn, onTerminal, quietTime } from '../support/dev.ts';
import { steadBin } from '../support/paths.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { hasTerminals, Terminal } from '../support/terminal.ts';
import { waitFor, waitForFile } from '../support/wait.ts';

const stead = new Stead({ after });
const needsTerminals = { skip: !hasTerminals && 'needs python3' };

/** Says of each signal that it gets; ends 0.3 s after the first. */
const graceful = `
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {
  console.log('got', name);
  setTimeout(() => { console.log('over'); process.exit(0); }, 300);
});
console.log('up', process.pid);
setInterval(() => {}, 1000);
`;

const pidIn = async (terminal: Terminal, pattern = /up (\d+)/): Promise<number> =>
  Number((await terminal.shows(pattern))[1]);
const times = (terminal: Terminal, pattern: RegExp) => [...terminal.shown.matchAll(new RegExp(pattern, 'g'))].length;

test('Ctrl-C comes to the program once, and it may take its time', needsTerminals, async () => {
  const terminal = onTerminal(stead, filesIn(stead, { 'app.js': graceful }), ['app.js']);
  const pid = await pidIn(terminal);
  terminal.type('\x03');
  await terminal.ended();
  assert.match(terminal.shown, /got SIGINT\r\nover/);
  assert.equal(times(terminal, /got SIG/), 1);
  assert.ok(!isRunning(pid));
});

test('a program that ignores Ctrl-C is killed by the second one, or after its time', needsTerminals, async () => {
  const ignores = 'trap "" INT TERM; echo "up $$"; while :; do sleep 0.05; done';
  const files = filesIn(stead, { 'app.sh': ignores });
  const terminal = onTerminal(stead, files, ['app.sh']);
  const pid = await pidIn(terminal);
  terminal.type('\x03');
  await terminal.shows(/\^C/);
  terminal.type('\x03');
  await terminal.ended();
  assert.ok(!isRunning(pid));
  const patient = onTerminal(stead, files, ['--stop-timeout', '500ms', 'app.sh']);
  const other = await pidIn(patient);
  patient.type('\x03');
  await patient.ended();
  assert.match(patient.shown, /not ended after 0\.5 s, killed/);
  assert.ok(!isRunning(other));
});

test('rs restarts it, while it runs and after it has ended; other lines are left to it', needsTerminals, async () => {
  const files = filesIn(stead, { 'app.sh': 'echo "up $$"; exec sleep 1000' });
  const terminal = onTerminal(stead, files, ['app.sh']);
  await terminal.shows(/to restart, type rs and Enter/);
  await pidIn(terminal);
  terminal.type('\r');
  await quietTime();
  terminal.type('rs\r');
  await terminal.shows(/restarting: asked for[\s\S]*up \d+/);
  files.write('app.sh', 'exit 1');
  await terminal.shows(/app crashed/);
  terminal.type('what\r');
  terminal.type('rs\r');
  await terminal.shows(/app crashed[\s\S]*app crashed/);
  terminal.type('\x03');
  await terminal.ended();
});

test('rs is heard behind lines that nobody reads, each time', needsTerminals, async () => {
  const files = filesIn(stead, { 'app.sh': 'echo "up $$"; exec sleep 1000' });
  const terminal = onTerminal(stead, files, ['app.sh']);
  await pidIn(terminal);
  for (let runs = 2; runs <= 3; runs++) {
    terminal.type('hello\r');
    await terminal.shows(new RegExp(`(?:hello[\\s\\S]*){${runs - 1}}`));
    await quietTime();
    terminal.type('rs\r');
    const beganMs = performance.now();
    await terminal.shows(new RegExp(`(?:up \\d+[\\s\\S]*){${runs}}`));
    assert.ok(performance.now() - beganMs < 4000);
  }
  terminal.type('\x03');
  await terminal.ended();
});

test('a program that reads lines gets all of them, rs too; one that reads keys gets each', needsTerminals, async () => {
  const reads = `
const lines = require('node:readline').createInterface({ input: process.stdin, output: process.stdout });
lines.question('name? ', (name) => { console.log('hello ' + name); lines.question('', (line) => {
  console.log('line ' + line);
  lines.close();
  process.stdin.setRawMode(true).resume().on('data', (key) => console.log('key ' + JSON.stringify(String(key))));
}); });
`;
  const files = filesIn(stead, { 'app.js': reads });
  const terminal = onTerminal(stead, files, ['app.js']);
  await terminal.shows(/name\? /);
  terminal.type('you\r');
  await terminal.shows(/hello you/);
  terminal.type('rs\r');
  await terminal.shows(/line rs/);
  terminal.type('r');
  await terminal.shows(/key "r"/);
  terminal.type('\x03');
  await terminal.shows(/key "\\u0003"/);
  assert.doesNotMatch(terminal.shown, /restarting/);
  // It is killed in raw mode, and the next one finds the terminal as it was.
  process.kill(await pidOfChild(await terminal.pid()), 'SIGKILL');
  await terminal.shows(/app crashed \(SIGKILL\)/);
  terminal.type('rs\r');
  await terminal.shows(/app crashed[\s\S]*name\? /);
  terminal.type('\x03');
  terminal.type('\x03');
  await terminal.close();
});

async function pidOfChild(pid: number): Promise<number> {
  return waitFor('a child', () =>
    Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]),
  );
}

test('when its terminal goes away it ends, and the program with it', needsTerminals, async () => {
  const logs =
    'trap "echo HUP >> log" HUP; trap "echo TERM >> log; exit" TERM; echo "up $$"; while :; do sleep 0.05; done';
  const files = filesIn(stead, { 'app.sh': logs });
  const terminal = onTerminal(stead, files, ['app.sh']);
  const pid = await pidIn(terminal);
  const own = await terminal.pid();
  await terminal.close();
  assert.equal(await terminal.exitCode, 129);
  await waitFor('their end', () => !isRunning(pid) && !isRunning(own));
  assert.match(files.read('log'), /TERM\n$/);
  assert.equal(files.read('log').match(/TERM/g)?.length, 1);
});

/** A person's shell. */
function shell(files: Files): Terminal {
  return new Terminal('/bin/bash', ['bash', '--norc', '--noprofile', '-i'], {
    cwd: files.directory,
    env: { ...stead.env, TERM: 'xterm', NO_COLOR: '1', PS1: '$ ', STEAD: `${process.execPath} ${steadBin}` },
    size: { cols: 200, rows: 50 },
  });
}

test('in the background of a shell it is not stopped, and restarts; a hang-up ends it', needsTerminals, async () => {
  const files = filesIn(stead, { 'app.sh': 'echo "up $$"; exec sleep 1000' });
  const terminal = shell(files);
  await terminal.shows(/\$ /);
  terminal.type('$STEAD dev app.sh &\r');
  const pid = await pidIn(terminal);
  terminal.type('rs\r');
  await terminal.shows(/rs: command not found/);
  files.write('app.sh', 'echo "again $$"; exec sleep 1000');
  const other = await pidIn(terminal, /again (\d+)/);
  terminal.type('jobs\r');
  await terminal.shows(/Running +\$STEAD dev/);
  assert.ok(!isRunning(pid));
  await terminal.close();
  await waitFor('its end', () => !isRunning(other));
});

test('its exit code is 143 after SIGTERM, also when the terminal is gone already', needsTerminals, async () => {
  const files = filesIn(stead, { 'app.sh': 'echo "up $$ $PPID"; exec sleep 1000' });
  const terminal = shell(files);
  await terminal.shows(/\$ /);
  // The shell tells nobody of the hang-up, and a group in the background isn't told by the kernel.
  terminal.type('($STEAD dev app.sh; echo "ended $?" > code) & disown\r');
  const [, pid, dev] = await terminal.shows(/up (\d+) (\d+)/);
  await terminal.close();
  process.kill(Number(dev), 'SIGTERM');
  assert.equal(await waitForFile(files.at('code')), 'ended 143\n');
  assert.ok(!isRunning(Number(pid)));
});

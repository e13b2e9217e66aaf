/** `why`: each end told apart, what is missing named. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WhyView } from '../../src/protocol/api.ts';
import { freePort } from '../support/ports.ts';
import { Stead } from '../support/stead.ts';

test('signals 1 to 31 and exit codes are told apart, and 128+n is what it is', async (t) => {
  const stead = new Stead(t);
  const commands: Record<string, string> = {};
  for (const code of [0, 1, 77, 126, 127, 143, 255]) commands[`code-${code}`] = `exit ${code}`;
  // Stopping, continuing and what is ignored by default ends nothing.
  const endless = ['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCONT', 'SIGCHLD', 'SIGURG', 'SIGWINCH'];
  const names = Object.entries(constants.signals).filter(([name, number]) => number <= 31 && !endless.includes(name));
  const signals = new Map(names.map(([name, number]) => [number, name]));
  for (const number of signals.keys()) commands[`signal-${number}`] = `ulimit -c 0; kill -${number} $$; sleep 10`;
  const apps = Object.entries(commands).map(([name, text]) => ({ name, job: true, command: ['sh', '-c', text] }));
  writeFileSync(join(stead.directory, 'all.json'), JSON.stringify({ apps }));
  await stead.ok(['apply', 'all.json']);
  await stead.run(['wait', 'all']);
  const views = await stead.json<WhyView[]>(['why', 'all']);
  for (const { name, exits } of views) {
    const { code, signal, ambiguous, explained } = exits[0]!;
    const [kind, text] = name.split('-');
    const number = Number(text);
    if (kind === 'code') {
      assert.deepEqual([code, signal, ambiguous], [number, null, false], name);
      if (number === 143) assert.match(explained!, /an exit code, and not a death by signal.*SIGTERM/);
    } else if (number === 2 || number === 13) {
      assert.deepEqual([code, ambiguous], [128 + number, true], name);
      assert.match(explained!, /can't be told/);
    } else assert.equal(constants.signals[signal as NodeJS.Signals], number, name);
  }
  assert.equal(views.length, apps.length);
});

test('an early end and why show where a script is wrong, and what it said last', async (t) => {
  const stead = new Stead(t);
  writeFileSync(join(stead.directory, 'wrong.js'), 'const a = 1;\nconst = 2;\n');
  writeFileSync(
    join(stead.directory, 'chatty.sh'),
    'i=0; while [ $i -lt 50 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 1',
  );
  const { stderr } = await stead.run(['start', 'wrong.js', '--max-restarts', '0']);
  assert.match(stderr, /\| .*wrong\.js:2\n {2}\| const = 2;/);
  assert.match(stderr, /\| SyntaxError: Unexpected token '='/);
  assert.match((await stead.ok(['why', 'wrong'])).stdout, /wrong\.js:2\n/);
  const chatty = await stead.run(['start', 'chatty.sh', '--max-restarts', '0']);
  assert.match(chatty.stderr, /\| line 0\n[^…]*\| line 5\n {2}\| …\n {2}\| line 40\n[^…]*\| line 49\n/);
});

test('who asked, what is taken, what is gone', async (t) => {
  const stead = new Stead(t);
  const port = await freePort();
  const listen = [process.execPath, '-e', `require('net').createServer().listen(${port})`];
  await stead.ok(['start', '--name', 'first', '--ready', `port:${port}`, '--', ...listen]);
  await stead.run(['start', '--name', 'second', '--max-restarts', '0', '--', ...listen]);
  const second = await stead.json<WhyView>(['why', 'second']);
  assert.match(second.findings[0]!.what, new RegExp(`port ${port} is held by stead's "first", pid \\d+`));
  assert.ok(second.lastLines.length > 0);
  await stead.ok(['stop', 'first']);
  const first = await stead.json<WhyView>(['why', 'first']);
  assert.match(first.by, /^stead stop first \(pid \d+\)$/);
  assert.match(first.exits.at(-1)!.cause!, /^stead stop first/);

  const place = join(stead.directory, 'place');
  mkdirSync(place);
  writeFileSync(join(place, 'token'), 'one\n');
  const options = [
    '--cwd',
    place,
    '--secret',
    `TOKEN=file:${place}/token`,
    '--backoff-min',
    '50ms',
    '--backoff-max',
    '50ms',
  ];
  await stead.ok(['start', '--name', 'moved', ...options, '--', 'sleep', '100']);
  rmSync(place, { recursive: true });
  await stead.ok(['signal', 'KILL', 'moved']);
  await stead.until('moved', 'in back-off', ({ state }) => state === 'backoff');
  const moved = await stead.json<WhyView>(['why', 'moved']);
  assert.ok(moved.findings.some(({ what }) => what === `its directory is gone: ${place}`));
  assert.ok(moved.findings.some(({ what }) => what.startsWith('the file of the secret TOKEN is gone')));
  mkdirSync(place);
  writeFileSync(join(place, 'token'), 'two\n');
  await stead.until('moved', 'running', ({ state }) => state === 'running');

  process.kill((await stead.daemon()).pid!, 'SIGKILL');
  await stead.ok(['daemon', 'stop']);
  assert.match((await stead.ok(['why', 'moved'])).stdout, /moved: running/);
});

test('secrets are read at each start and kept nowhere; env files and variables; what differs from this shell', async (t) => {
  const stead = new Stead(t);
  const directory = stead.directory;
  writeFileSync(join(directory, 'token'), 'h1dden\n');
  writeFileSync(join(directory, '.env'), 'A=file\nB="two words"\n');
  const print = ['--', 'sh', '-c', 'echo "$A $B $C $TOKEN"; exec sleep 100'];
  await stead.ok([
    'start',
    '--name',
    'web',
    '--ready',
    'log:two words',
    '--secret',
    'TOKEN=file:token',
    '--env-file',
    '.env',
    '-e',
    'C=3',
    '-e',
    'A=flag',
    ...print,
  ]);
  assert.match((await stead.ok(['logs', 'web'])).stdout, /^flag two words 3 h1dden$/m);
  const spec = JSON.stringify(await stead.json(['show', 'web', '--show-env']));
  assert.ok(!spec.includes('h1dden'), 'not in the spec');
  assert.match((await stead.ok(['env', 'web'])).stdout, /^TOKEN {2}\(from .*token\)$/m);
  assert.match(
    (await stead.ok(['env', 'web', '--diff'], { env: { NEW: '1', A: 'x' } })).stdout,
    /^~ A\n- B\n- C\n\+ NEW$/m,
  );
  await stead.ok(['set', 'web', 'env=C=4', 'ready=log:words 4']);
  await stead.ok(['restart', 'web']);
  await stead.ok(['unset', 'web', 'env=C', 'ready']);
  await stead.ok(['restart', 'web']);
  assert.match((await stead.ok(['logs', 'web'])).stdout, /^flag two words 4 h1dden\nflag two words {2}h1dden$/m);
});

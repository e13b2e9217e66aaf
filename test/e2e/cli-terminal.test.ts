/** What a person on a terminal sees: script(1) gives the command a pty. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { steadBin } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** `stead ARGS…` on a terminal of 80 columns; resolves with all that it showed, line ends made plain. */
async function onTerminal(stead: Stead, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const line = [process.execPath, steadBin, ...args].map(quote).join(' ');
  const { stdout } = await execute('script', ['-qec', `stty cols 80 -onlcr; ${line}`, '/dev/null'], {
    cwd: stead.directory,
    env: { TERM: 'xterm', ...stead.env, ...env },
  });
  // Without the progress of a slow machine.
  return stdout.replaceAll('\r\n', '\n').replace(/^[^\r\n]*\r\x1b\[K/, '');
}

async function hasTerminals(t: TestContext): Promise<boolean> {
  const { code } = await execute('/bin/sh', ['-c', 'command -v script stty']);
  if (code !== 0) t.skip('script(1) is not here');
  return code === 0;
}

test('start shows the row, the address and the two commands that come next', async (t) => {
  if (!(await hasTerminals(t))) return;
  const stead = new Stead(t);
  const port = await freePort();
  writeFileSync(join(stead.directory, 'web.js'), `require('node:http').createServer().listen(${port}, '127.0.0.1')`);
  const text = await onTerminal(stead, ['start', 'web.js', '--ready', `port:127.0.0.1:${port}`], { NO_COLOR: '1' });
  assert.match(text, /^id {2}name {2}state/m);
  assert.match(text, /^ 0 {2}web {3}running/m);
  assert.match(text, new RegExp(`^It listens on 127.0.0.1:${port}\\.$`, 'm'));
  assert.match(text, /stead logs -f web/);
  assert.match(text, /stead stop web/);
  assert.match(await onTerminal(stead, ['start', 'web.js'], { NO_COLOR: '1' }), /^web runs already, pid \d+$/m);
  assert.match(await onTerminal(stead, ['list']), /\x1b\[32mrunning\x1b\[0m/);
});

test('a program that ends at once is reported with its code in words, its last lines and what comes next', async (t) => {
  if (!(await hasTerminals(t))) return;
  const stead = new Stead(t);
  const line = ['--name', 'bad', '--restart', 'no', '--', 'sh', '-c', "echo 'no \x1b[2J config' >&2; exit 3"];
  const text = await onTerminal(stead, ['start', ...line]);
  assert.match(text, /^bad ended after \d+ ms: exit code 3$/m);
  assert.match(text, /^ {2}\| no \\x1b\[2J config$/m);
  assert.match(text, /^Next: it is not started again/m);
  // Within the 300 ms of the first look, which it does not make on a machine that is very busy.
  const error = await waitFor('an early end', async () => {
    type Failed = { readonly error?: { readonly code: string; readonly details: { readonly apps: unknown[] } } };
    return (await stead.json<Failed>(['start', 'bad'])).error;
  });
  assert.deepEqual([error.code, error.details.apps.length], ['EXITED_EARLY', 1]);
});

test('log lines keep colours and show every other control character, unless --raw', async (t) => {
  if (!(await hasTerminals(t))) return;
  const stead = new Stead(t);
  await stead.ok(['run', '--name', 'job', '--', 'true']);
  await stead.run(['wait', 'job']);
  writeFileSync((await stead.show('job')).logs.out, '\x1b[31mred\x1b[0m \x1b]0;title\x07\n');
  assert.equal(await onTerminal(stead, ['logs', 'job']), '\x1b[31mred\x1b[0m \\x1b]0;title\\x07\n\x1b[0m');
  assert.equal(await onTerminal(stead, ['logs', 'job', '--raw']), '\x1b[31mred\x1b[0m \x1b]0;title\x07\n');
});

/** `logs`: exact, safe on a terminal, over restarts, with the daemon down. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { steadBin } from '../support/paths.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** Prints two lines, then waits. */
const script = 'echo one; echo two; exec sleep 100';

async function startPrinting(t: TestContext): Promise<Stead> {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sh', '-c', script]);
  await waitFor('both lines', async () => (await stead.ok(['logs', 'web'])).stdout === 'one\ntwo\n');
  return stead;
}

function follow(
  stead: Stead,
  args: readonly string[],
): { text(): string; ended: Promise<number | null>; kill(): void } {
  const child = spawn(process.execPath, [steadBin, 'logs', '-f', ...args], { env: stead.env });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return { text: () => text, ended: new Promise((resolve) => child.once('close', resolve)), kill: () => child.kill() };
}

test('-n is exact', async (t) => {
  const stead = await startPrinting(t);
  assert.equal((await stead.ok(['logs', 'web', '-n', '1'])).stdout, 'two\n');
  assert.equal((await stead.ok(['logs', 'web', '-n0'])).stdout, '');
  assert.equal((await stead.ok(['logs', 'web', '-n', 'all'])).stdout, 'one\ntwo\n');
  assert.equal((await stead.run(['logs', 'web', '-n', 'some'])).code, 2);
  await stead.ok(['stop', 'web']);
  const { out } = (await stead.show('web')).logs;
  const lines = Array.from({ length: 1000 }, (_, at) => `${at}`);
  writeFileSync(out, lines.join('\n'));
  assert.equal((await stead.ok(['logs', 'web'])).stdout, lines.slice(-20).join('\n'));
  assert.equal((await stead.ok(['logs', 'web', '-n', '999'])).stdout, lines.slice(1).join('\n'));
});

test('a pipe gets the bytes as they are', async (t) => {
  const stead = await startPrinting(t);
  await stead.ok(['stop', 'web']);
  const { out } = (await stead.show('web')).logs;
  const bytes = '\x1b]52;c;x\x07\x00\r\n';
  writeFileSync(out, bytes);
  assert.equal((await stead.ok(['logs', 'web'])).stdout, bytes);
});

test('-f goes on over a restart, and ends quietly when the app is deleted', async (t) => {
  const stead = await startPrinting(t);
  const followed = follow(stead, ['web', '-n', '1']);
  await waitFor('the last line', () => followed.text() === 'two\n');
  await stead.ok(['restart', 'web']);
  await waitFor('the lines of the next run', () => followed.text() === 'two\none\ntwo\n');
  await stead.ok(['delete', 'web']);
  assert.equal(await followed.ended, 0);
});

test('several apps are told apart by a prefix', async (t) => {
  const stead = await startPrinting(t);
  await stead.ok(['start', '--name', 'db', '--', 'sh', '-c', 'printf half; exec sleep 100']);
  const read = async () => (await stead.ok(['logs', 'all'])).stdout;
  await waitFor('the half line', async () => (await read()).includes('half'));
  assert.deepEqual((await read()).trimEnd().split('\n').sort(), ['db | half', 'web | one', 'web | two']);
  const followed = follow(stead, ['web', 'db', '-n', '0']);
  const { out } = (await stead.show('web')).logs;
  await waitFor('a line followed', () => {
    appendFileSync(out, 'more\n');
    return followed.text().startsWith('web | more\n');
  });
  followed.kill();
  await followed.ended;
});

test('--json is one object per line, whatever the line says', async (t) => {
  const stead = await startPrinting(t);
  await stead.ok(['stop', 'web']);
  writeFileSync((await stead.show('web')).logs.out, Buffer.from('{"name":"db"}\r\n\xff\x1b[2J', 'latin1'));
  const { stdout } = await stead.ok(['logs', '--json']);
  const label = { name: 'web', index: 0, stream: 'out' };
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ time, ...rest }) => {
        assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
        return rest;
      }),
    [
      { ...label, offset: 0, line: '{"name":"db"}\r' },
      { ...label, offset: 15, line: '\udcff\x1b[2J', partial: true },
    ],
  );
});

test('the log is there with the daemon down', async (t) => {
  const stead = await startPrinting(t);
  await stead.ok(['daemon', 'stop']);
  const { stdout, stderr } = await stead.ok(['logs', 'web', '-n', '1']);
  assert.deepEqual([stdout, stderr], ['two\n', '']);
  assert.match((await stead.ok(['daemon', 'logs'])).stdout, /version/);
  assert.ok(join(stead.home, 'daemon.log'));
});

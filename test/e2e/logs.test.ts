/** Logs in full: when lines came, several in one, rotation and what others do to the files, where they lie, the API. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventsResponse, LogLineView, LogsResponse } from '../../src/protocol/api.ts';
import { steadBin } from '../support/paths.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** Prints its own clock, in bursts and after silences, between two lines that say when it is over. */
const clock = (lines: number, seed: number) =>
  `let n = 0, r = ${seed}; const next = () => { r = (r * 1103515245 + 12345) % 2147483648; if (n++ === ${lines}) return console.log('end'); console.log('at ' + Date.now()); setTimeout(next, r % 3 ? r % 60 : 200 + r % 400) }; next(); setInterval(() => {}, 1e9)`;
/** What the docs say. */
const precisionMs = 250;
/** A loaded machine runs a timer late. */
const slackMs = 200;

interface JsonLine {
  readonly name: string;
  readonly time: string;
  readonly offset: number;
  readonly line: string;
}

async function jsonLines(stead: Stead, args: readonly string[]): Promise<JsonLine[]> {
  const { stdout } = await stead.ok(['logs', '--json', ...args]);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const ownClock = ({ line }: JsonLine): number => Number(line.slice(3));
const clockLines = (lines: readonly JsonLine[]) => lines.filter(({ line }) => line.startsWith('at '));
const until = async (stead: Stead, name: string, text: string) =>
  waitFor(
    `"${text}" in the log of ${name}`,
    async () => (await stead.run(['logs', name, '-n', '5'])).stdout.includes(text),
    { timeoutMs: 60_000 },
  );

async function get<T>(stead: Stead, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    request({ socketPath: join(stead.home, 'stead.sock'), path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(JSON.parse(text)));
    })
      .once('error', reject)
      .end();
  });
}

test('when a line came is right to a quarter of a second, over a restart of the daemon; --since and --until cut there', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--no-wait', '--name', 'web', '--', process.execPath, '-e', clock(40, 7)]);
  await pause(1500);
  // While no daemon runs only the last line's time is known.
  const away: [number, number][] = [];
  const without = async (end: () => Promise<unknown>) => {
    const from = Date.now();
    await end();
    await waitFor('the daemon to be back', async () => (await stead.daemon()).running);
    away.push([from - precisionMs, Date.now() + precisionMs]);
  };
  await without(() => stead.ok(['daemon', 'restart']));
  await pause(1000);
  await without(async () => process.kill((await stead.daemon()).pid!, 'SIGKILL'));
  await until(stead, 'web', 'end');
  const lines = clockLines(await jsonLines(stead, ['web', '-n', 'all']));
  assert.equal(lines.length, 40);
  const excess = lines.map((line) => {
    const at = ownClock(line);
    const gaps = away.filter(([from, to]) => at >= from && at <= to).map(([from, to]) => to - from);
    return Math.abs(Date.parse(line.time) - at) - Math.max(precisionMs, ...gaps) - slackMs;
  });
  assert.ok(Math.max(...excess) <= 0, String(excess));
  const middle = (ownClock(lines[19]!) + ownClock(lines[20]!)) / 2;
  const iso = new Date(middle).toISOString();
  const [since, before] = [
    await jsonLines(stead, ['web', '--since', iso]),
    await jsonLines(stead, ['web', '--until', iso]),
  ];
  for (const line of clockLines(since)) assert.ok(ownClock(line) >= middle - precisionMs - slackMs);
  for (const line of clockLines(before)) assert.ok(ownClock(line) <= middle + precisionMs + slackMs);
  assert.equal(clockLines(since).length + clockLines(before).length, 40);
  assert.deepEqual(await jsonLines(stead, ['web', '--since', '0']), []);
  const { stdout } = await stead.ok(['logs', 'web', '-n', '1', '--timestamps']);
  assert.match(stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d end\n$/);
  assert.equal((await stead.run(['logs', 'web', '--since', 'tomorrowish'])).code, 2);
});

test('several apps are one stream in time order, the last lines of all being the last', async (t) => {
  const stead = new Stead(t);
  const names = ['a', 'b', 'c'];
  for (const [at, name] of names.entries())
    await stead.ok(['start', '--no-wait', '--name', name, '--', process.execPath, '-e', clock(25, at + 1)]);
  for (const name of names) await until(stead, name, 'end');
  const lines = clockLines(await jsonLines(stead, ['all', '-n', 'all']));
  assert.equal(lines.length, 75);
  let latest = 0;
  for (const line of lines) {
    latest = Math.max(latest, ownClock(line));
    assert.ok(latest - ownClock(line) <= precisionMs + slackMs, `${line.line} after ${latest}`);
  }
  assert.deepEqual(
    (await jsonLines(stead, ['-n', '10'])).map(({ offset }) => offset),
    (await jsonLines(stead, ['-n', 'all'])).slice(-10).map(({ offset }) => offset),
  );
});

test('--grep searches rotated and compressed logs, with context, and the daemon dead', async (t) => {
  const stead = new Stead(t);
  const script = `for (let n = 1; n <= 60000; n++) { const s = n + ' ' + 'x'.repeat(30) + (n % 20000 === 0 ? ' needle' : '') + '\\n'; require('fs').writeSync(1, s) } setInterval(() => {}, 1e9)`;
  await stead.ok(['start', '--name', 'web', '--log-max-size', '500K', '--', process.execPath, '-e', script]);
  const directory = join(stead.home, 'logs/web');
  await until(stead, 'web', '60000 ');
  await waitFor('an archive, compressed', () => existsSync(join(directory, '0.out.log.1.gz')));
  await stead.ok(['daemon', 'stop']);
  const found = async (...args: readonly string[]) =>
    (await stead.ok(['logs', 'web', ...args])).stdout.split('\n').map((line) => line.split(' ')[0]);
  assert.deepEqual(await found('--grep', 'needle'), ['20000', '40000', '60000', '']);
  assert.deepEqual(await found('--grep', 'NEED.E$', '-i', '-C', '1'), [
    '19999',
    '20000',
    '20001',
    '--',
    '39999',
    '40000',
    '40001',
    '--',
    '59999',
    '60000',
    '',
  ]);
  assert.deepEqual(await found('--grep', 'needle', '-n', '1'), ['60000', '']);
  assert.deepEqual(await found('-n', '2'), ['59999', '60000', '']);
  assert.equal((await found('--grep', 'x', '-v')).length, 1);
});

test('what others do to a log is survived: a truncation, a rename, a deletion, copytruncate; -f shows all', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const file = join(stead.home, 'logs/web/0.out.log');
  const child = spawn(process.execPath, [steadBin, 'logs', '-f', 'web', '-n', 'all'], { env: stead.env });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  const expected: string[] = [];
  const add = async (line: string) => {
    appendFileSync(file, `${line}\n`);
    expected.push(line);
    await waitFor(`"${line}"`, () => text === `${expected.join('\n')}\n`);
  };
  await add('a first line that is longer than the next');
  // What shrinks before anybody has looked at it has not shrunk.
  const times = join(stead.home, 'logs/web/.state/0.out.times');
  await waitFor('the first line to be indexed', () => existsSync(times) && statSync(times).size >= 32);
  truncateSync(file, 0);
  await add('after a truncation');
  await waitFor('the event', async () =>
    (await get<EventsResponse>(stead, '/v1/events')).events.some(
      ({ type, reason }) => type === 'log' && /was emptied/.test(reason ?? ''),
    ),
  );
  await add('one more');
  renameSync(file, `${file}.old`);
  await add('after a rename');
  copyFileSync(file, `${file}.copy`);
  truncateSync(file, 0);
  await add('x');
  rmSync(file);
  await add('after all that');
  // Offsets go on: what the index says of earlier lines stays true.
  const lines = await waitFor('both lines to be known', async () => {
    const now = await jsonLines(stead, ['web', '--out', '-n', 'all']);
    return now.length > 0 && now.at(-1)!.offset > 50 && now;
  });
  assert.ok(lines.every(({ offset }, at) => at === 0 || offset > lines[at - 1]!.offset));
});

test('a program that opens /dev/stderr anew empties its log, which is said by events', async (t) => {
  const stead = new Stead(t);
  await stead.ok([
    'start',
    '--name',
    'web',
    '--log-via',
    'file',
    '--',
    'sh',
    '-c',
    'echo a long line of some words; sleep 1; echo cut > /dev/stdout; sleep 1000',
  ]);
  const { stdout } = await waitFor('the event', async () => {
    const result = await stead.run(['events', '--json']);
    return result.stdout.includes('was emptied') && result;
  });
  assert.match(stdout, /--log-via pipe/);
  assert.match((await stead.ok(['why', 'web'])).stdout, /was emptied by somebody.*--log-via pipe/);
});

test('a shell script may open /dev/stderr anew: nothing is lost, and what it prints at its end is there when its end is told', async (t) => {
  const stead = new Stead(t);
  const script = join(stead.directory, 'job.sh');
  const text = 'for i in 1 2 3; do echo "out $i"; echo "err $i" > /dev/stderr; done\necho last > /dev/stdout\n';
  for (const [name, head] of [
    ['with-shebang', '#!/bin/sh\n'],
    ['without', ''],
  ] as const) {
    writeFileSync(script, head + text, { mode: 0o755 });
    await stead.ok(['start', '--name', name, '--restart', 'no', '--no-wait', script]);
    await stead.until(name, 'its end', ({ state }) => state === 'completed');
    assert.equal((await stead.ok(['logs', name, '--out'])).stdout, 'out 1\nout 2\nout 3\nlast\n', name);
    assert.equal((await stead.ok(['logs', name, '--err'])).stdout, 'err 1\nerr 2\nerr 3\n', name);
    await stead.ok(['delete', name]);
  }
  const { stdout } = await stead.run(['run', '-f', '--', 'sh', '-c', 'echo one > /dev/stdout; echo two > /dev/stdout']);
  assert.equal(stdout, 'one\ntwo\n');
});

test('what is forwarded is in the log all the same, and a forwarder that fails harms nothing', async (t) => {
  const stead = new Stead(t);
  // There is no /dev/log here: logger(1) fails, again and again.
  await stead.ok([
    'start',
    '--name',
    'web',
    '--log-forward',
    'syslog',
    '--',
    'sh',
    '-c',
    'echo hello; exec sleep 1000',
  ]);
  await waitFor('the log', async () => (await stead.ok(['logs', 'web', '--out'])).stdout.includes('hello\n'));
  assert.equal((await stead.show('web')).state, 'running');
});

test('logs lie where an app says, both in one, or nowhere; flush empties them; a deleted app leaves them', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.directory, 'own', 'web.log');
  const script = 'echo to out; echo to err >&2; exec sleep 1000';
  await stead.ok(['start', '--name', 'web', '--log-out', 'own/web.log', '--log-merge', '--', 'sh', '-c', script], {
    cwd: stead.directory,
  });
  await waitFor('both lines', () => existsSync(file) && readFileSync(file, 'utf8') === 'to out\nto err\n');
  await waitFor('the reader', async () => (await stead.ok(['logs', 'web'])).stdout === 'to out\nto err\n');
  assert.equal((await stead.ok(['logs', 'web', '--path'])).stdout, `${file}\n`);
  await stead.ok(['start', '--name', 'mute', '--log-out', 'none', '--log-err', 'none', '--', 'sh', '-c', script]);
  assert.equal((await stead.ok(['logs', 'mute'])).stdout, '');
  await stead.ok(['flush', 'web']);
  assert.equal(statSync(file).size, 0);
  appendFileSync(file, 'more\n');
  await waitFor('what comes afterwards', async () => (await stead.ok(['logs', 'web'])).stdout === 'more\n');
  await stead.ok(['delete', 'web']);
  assert.equal((await stead.ok(['logs', 'web'])).stdout, 'more\n');
});

test('-f shows apps that appear later', async (t: TestContext) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'first', '--', 'sh', '-c', 'echo one; exec sleep 1000']);
  const child = spawn(process.execPath, [steadBin, 'logs', '-f'], { env: stead.env });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  await waitFor('the first', () => text.includes('one\n'));
  await stead.ok(['start', '--name', 'second', '--', 'sh', '-c', 'echo two; exec sleep 1000']);
  await waitFor('the second', () => text.includes('second | two\n'));
});

test('GET /v1/logs: pages with a cursor, a stream that is resumed, bad requests refused', async (t) => {
  const stead = new Stead(t);
  const script = 'i=0; while [ $i -lt 2500 ]; do i=$((i+1)); echo line $i; done; exec sleep 1000';
  await stead.ok(['start', '--name', 'web', '--', 'sh', '-c', script]);
  await until(stead, 'web', 'line 2500');
  const lines: LogLineView[] = [];
  let cursor = '';
  for (let pages = 0; pages < 10; pages++) {
    const page = await get<LogsResponse>(stead, `/v1/logs?app=web&lines=all&cursor=${encodeURIComponent(cursor)}`);
    lines.push(...page.lines);
    cursor = page.cursor;
    if (page.isEnd) break;
  }
  assert.deepEqual(
    lines.map(({ line }) => line),
    Array.from({ length: 2500 }, (_, at) => `line ${at + 1}`),
  );
  assert.equal((await get<LogsResponse>(stead, '/v1/logs?app=web&stream=err')).lines.length, 0);
  assert.equal((await get<LogsResponse>(stead, '/v1/logs?app=web&lines=3')).lines.length, 3);
  for (const bad of [
    'app=nosuch',
    'app=web&lines=x',
    'app=web&stream=both',
    'app=web&since=then',
    'app=web&cursor=..%2f',
    '',
  ])
    assert.ok('error' in (await get<object>(stead, `/v1/logs?${bad}`)), bad);
  const streamed: string[] = [];
  const stream = request(
    {
      socketPath: join(stead.home, 'stead.sock'),
      path: '/v1/logs?app=web&follow=1',
      headers: { 'last-event-id': '0.out:0,0.err:0' },
    },
    (response) => {
      response.setEncoding('utf8').on('data', (chunk) => streamed.push(chunk));
      response.on('error', () => {});
    },
  );
  stream.on('error', () => {});
  stream.end();
  t.after(() => stream.destroy());
  await waitFor('what is there', () => streamed.join('').includes('line 2500"'));
  appendFileSync(join(stead.home, 'logs/web/0.out.log'), 'and more\n');
  await waitFor('what comes', () => streamed.join('').includes('and more"'));
});

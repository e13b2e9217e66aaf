/** A program writes numbered lines as fast as it can, its log is rotated, the daemon is killed, followers read along: each line is there once, everywhere. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { steadBin } from '../../support/paths.ts';
import type { Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';
import { checkInvariants } from './invariants.ts';
import { randomFrom } from './random.ts';

/** Lines are 71 bytes and some; a write each. */
const writer = (lines: number) =>
  `const { writeSync, writeFileSync } = require('fs'); const tail = ' ' + 'x'.repeat(60) + '\\n'; for (let n = 1; n <= ${lines}; n++) writeSync(1, n + tail); writeFileSync('done', ''); setInterval(() => {}, 1e9)`;

export interface RotationOptions {
  readonly lines: number;
  readonly kills: number;
  readonly seed: number;
  readonly maxSize?: string;
  readonly followers?: number;
  readonly say?: (text: string) => void;
}

export async function logRotation(
  stead: Stead,
  { lines, kills, seed, maxSize = '4M', followers = 2, say = () => {} }: RotationOptions,
): Promise<void> {
  const random = randomFrom(seed);
  const cwd = stead.directory;
  const program = [process.execPath, '-e', writer(lines)];
  await stead.ok(
    ['start', '--no-wait', '--name', 'w', '--log-max-size', maxSize, '--log-keep', '100000', '--', ...program],
    { cwd },
  );
  const pid = await stead.pid('w');
  const files = Array.from({ length: followers }, (_, at) => join(cwd, `follower-${at}`));
  const children = files.map((file) => {
    const fd = openSync(file, 'w');
    const child = spawn(process.execPath, [steadBin, 'logs', '-f', 'w', '-n', 'all'], {
      env: stead.env,
      stdio: ['ignore', fd, 'inherit'],
    });
    closeSync(fd);
    return child;
  });
  try {
    let killed = 0;
    for (; killed < kills && !existsSync(join(cwd, 'done')); killed++) {
      await pause(200 + random() * 600);
      const { pid: daemon } = JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8'));
      try {
        process.kill(daemon, 'SIGKILL');
      } catch {
        // Between two of them.
      }
    }
    await waitFor('the writer', () => existsSync(join(cwd, 'done')), { timeoutMs: 300_000 });
    say(`${lines} lines written, the daemon killed ${killed} times meanwhile`);
    assert.equal(await stead.pid('w'), pid);
    const size = 72 * lines;
    await waitFor('the followers', () => files.every((file) => statSync(file).size > size * 0.9 && isQuiet(file)), {
      timeoutMs: 120_000,
    });
    for (const file of files) await assertNumbered(createReadStream(file), lines, file);
    const all = spawn(process.execPath, [steadBin, 'logs', 'w', '-n', 'all'], { env: stead.env });
    await assertNumbered(all.stdout, lines, 'stead logs');
    // Once nothing is written any more, all is compressed and the file is as short as it looks.
    const directory = join(stead.home, 'logs/w');
    const archives = () => readdirSync(directory).filter((name) => /^0\.out\.log\.\d+/.test(name));
    await waitFor('the compression', () => archives().every((name) => name.endsWith('.gz')), { timeoutMs: 300_000 });
    say(`${archives().length} archives`);
    if (lines * 60 > 8 * 1024 * 1024) assert.ok(archives().length > 0);
    await stead.ok(['stop', 'w']);
    await assertFiles(directory, lines);
    const again = spawn(process.execPath, [steadBin, 'logs', 'w', '-n', 'all'], { env: stead.env });
    await assertNumbered(again.stdout, lines, 'stead logs, compressed');
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
  await checkInvariants(stead);
}

const seen = new Map<string, { size: number; at: number }>();
function isQuiet(file: string): boolean {
  const { size } = statSync(file);
  const known = seen.get(file);
  if (known?.size !== size) seen.set(file, { size, at: performance.now() });
  return known?.size === size && performance.now() - known.at > 500;
}

async function assertNumbered(input: NodeJS.ReadableStream, lines: number, what: string): Promise<void> {
  let expected = 1;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const number = Number.parseInt(line, 10);
    assert.equal(number, expected, `${what}: line ${expected} is "${line.slice(0, 80)}"`);
    expected++;
  }
  assert.equal(expected - 1, lines, what);
}

/** What `zcat` and `cat` show: archives by number, then the file, without the hole at its head. */
async function assertFiles(directory: string, lines: number): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const numbered = readdirSync(directory)
    .flatMap((name) => {
      const match = /^0\.out\.log\.(\d+)(\.gz)?$/.exec(name);
      return match ? [{ name, number: Number(match[1]) }] : [];
    })
    .sort((a, b) => a.number - b.number);
  let text = '';
  for (const { name } of numbered) {
    const stream = createReadStream(join(directory, name));
    for await (const chunk of name.endsWith('.gz') ? stream.pipe(createGunzip()) : stream) text += chunk;
  }
  text += readFileSync(join(directory, '0.out.log'), 'latin1').replace(/^\0+/, '');
  let expected = 1;
  for (let from = 0; from < text.length; expected++) {
    const end = text.indexOf('\n', from);
    assert.equal(Number.parseInt(text.slice(from, from + 10), 10), expected, `files: line ${expected}`);
    from = end + 1;
  }
  assert.equal(expected - 1, lines, 'files');
}

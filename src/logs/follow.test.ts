import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { type FollowOptions, followLogs } from './follow.ts';
import { unkept } from './layout.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-follow-'));
after(() => rmSync(root, { recursive: true }));
const path = join(root, 'log');
beforeEach(() => rmSync(path, { force: true }));

interface Follow {
  text(): string;
  /** Resolves when the condition holds for what came so far. */
  until(condition: (text: string) => boolean): Promise<void>;
  end(): Promise<void>;
}

function follow(from = 0, { at = path, ...options }: Partial<FollowOptions> & { at?: string } = {}): Follow {
  const controller = new AbortController();
  let text = '';
  let notify = () => {};
  const write = (chunk: Uint8Array) => {
    text += Buffer.from(chunk).toString('latin1');
    notify();
  };
  const done = followLogs([{ place: unkept(at), from, write }], { signal: controller.signal, ...options });
  return {
    text: () => text,
    async until(condition) {
      const deadline = AbortSignal.timeout(20_000);
      while (!condition(text)) {
        await new Promise<void>((resolve, reject) => {
          notify = resolve;
          deadline.onabort = () => reject(new Error(`came: ${text.slice(-500)}`));
        });
      }
    },
    end() {
      controller.abort();
      return done;
    },
  };
}

const inotifyFds = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('inotify');
    } catch {
      return false;
    }
  }).length;

test('what is appended comes, byte for byte, from the given place on', async () => {
  writeFileSync(path, 'old\n');
  const following = follow(4);
  for (let number = 0; number < 50; number++) {
    appendFileSync(path, Buffer.from([0xff, 0, 13, 65 + (number % 26), 10]));
    await following.until((text) => text.length === (number + 1) * 5);
  }
  assert.ok(following.text().startsWith('\xff\0\rA\n\xff\0\rB\n'));
  await following.end();
});

test('a log that is not there yet is waited for, and its directory, too', async () => {
  const folder = join(root, 'later');
  const following = follow(0, { at: join(folder, 'deep', 'log') });
  mkdirSync(join(folder, 'deep'), { recursive: true });
  writeFileSync(join(folder, 'deep', 'log'), 'hello\n');
  await following.until((text) => text === 'hello\n');
  await following.end();
});

test('after a truncation reading begins at the start', async () => {
  writeFileSync(path, 'a long first line\n');
  const following = follow();
  await following.until((text) => text.endsWith('first line\n'));
  truncateSync(path, 0);
  appendFileSync(path, 'new\n');
  await following.until((text) => text.endsWith('line\nnew\n'));
  await following.end();
});

test('a truncation before it began to follow is seen by where it was to go on', async () => {
  writeFileSync(path, 'short\n');
  const following = follow(100);
  await following.until((text) => text === 'short\n');
  await following.end();
});

test('a log that is deleted or moved away and made anew is followed, the old one read to its end', async () => {
  writeFileSync(path, 'one\n');
  const following = follow();
  await following.until((text) => text === 'one\n');
  renameSync(path, join(root, 'log.1'));
  appendFileSync(join(root, 'log.1'), 'late\n');
  writeFileSync(path, 'two\n');
  await following.until((text) => text === 'one\nlate\ntwo\n');
  rmSync(path);
  writeFileSync(path, 'three\n');
  await following.until((text) => text.endsWith('two\nthree\n'));
  await following.end();
});

test('when it is told to drain, all that is there when it ends is written', async () => {
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, 'x\n');
    const following = follow(0, { drain: true });
    appendFileSync(path, 'last\n');
    await following.end();
    assert.equal(following.text(), 'x\nlast\n');
  }
});

test('a writer at full speed loses no byte, and nobody watches its file meanwhile', async () => {
  const lines = 400_000;
  const script = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo $i; done`;
  writeFileSync(path, '');
  const following = follow();
  const child = spawn('/bin/sh', ['-c', `{ ${script}; } >>"$0"`, path], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  await following.until((text) => text.endsWith(`\n${lines}\n`));
  await exited;
  const numbers = following.text().split('\n').slice(0, -1).map(Number);
  assert.equal(numbers.length, lines);
  assert.ok(numbers.every((number, at) => number === at + 1));
  await following.end();
});

test('several logs are followed side by side, one chunk at a time, at the speed of who takes them', async () => {
  const controller = new AbortController();
  const paths = Array.from({ length: 30 }, (_, at) => join(root, `side-${at}`));
  let taking = 0;
  let length = 0;
  const files = paths.map((one) => ({
    place: unkept(one),
    from: 0,
    async write(chunk: Uint8Array) {
      assert.equal(++taking, 1);
      await new Promise((resolve) => setImmediate(resolve));
      taking--;
      length += chunk.length;
      if (length === paths.length * 100_000) controller.abort();
    },
  }));
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const done = followLogs(files, { signal: controller.signal });
  for (const one of paths) appendFileSync(one, Buffer.alloc(100_000, 'y'));
  await done;
  process.off('warning', onWarning);
  assert.equal(length, paths.length * 100_000);
  assert.deepEqual(warnings, []);
});

test('an end leaves no file open and no watch, and a failing writer ends all', async () => {
  const open = () => readdirSync('/proc/self/fd').length;
  writeFileSync(path, 'x\n');
  // The process's one inotify instance stays.
  watch(root).close();
  await follow().end();
  const before = open();
  const watches = inotifyFds();
  for (let round = 0; round < 5; round++) {
    const following = follow();
    await following.until((text) => text === 'x\n');
    await following.end();
  }
  const controller = new AbortController();
  const fail = { place: unkept(path), from: 0, write: () => Promise.reject(new Error('EPIPE')) };
  const quiet = { place: unkept(join(root, 'nosuch')), from: 0, write: () => {} };
  await assert.rejects(followLogs([quiet, fail], { signal: controller.signal }), /EPIPE/);
  assert.equal(open(), before);
  assert.equal(inotifyFds(), watches);
  await followLogs([quiet], { signal: AbortSignal.abort() });
});

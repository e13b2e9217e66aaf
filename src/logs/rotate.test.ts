/**
 * Rotation of a file that a program writes to meanwhile, the rotating process killed with SIGKILL after each of its steps: it is run again, as a new daemon would, and
 * in the end every line is there once, in order.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { LogPlace } from './layout.ts';
import { Log } from './log.ts';
import { type LogRecord, readRecord } from './record.ts';
import { archive, compress, cut, drop, flush, recover, release } from './rotate.ts';

const steps = [
  'copied',
  'renamed',
  'archived',
  'punched',
  'synced',
  'cutting',
  'cut',
  'compressed',
  'gz renamed',
  'gz on record',
];

/** The process that rotates: dies when the step is done that it is told, once. */
async function rotateAndDie(place: LogPlace, at: string): Promise<void> {
  const step = (name: string) => {
    if (name !== at) return;
    process.kill(process.pid, 'SIGKILL');
    // The signal comes before anything else happens.
    for (;;);
  };
  await rotateOnce(place, step);
}

async function rotateOnce(place: LogPlace, step?: (name: string) => void): Promise<LogRecord> {
  let { record } = await recover(place);
  record = await archive(place, record, { step });
  record = await cut(place, record, step);
  for (const each of record.archives) record = await compress(place, each, () => record, step);
  return record;
}

const child = process.env.STEAD_TEST_ROTATE;
if (child !== undefined) {
  const { place, at } = JSON.parse(child);
  await rotateAndDie(place, at);
  process.exit(0);
}

const roots = [tmpdir(), '/dev/shm'].map((parent) => mkdtempSync(join(parent, 'stead-rotate-')));
after(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

function placeIn(root: string, name: string): LogPlace {
  return {
    file: join(root, `${name}.log`),
    record: join(root, '.state', `${name}.json`),
    times: join(root, '.state', `${name}.times`),
  };
}

async function readAll(place: LogPlace): Promise<Buffer> {
  const log = await Log.open(place);
  try {
    const parts: Buffer[] = [];
    for await (const { bytes } of log.chunks(0, log.end)) parts.push(bytes);
    return Buffer.concat(parts);
  } finally {
    await log.close();
  }
}

/** What `cat` shows: archives by their numbers, then the file without the hole at its head. */
function readFiles(place: LogPlace): Buffer {
  const prefix = `${basename(place.file)}.`;
  const archives = readdirSync(dirname(place.file))
    .filter((name) => name.startsWith(prefix))
    .sort(
      (a, b) =>
        Number(/\.(\d+)/.exec(a.slice(prefix.length - 1))![1]) - Number(/\.(\d+)/.exec(b.slice(prefix.length - 1))![1]),
    )
    .map((name) => readFileSync(join(dirname(place.file), name)))
    .map((bytes) => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes));
  const file = readFileSync(place.file);
  return Buffer.concat([...archives, file.subarray(readRecord(place.record, place.file).head)]);
}

for (const root of roots) {
  const isCut = root.startsWith(tmpdir());
  for (const at of steps.filter((step) => isCut || !['synced', 'cutting', 'cut'].includes(step))) {
    test(`killed when it has ${at}, ${isCut ? 'on disk' : 'in memory (tmpfs)'}: nothing is lost or doubled`, async () => {
      const place = placeIn(root, at.replaceAll(' ', '-'));
      const lines = 60_000;
      // Lines that are alike are the hard case: none tells where it stood.
      const script = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); [ $((i % 3)) = 0 ] && echo same || echo "line $i"; done >>"$0"`;
      const writer = spawn('/bin/sh', ['-c', script, place.file], { stdio: 'ignore' });
      const exited = once(writer, 'exit');
      while (!existsSync(place.file) || statSync(place.file).size < 50_000) await new Promise((r) => setTimeout(r, 5));
      for (let round = 0; round < 3; round++) {
        const { signal, stderr } = spawnSync(process.execPath, [process.argv[1]!], {
          env: { ...process.env, STEAD_TEST_ROTATE: JSON.stringify({ place, at }) },
          encoding: 'utf8',
        });
        // Later rounds may find nothing to do any more.
        if (isCut && round === 0) assert.equal(signal, 'SIGKILL', stderr);
      }
      await exited;
      if (isCut) await rotateOnce(place);
      else await recover(place);
      const expected = Buffer.from(
        Array.from({ length: lines }, (_, i) => ((i + 1) % 3 === 0 ? 'same\n' : `line ${i + 1}\n`)).join(''),
      );
      assert.ok((await readAll(place)).equals(expected), 'as a reader sees it');
      assert.ok(readFiles(place).equals(expected), 'as cat sees it');
    });
  }
}

test('the oldest archives go, and a flush takes all: what comes afterwards is read, behind the gap', async () => {
  const place = placeIn(roots[0]!, 'drop');
  let record = (await recover(place)).record;
  for (let round = 0; round < 3; round++) {
    writeFileSync(place.file, 'x'.repeat(9999) + '\n', { flag: 'a' });
    record = await cut(place, await archive(place, record));
  }
  assert.equal(record.archives.length, 3);
  const start = record.archives[1]!.from;
  record = await drop(place, record, 1);
  assert.equal((await readAll(place)).length, 30_000 - start);
  record = await flush(place, record);
  assert.equal((await readAll(place)).length, 0);
  writeFileSync(place.file, 'more\n', { flag: 'a' });
  assert.equal(String(await readAll(place)), 'more\n');
  assert.deepEqual(
    readdirSync(roots[0]!).filter((name) => name.startsWith('drop')),
    ['drop.log'],
  );
});

test('what somebody still has to read stays in the file when it is archived, until it may go', async () => {
  const place = placeIn(roots[0]!, 'kept');
  const text = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join('');
  writeFileSync(place.file, text);
  const unread = () => readFileSync(place.file, 'latin1').slice(20_000);
  let { record } = await recover(place);
  record = await archive(place, record, { keptFrom: 20_000 });
  assert.ok(record.head > 20_000);
  assert.equal(unread(), text.slice(20_000));
  assert.equal(readFileSync(place.file)[0], 0);
  await recover(place, { keptFrom: 20_000 });
  assert.equal(unread(), text.slice(20_000));
  assert.equal(String(await readAll(place)), text);
  await release(place, record, Number.POSITIVE_INFINITY);
  assert.equal(readFileSync(place.file)[record.head - 1], 0);
  assert.equal(String(await readAll(place)), text);
});

test('a record that is lost is made anew from the files; what only looks like an archive is left alone', async () => {
  const place = placeIn(roots[0]!, 'rebuild');
  const text = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join('');
  writeFileSync(place.file, text);
  await rotateOnce(place);
  writeFileSync(place.file, 'after\n', { flag: 'a' });
  writeFileSync(place.record, '{"format":1');
  const { isNew } = await recover(place);
  assert.ok(isNew);
  assert.equal(String(await readAll(place)), `${text}after\n`);
  const stranger = `${place.file}.2`;
  writeFileSync(stranger, 'of logrotate\n');
  await recover(place);
  assert.equal(readFileSync(stranger, 'utf8'), 'of logrotate\n');
});

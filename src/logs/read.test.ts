import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { unkept } from './layout.ts';
import { lines, longestLine } from './lines.ts';
import { Log } from './log.ts';
import { startOfLast, startOfLine } from './read.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-read-'));
after(() => rmSync(root, { recursive: true }));
const path = join(root, 'log');

async function withLog<T>(use: (log: Log) => Promise<T>): Promise<T> {
  const log = await Log.open(unkept(path));
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

/** The lines, said simply. */
function linesOf(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end + 1;
    found.push(bytes.subarray(from, to));
    from = to;
  }
  return found;
}

const byte = fc.oneof(fc.constantFrom(10, 13, 0, 0xff, 0xc3), fc.integer({ min: 0, max: 255 }));
const block = 64 * 1024;
const filler = fc.constantFrom(0, 0, 0, block - 2, block - 1, block, block + 1, 2 * block);
const content = fc
  .tuple(fc.array(byte, { maxLength: 60 }), filler, fc.array(byte, { maxLength: 60 }))
  .map(([head, size, tail]) => Buffer.concat([Buffer.from(head), Buffer.alloc(size, 'x'), Buffer.from(tail)]));

test('lines, where the last ones begin and where the next one does are exact for any bytes', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.nat(40), fc.nat(200_000), async (bytes, count, at) => {
      writeFileSync(path, bytes);
      const all = linesOf(bytes);
      await withLog(async (log) => {
        const read: Buffer[] = [];
        for await (const batch of lines(log, 0, log.end)) read.push(...batch.map((line) => Buffer.from(line.bytes)));
        assert.deepEqual(read, all);
        const last = count === 0 ? [] : all.slice(-count);
        assert.equal(await startOfLast(log, count), bytes.length - Buffer.concat(last).length);
        assert.equal(await startOfLast(log, 'all'), 0);
        const offset = at % (bytes.length + 1);
        const next = offset === 0 ? 0 : bytes.indexOf(10, offset - 1) + 1;
        assert.equal(await startOfLine(log, offset), next === 0 && offset > 0 ? bytes.length : next);
      });
    }),
    { numRuns: 300 },
  );
});

test('a log that is not there has no lines', async () => {
  rmSync(path, { force: true });
  await withLog(async (log) => {
    assert.deepEqual([log.start, log.end, await startOfLast(log, 10)], [0, 0, 0]);
    for await (const _ of lines(log, 0, log.end)) assert.fail();
  });
});

test('a line of 100 MB comes in parts, with a few blocks of memory', async () => {
  const fd = openSync(path, 'w');
  const line = 100 * 1024 * 1024;
  writeSync(fd, 'first\n');
  ftruncateSync(fd, 6 + line);
  writeSync(fd, '\nlast\n', 6 + line);
  closeSync(fd);
  let [length, longest, peak] = [0, 0, 0];
  const before = process.memoryUsage().rss;
  await withLog(async (log) => {
    const from = await startOfLast(log, 2);
    assert.equal(from, 6);
    for await (const batch of lines(log, from, log.end)) {
      for (const { bytes } of batch) {
        length += bytes.length;
        longest = Math.max(longest, bytes.length);
      }
      peak = Math.max(peak, process.memoryUsage().rss);
    }
  });
  assert.equal(length, line + 6);
  assert.ok(longest <= longestLine + 256 * 1024);
  assert.ok(peak - before < 64 * 1024 * 1024, `${peak - before} bytes more`);
  rmSync(path);
});

import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { lastLines } from './read.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-read-'));
after(() => rmSync(root, { recursive: true }));
const path = join(root, 'log');

async function read(count: number | 'all'): Promise<{ bytes: Buffer; to: number; endsLine: boolean }> {
  const chunks: Uint8Array[] = [];
  const { to, endsLine } = await lastLines(path, count, (chunk) => void chunks.push(chunk));
  return { bytes: Buffer.concat(chunks), to, endsLine };
}

/** What the last lines are, said simply. */
function model(bytes: Buffer, count: number): Buffer {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(from, to));
    from = to;
  }
  return Buffer.concat(count <= 0 ? [] : lines.slice(-count));
}

test('the last lines are exact for any bytes, lengths and counts', async () => {
  const byte = fc.oneof(fc.constantFrom(10, 13, 0, 0xff, 0xc3), fc.integer({ min: 0, max: 255 }));
  const block = 64 * 1024;
  const filler = fc.constantFrom(0, 0, 0, block - 2, block - 1, block, block + 1, 2 * block);
  await fc.assert(
    fc.asyncProperty(
      fc.array(byte, { maxLength: 60 }),
      filler,
      fc.array(byte, { maxLength: 60 }),
      fc.nat(40),
      async (head, size, tail, count) => {
        const bytes = Buffer.concat([Buffer.from(head), Buffer.alloc(size, 'x'), Buffer.from(tail)]);
        writeFileSync(path, bytes);
        const result = await read(count);
        assert.deepEqual(result.bytes, model(bytes, count));
        assert.equal(result.to, bytes.length);
        assert.equal(result.endsLine, result.bytes.length === 0 || result.bytes.at(-1) === 10);
        assert.deepEqual((await read('all')).bytes, bytes);
      },
    ),
    { numRuns: 300 },
  );
});

test('a log that is not there has no lines', async () => {
  rmSync(path, { force: true });
  assert.deepEqual(await read(10), { bytes: Buffer.alloc(0), to: 0, endsLine: true });
});

test('a line of 100 MB passes with a few blocks of memory and waits for who takes it', async () => {
  const fd = openSync(path, 'w');
  const line = 100 * 1024 * 1024;
  writeSync(fd, 'first\n');
  ftruncateSync(fd, 6 + line);
  writeSync(fd, '\nlast\n', 6 + line);
  closeSync(fd);
  let length = 0;
  let taking = 0;
  let peak = 0;
  const before = process.memoryUsage().rss;
  await lastLines(path, 2, async (chunk) => {
    assert.equal(++taking, 1, 'a chunk came before the last one was taken');
    length += chunk.length;
    peak = Math.max(peak, process.memoryUsage().rss);
    await new Promise((resolve) => setImmediate(resolve));
    taking--;
  });
  assert.equal(length, line + 6);
  assert.ok(peak - before < 48 * 1024 * 1024, `${peak - before} bytes more`);
  rmSync(path);
});

test('a log that is truncated while it is read ends early', async () => {
  writeFileSync(path, Buffer.alloc(300_000, 'x'));
  let length = 0;
  const { to } = await lastLines(path, 'all', (chunk) => {
    length += chunk.length;
    writeFileSync(path, '');
  });
  assert.equal(to, length);
  assert.ok(length < 300_000);
});

test('what the writer throws ends the reading', async () => {
  writeFileSync(path, 'a\n');
  const fail = () => Promise.reject(new Error('EPIPE'));
  await assert.rejects(lastLines(path, 1, fail), /EPIPE/);
  await assert.rejects(
    lastLines(root, 1, () => {}),
    { code: 'EISDIR' },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type GrepOptions, LineGrep } from './grep.ts';

interface Put {
  readonly text: string;
  readonly offset: number;
  readonly kind: string;
  readonly gap: boolean;
}

/** The bytes are pushed in chunks that end at the cuts. */
function grep(bytes: Buffer, options: GrepOptions, cuts: readonly number[] = []): Put[] {
  const put: Put[] = [];
  const search = new LineGrep(options, (line, hit) => put.push({ text: Buffer.from(line).toString('latin1'), ...hit }));
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    search.push(bytes.subarray(from, end), from);
    from = end;
  }
  search.end();
  return put;
}

/** The same, said simply: each line by itself. */
function model(bytes: Buffer, { pattern, ignoreCase, invert = false, context = 0 }: GrepOptions): Put[] {
  const regex = new RegExp(pattern, `s${ignoreCase ? 'i' : ''}`);
  const lines: { text: string; offset: number; isMatch: boolean }[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const end = bytes.indexOf(10, offset);
    const to = end < 0 ? bytes.length : end + 1;
    const line = bytes.subarray(offset, end < 0 ? to : end);
    lines.push({ text: bytes.toString('latin1', offset, to), offset, isMatch: regex.test(line.toString()) !== invert });
    offset = to;
  }
  const isNear = (at: number) => lines.some(({ isMatch }, other) => isMatch && Math.abs(other - at) <= context);
  let last = -1;
  return lines.flatMap(({ isMatch, text, offset }, at) => {
    if (!isNear(at)) return [];
    const gap = context > 0 && last >= 0 && last !== at - 1;
    last = at;
    return [{ text, offset, kind: isMatch ? 'match' : 'context', gap }];
  });
}

const texts = [
  '\n',
  '\n',
  'a',
  'b',
  'ab',
  'error',
  'ERROR 12ms',
  '\r',
  ' ',
  'é',
  '\0',
  '\u2028',
  '💥',
  'timeout 5ms',
  'x',
];
const content = fc
  .array(
    fc.oneof(
      fc.constantFrom(...texts).map((text) => Buffer.from(text)),
      fc.constantFrom(0xff, 0xc3).map((byte) => Buffer.from([byte])),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.concat(parts));
const patterns = [
  'a',
  'ab',
  'error',
  'é',
  'É',
  '^a',
  'b$',
  '^$',
  'a.b',
  '^.$',
  'a\\sb',
  '[^a]',
  'a[^b]*b',
  'timeout \\d+ms',
  'a|error',
  '.*',
  '',
  'x+',
  'b(?!a)',
  '(?<=a)b',
  '(a)\\1',
  '\\W$',
  '\\bab\\b',
  '[.]',
  '\\.',
  '^\\s*$',
  'a{2,}',
];

test('whatever the bytes, the pattern and where the chunks end: the lines that match, as each by itself would', () => {
  fc.assert(
    fc.property(
      content,
      fc.constantFrom(...patterns),
      fc.record({ ignoreCase: fc.boolean(), invert: fc.boolean(), context: fc.constantFrom(0, 0, 1, 3) }),
      fc.array(fc.nat(500), { maxLength: 5 }),
      (bytes, pattern, options, cuts) => {
        assert.deepEqual(grep(bytes, { pattern, ...options }, cuts), model(bytes, { pattern, ...options }));
      },
    ),
    { numRuns: 3000 },
  );
});

test('what is no pattern is refused', () => {
  assert.throws(() => grep(Buffer.alloc(0), { pattern: '(' }), { code: 'OPTION_INVALID' });
});

test('a line of 100 MB is searched in parts, with little memory', () => {
  const chunk = Buffer.alloc(1024 * 1024, 'y');
  let matches = 0;
  const search = new LineGrep({ pattern: 'needle' }, () => matches++);
  const before = process.memoryUsage().rss;
  for (let at = 0; at < 100; at++) search.push(chunk, at * chunk.length);
  search.push(Buffer.from(' needle\n'), 100 * chunk.length);
  search.end();
  assert.equal(matches, 1);
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});

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

function regexOf(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, /[^\0-\x7f]|\\[pPu]/.test(pattern) ? `${flags}u` : flags);
  } catch {
    return new RegExp(pattern, flags);
  }
}

/** The same, said simply: each line by itself. */
function model(bytes: Buffer, { pattern, ignoreCase, invert = false, context = 0 }: GrepOptions): Put[] {
  const regex = regexOf(pattern, `s${ignoreCase ? 'i' : ''}`);
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
  'ſ',
  'K',
  '\ufffd',
  '\u00a0',
  's',
  'k',
];
const content = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...texts).map((text) => Buffer.from(text)) },
      { weight: 1, arbitrary: fc.constantFrom(0xff, 0xc3, 0xf0, 0x9f, 0xa0).map((byte) => Buffer.from([byte])) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)) },
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
  '[💥🔥]',
  '^💥$',
  'é\\-?',
  '\\p{Lu}',
  '\ufffd',
  'a\\nb',
  '\\cM',
  '\\x61b',
  '(?<first>a)\\k<first>',
  'a{,2}',
  '(a.)*b',
  '[^-a]',
  '[^a-]',
  '[^\\t-\\s]',
  '[\\t-\\s]b',
  '(a.|é){2}',
  '.......x',
  '.{8}',
  '(a+b?)+x',
  ']',
  '}',
];
/** Patterns of any kind, some of which are none. */
const atoms = [
  ...['a', 'b', 'ab', 'x', 's', 'K', 'é', 'É', '💥', '\ufffd', '.', '\\.', '\\s', '\\S', '\\w', '\\W', '\\d', '\\D'],
  ...[
    '\\b',
    '\\B',
    '^',
    '$',
    '[ab]',
    '[^a]',
    '[^\\s]',
    '[\\s-x]',
    '[^-a]',
    '[\\Wa]',
    '[é-ü]',
    '[^é]',
    '[]',
    '[^]',
    '[\\]]',
  ],
  ...[
    '\\x61',
    '\\u00e9',
    '\\u{1F4A5}',
    '\\p{L}',
    '\\1',
    '\\0',
    '\\n',
    '\\r',
    '\\cM',
    '\\c',
    '\\e',
    '\\-',
    '{',
    '}',
    ']',
    '/',
    '-',
  ],
];
const { anyPattern } = fc.letrec<{ anyPattern: string; part: string }>((tie) => ({
  anyPattern: fc
    .array(fc.tuple(tie('part'), fc.constantFrom('', '', '', '*', '+', '?', '+?', '{2}', '{0,2}', '{1,}')), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.map(([part, times]) => part + times).join('')),
  part: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...atoms),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?<n>', '(?=', '(?!', '(?<=', '(?<!'), tie('anyPattern'), tie('anyPattern'))
      .map(([open, one, other]) => `${open}${one}|${other})`),
    tie('anyPattern').map((inside) => `(${inside})`),
  ),
}));
/** More repetitions than that may take for ever. */
const isPattern = (pattern: string): boolean => {
  if (/\)[*+{]/.test(pattern) || pattern.length > 40 || (pattern.match(/[*+]|,\}/g) ?? []).length > 3) return false;
  try {
    return regexOf(pattern, '') !== null;
  } catch {
    return false;
  }
};

test('whatever the bytes, the pattern and where the chunks end: the lines that match, as each by itself would', () => {
  fc.assert(
    fc.property(
      content,
      fc.oneof(fc.constantFrom(...patterns), anyPattern.filter(isPattern)),
      fc.record({ ignoreCase: fc.boolean(), invert: fc.boolean(), context: fc.constantFrom(0, 0, 1, 3) }),
      fc.array(fc.nat(500), { maxLength: 5 }),
      (bytes, pattern, options, cuts) => {
        assert.deepEqual(grep(bytes, { pattern, ...options }, cuts), model(bytes, { pattern, ...options }));
      },
    ),
    { numRuns: 3000 },
  );
});

test('a part of a block with many lines that hold the literal, and few that match', () => {
  const lines = Array.from({ length: 6000 }, (_, at) => `${at} literal ${at % 1000 === 999 ? '7é' : 'x'}\n`);
  const bytes = Buffer.from(lines.join(''));
  for (const options of [{}, { context: 2 }, { invert: true }, { invert: true, context: 1 }])
    assert.deepEqual(
      grep(bytes, { pattern: 'literal \\d', ...options }, [1000, 70_000]),
      model(bytes, { pattern: 'literal \\d', ...options }),
    );
});

test('what is no pattern is refused', () => {
  assert.throws(() => grep(Buffer.alloc(0), { pattern: '(' }), { code: 'OPTION_INVALID' });
  assert.throws(() => grep(Buffer.alloc(0), { pattern: '*' }), { code: 'OPTION_INVALID' });
});

test('a line over 1 MB comes in parts of 1 MB, wherever the chunks end; one of 1 MB is whole', () => {
  const most = 1024 * 1024;
  const bytes = Buffer.from(`first\n${'y'.repeat(most)}\n${'z'.repeat(2 * most + 5)}\nlast\n`);
  const parts = [
    { offset: 0, length: 6 },
    { offset: 6, length: most + 1 },
    { offset: most + 7, length: most },
    { offset: 2 * most + 7, length: most },
    { offset: 3 * most + 7, length: 6 },
    { offset: 3 * most + 13, length: 5 },
  ];
  for (const cuts of [[], [3], [6, most, most + 6, most + 7], [most + 8, 2 * most + 7, 3 * most + 12]])
    for (const pattern of ['', 'y|z|t', '\\w'])
      assert.deepEqual(
        grep(bytes, { pattern }, cuts).map(({ offset, text }) => ({ offset, length: text.length })),
        parts,
      );
});

test('a line that comes byte by byte is found, and what follows a gap is none of it', () => {
  const found: string[] = [];
  const search = new LineGrep({ pattern: 'needle' }, (line, { offset }) => found.push(`${offset} ${line.toString()}`));
  for (const [at, char] of [...'a needle\nnee'].entries()) search.push(Buffer.from(char), at);
  search.push(Buffer.from('dle\nneedle'), 1000);
  search.end();
  assert.deepEqual(found, ['0 a needle\n', '1004 needle']);
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

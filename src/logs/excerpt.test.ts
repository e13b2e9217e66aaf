import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { excerptFrom, linesFrom } from './excerpt.ts';
import { type LogPlace, unkept } from './layout.ts';

const folder = mkdtempSync(join(tmpdir(), 'stead-excerpt-'));
after(() => rmSync(folder, { recursive: true }));

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}`);

function log(text: string): LogPlace {
  const file = join(folder, 'log');
  writeFileSync(file, text);
  return unkept(file);
}

test('an excerpt is all of a few lines, and the first and the last of many', () => {
  assert.deepEqual(excerptFrom(log('a\n\nb'), 0), ['a', '', 'b']);
  assert.deepEqual(excerptFrom(log(`${numbers(1, 16).join('\n')}\n`), 0), numbers(1, 16));
  const many = log(`${numbers(1, 20_000).join('\n')}\n`);
  assert.deepEqual(excerptFrom(many, 0), [...numbers(1, 6), '…', ...numbers(19_991, 20_000)]);
});

test('an excerpt begins at its offset, or anew where the log was cut since', () => {
  assert.deepEqual(excerptFrom(log('old\nnew\n'), 4), ['new']);
  assert.deepEqual(excerptFrom(log('new\n'), 400), ['new']);
  assert.deepEqual(excerptFrom(unkept(join(folder, 'none')), 0), []);
  assert.deepEqual(linesFrom(log('a\nb\nc\n'), 0, 2), ['b', 'c']);
});

test('a line of any length is cut', () => {
  const cut = `${'x'.repeat(400)}…`;
  assert.deepEqual(excerptFrom(log('x'.repeat(5000)), 0), [cut]);
  const bundle = log(`app.js:1\n${'x'.repeat(100_000)}\n\nSyntaxError: no\n`);
  assert.deepEqual(excerptFrom(bundle, 0), ['app.js:1', cut, '…', cut, '', 'SyntaxError: no']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linePrefixer } from './line-prefixer.ts';

function through(...chunks: readonly string[]): string {
  const out: Uint8Array[] = [];
  const prefixer = linePrefixer('web | ', (line) => out.push(line));
  for (const chunk of chunks) prefixer.push(Buffer.from(chunk, 'latin1'));
  prefixer.end();
  return Buffer.concat(out).toString('latin1');
}

test('each line gets the prefix once, however it is cut', () => {
  assert.equal(through('a\nb\n', '\nc'), 'web | a\nweb | b\nweb | \nweb | c\n');
  assert.equal(through('a', 'b', '\n', 'c\n'), 'web | ab\nweb | c\n');
  assert.equal(through('\xff\x00\r\n'), 'web | \xff\x00\r\n');
  assert.equal(through(), '');
});

test('a line without an end is printed in parts instead of being kept', () => {
  const lines = through('x'.repeat(70_000), 'x'.repeat(70_000)).split('\n');
  assert.equal(lines.length, 3);
  assert.equal(lines.join('').replaceAll('web | ', '').length, 140_000);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { safeText } from './safe-text.ts';

const through = (...chunks: (string | Uint8Array)[]) => {
  const safe = safeText();
  const parts = chunks.map((chunk) => safe.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  return parts.join('') + safe.end();
};

test('plain text, tabs and line ends pass', () => {
  assert.equal(through('a\tb\r\nc\n', 'ä€😀\n'), 'a\tb\nc\nä€😀\n');
});

test('colours pass and are ended', () => {
  assert.equal(through('\x1b[31mred\x1b[0m\n'), '\x1b[31mred\x1b[0m\n\x1b[0m');
});

test('what could write to the clipboard, the title or the screen is shown instead', () => {
  assert.equal(through('\x1b]52;c;Zm9v\x07'), '\\x1b]52;c;Zm9v\\x07');
  assert.equal(through('\x1b[2J'), '\\x1b[2J');
  assert.equal(through(Buffer.from([0x9b, 0x32, 0x4a])), '\\x9b2J');
  assert.equal(through('\u009b2J'), '\\x9b2J');
  assert.equal(through('\x1bPq\x1b\\'), '\\x1bPq\\x1b\\');
  assert.equal(through('50%\r60%\n'), '50%\\x0d60%\n');
});

test('a character or a sequence cut between two chunks is the same as a whole one', () => {
  const bytes = Buffer.from('a\x1b[1;31m€😀\x1b[0m\x1b[2J\r\nz');
  const whole = through(bytes);
  for (let at = 0; at <= bytes.length; at++)
    assert.equal(through(bytes.subarray(0, at), bytes.subarray(at)), whole, `cut at ${at}`);
});

test('bytes that are no UTF-8 are shown by their number', () => {
  assert.equal(through(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82])), 'a\\xff\\xc3(\\xe2\\x82');
});

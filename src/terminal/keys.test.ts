/** Names of keys → bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeKey, encodeKeys, KeyUnknown } from './keys.ts';

/** By xterm's ctlseqs; those without an extension as a terminal of tmux gets them, too. */
const table: Readonly<Record<string, string>> = {
  'C-c': '\x03',
  'c-c': 'c-c',
  '^C': '\x03',
  '^[': '\x1b',
  '^': '^',
  'C-Space': '\x00',
  'C-@': '\x00',
  'C-[': '\x1b',
  'C-\\': '\x1c',
  'C-]': '\x1d',
  'C-_': '\x1f',
  'C-/': '\x1f',
  'C-?': '\x7f',
  'C-2': '\x00',
  'C-8': '\x7f',
  'C-1': '1',
  'C--': '\x1f',
  '-': '-',
  'C-': 'C-',
  'M-x': '\x1bx',
  'M-ä': '\x1bä',
  'C-M-a': '\x1b\x01',
  'M-C-a': '\x1b\x01',
  'S-a': 'A',
  Enter: '\r',
  enter: '\r',
  'M-Enter': '\x1b\r',
  Tab: '\t',
  BTab: '\x1b[Z',
  'S-Tab': '\x1b[Z',
  Space: ' ',
  BSpace: '\x7f',
  'C-BSpace': '\b',
  'M-BSpace': '\x1b\x7f',
  Escape: '\x1b',
  Up: '\x1b[A',
  'C-Left': '\x1b[1;5D',
  'S-Right': '\x1b[1;2C',
  'C-M-S-Down': '\x1b[1;8B',
  Home: '\x1b[H',
  End: '\x1b[F',
  IC: '\x1b[2~',
  DC: '\x1b[3~',
  PgUp: '\x1b[5~',
  PPage: '\x1b[5~',
  NPage: '\x1b[6~',
  'C-PageDown': '\x1b[6;5~',
  F1: '\x1bOP',
  'S-F1': '\x1b[1;2P',
  F5: '\x1b[15~',
  F10: '\x1b[21~',
  F11: '\x1b[23~',
  F12: '\x1b[24~',
  'C-F12': '\x1b[24;5~',
  'KP*': '*',
  KP7: '7',
  KPEnter: '\r',
  word: 'word',
  日本: '日本',
};

test('keys have the bytes that xterm sends', () => {
  for (const [name, bytes] of Object.entries(table))
    assert.equal(encodeKey(name).toString('utf8'), bytes, `the bytes of ${name}`);
});

test('in application mode arrows, Home and End come as SS3, unless modified', () => {
  const options = { applicationCursor: true };
  assert.equal(String(encodeKeys('Up Home End C-Up F5', options)), '\x1bOA\x1bOH\x1bOF\x1b[1;5A\x1b[15~');
});

test('a row of keys and words is typed as one', () => {
  assert.equal(String(encodeKeys('  ls Space -l Enter\tC-d ')), 'ls -l\r\x04');
  assert.equal(encodeKeys('').length, 0);
});

test('a modified name that is no key is refused', () => {
  for (const name of ['C-Entr', 'M-F99', 'C-S-nope']) assert.throws(() => encodeKey(name), KeyUnknown);
});

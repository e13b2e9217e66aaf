/** Whatever a program prints, and wherever in it somebody joins: both see the same, then and from then on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BareTerminal, type Size, stateOf } from '../../../test/support/terminal-state.ts';
import { Screen } from './screen.ts';

const size: Size = { cols: 9, rows: 4 };
const seed = Number(process.env.STEAD_TEST_SEED ?? 20) || 20;
const numRuns = Number(process.env.STEAD_TEST_RUNS ?? 300) || 300;

const number = fc.oneof(fc.constant(''), fc.integer({ min: 0, max: 11 }).map(String));
const csi = (finals: string, prefix = '') =>
  fc
    .tuple(fc.constantFrom(...finals), fc.array(number, { maxLength: 2 }))
    .map(([final, numbers]) => `\x1b[${prefix}${numbers.join(';')}${final}`);
const oneOf = (...texts: string[]) => fc.constantFrom(...texts);

const text = fc.oneof(
  fc.stringMatching(/^[a-z`{#]{1,12}$/),
  oneOf('日', '本語', 'e\u0301', '\u0302', '👩', '\u200d', '—', 'ﬀ', ' ', '½'),
);
const piece = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 4, arbitrary: oneOf('\r\n', '\n', '\r', '\b', '\t', '\x0e', '\x0f', '\x0b', '\x07') },
  { weight: 4, arbitrary: csi('ABCDEFGHIZ`adef') },
  { weight: 3, arbitrary: csi('JKXPLM@STb') },
  { weight: 1, arbitrary: csi('JK', '?') },
  {
    weight: 2,
    arbitrary: oneOf('\x1bM', '\x1bD', '\x1bE', '\x1bH', '\x1b[g', '\x1b[3g', '\x1b7', '\x1b8', '\x1b[s', '\x1b[u'),
  },
  { weight: 2, arbitrary: csi('r') },
  {
    weight: 4,
    arbitrary: oneOf(
      ...['', '1', '4', '7', '22', '31', '44', '49', '0;45', '38;5;9', '48;2;1;2;3', '4:3', '24', '58:5:3', '53'].map(
        (sgr) => `\x1b[${sgr}m`,
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: oneOf(
      ...['6', '7', '45', '47', '1047', '1049', '1048', '25', '1', '2004', '1006', '2026'].flatMap((mode) => [
        `\x1b[?${mode}h`,
        `\x1b[?${mode}l`,
      ]),
      ...['4', '20'].flatMap((mode) => [`\x1b[${mode}h`, `\x1b[${mode}l`]),
    ),
  },
  { weight: 1, arbitrary: oneOf('\x1b(0', '\x1b(B', '\x1b)0', '\x1b)B', '\x1b*A', '\x1bn', '\x1b[1"q', '\x1b[0"q') },
  {
    weight: 1,
    arbitrary: oneOf('\x1b]8;;http://a\x07', '\x1b]8;;\x07', '\x1b]0;title\x07', '\x1b[!p', '\x1b#8', '\x1bc'),
  },
  { weight: 1, arbitrary: oneOf('\x1b', '\x1b[', '\x1b[1', '\x1b]0;x', '\x1bP$q', '\x18', '\x9b1m', '\x1b_x\x1b\\') },
);
const output = fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join('')));

const place = fc.double({ min: 0, max: 1, noNaN: true });
const resized = fc.option(fc.record({ cols: fc.integer({ min: 2, max: 14 }), rows: fc.integer({ min: 2, max: 7 }) }));

test('who joins sees the same, then and from then on', () =>
  fc.assert(
    fc.asyncProperty(output, place, resized, fc.integer({ min: 1, max: 9 }), async (bytes, at, other, chunk) => {
      const cut = Math.floor(at * bytes.length);
      const middle = wholeCharacters(bytes, cut >> 1);
      const always = new BareTerminal(size);
      const screen = new Screen({ ...size, scrollback: 100, onAnswer: () => {} });
      await feedInPieces(screen, bytes.subarray(0, middle), chunk);
      always.parse(bytes.subarray(0, middle));
      if (other) screen.resize(other);
      if (other) always.resize(other);
      await feedInPieces(screen, bytes.subarray(middle, cut), chunk);
      const joined = new BareTerminal(screen.size);
      joined.parse(Buffer.concat([screen.snapshot({ scrollback: 100 }), bytes.subarray(cut)]));
      always.parse(bytes.subarray(middle));
      assert.deepEqual(stateOf(joined.core), stateOf(always.core));
      screen.dispose();
    }),
    { seed, numRuns },
  ));

async function feedInPieces(screen: Screen, bytes: Buffer, chunk: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunk) await screen.feed(bytes.subarray(at, at + chunk));
}

/** A place that is not within a character: what the two are compared with loses those. */
function wholeCharacters(bytes: Buffer, at: number): number {
  let place = at;
  while (place > 0 && ((bytes[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}

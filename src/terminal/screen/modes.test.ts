/** Whatever a program has set is there in a terminal that joins, and what it prints next looks the same there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareTerminal, type Size, stateOf } from '../../../test/support/terminal-state.ts';
import { Screen } from './screen.ts';

const size: Size = { cols: 20, rows: 6 };
const some = 'one\r\ntwo \x1b[32mgreen\x1b[m\r\nthree';

/** Title, what the program prints before somebody joins, what it prints afterwards (with something of its own in each). */
const cases: readonly (readonly [string, string, string?])[] = [
  ['text, colours and attributes', `${some}\x1b[1;2;3;4;5;7;8;9;53;38;5;200;48;2;1;2;3mx\x1b[22;24my`],
  ['16, 256 and true colours', '\x1b[31;42ma\x1b[91;102mb\x1b[38;5;3;48;5;250mc\x1b[38;2;1;2;3md\x1b[39;49me'],
  ['underline styles and colours', '\x1b[4ma\x1b[4:2mb\x1b[4:3;58:5:9mc\x1b[4:4;58:2::1:2:3md\x1b[4:5;59me\x1b[21mf'],
  ['attributes that are set when nothing is printed', `${some}\x1b[1;4:3;58:5:9;33;44m`, 'x\r\n\x1b[Ky'],
  ['a line that goes on in the next', 'a long line that goes on and on, and on', 'x\r\n'],
  ['history', Array.from({ length: 30 }, (_, at) => `line ${at}`).join('\r\n'), '\r\nmore'],
  ['history that goes on in the screen', `${'w'.repeat(45)}\r\n1\r\n2\r\n3\r\n4`, '\r\nmore'],
  ['wide characters and combining ones', '日本語 e\u0301 a\u0308\u0323 👩‍👩‍👧 ☺️ x\r\n1234567890123456789日本', 'x'],
  ['a combining character that comes after', 'cafe', '\u0301 \u0302x'],
  ['one that comes after an attribute', 'cafe\x1b[31m', '\u0301x'],
  ['a wide one at the edge', '1234567890123456789', '日x'],
  ['the cursor hidden', `${some}\x1b[?25l`],
  ['the cursor behind the last column', '12345678901234567890', 'wraps'],
  ['the same in colour, with an attribute after', '\x1b[44m12345678901234567890\x1b[0;31m', 'wraps'],
  ['the same with a wide character', '123456789012345678日', 'wraps'],
  ['the same where lines do not wrap', '\x1b[?7l12345678901234567890123', 'x'],
  ['the same in insert mode', '\x1b[4h12345678901234567890', 'x'],
  ['insert mode with text behind the cursor', '\x1b[4habc\x1b[H日', '\u0301x日'],
  ['a background that clearing leaves', '\x1b[44m\x1b[2J\x1b[H\x1b[0mtext', '\r\nmore\x1b[K'],
  ['the same in part of the screen', `${some}\x1b[45m\x1b[2;5H\x1b[K\x1b[3;3H\x1b[4X\x1b[5;1H\x1b[J\x1b[m`, 'x'],
  ['margins', `${some}\x1b[2;4r\x1b[3;1H`, 'a\r\nb\r\nc\r\nd'],
  ['origin mode', `${some}\x1b[2;4r\x1b[?6h\x1b[2;3H`, 'a\x1b[Hb\x1b[99;1Hc\r\nd'],
  ['insert mode', `${some}\x1b[4h\x1b[1;2H`, 'abc'],
  ['no wrapping', `${some}\x1b[?7l\x1b[1;15H`, 'abcdefghij'],
  ['reverse wrapping', '\x1b[?45h12345678901234567890123\b\b', '\b\b\bx'],
  ['new line mode', `${some}\x1b[20h`, 'a\nb'],
  ['tab stops', '\x1b[3g\x1b[5G\x1bH\x1b[11G\x1bH\r', '\ta\tb\tc'],
  ['no tab stops', '\x1b[3g', '\tx'],
  ['a saved cursor', '\x1b[3;7H\x1b[1;31m\x1b7\x1b[H\x1b[m', 'a\x1b8b'],
  ['a saved cursor that scrolled', '\x1b[2;7H\x1b7\x1b[6;1H\n\n', 'a\x1b8b'],
  ['a saved cursor with a character set', '\x1b(0\x1b7\x1b(B\x1b[3;3H', 'q\x1b8q'],
  ['a character set that came from it', '\x1b(0\x1b7\x1b(B\x1b[3;3H\x1b8', 'q\x0eq\x0fq'],
  ['line drawing in G0', '\x1b(0lqqk', 'x\x1b(Bx'],
  ['line drawing in G1, shifted', '\x1b)0\x0elqk', 'x\x0fx\x0ex'],
  ['other sets', '\x1b(A#\x1b*0\x1b+K', '#\x1bnq\x1bo{\x0f#'],
  ['a link', 'a \x1b]8;id=1;http://host/a;b\x1b\\link', ' on\x1b]8;;\x1b\\ off'],
  ['a link that is over', '\x1b]8;;http://host/\x1b\\link\x1b]8;;\x1b\\ text', 'x'],
  ['protected characters', 'abc\x1b[1"qdef\x1b[0"qghi', '\x1b[?2K\x1b[1"qx\x1b[m\x1b[?1K'],
  ['protection that is set', 'abc\x1b[1"q', 'x\x1b[0"qy\x1b[?2K'],
  ['the alternate screen above the other', `${some}\x1b[?1049h\x1b[2;2Hvim\x1b[42m`, '~\x1b[?1049lback'],
  ['the same, entered in other ways', `${some}\x1b[?47h\x1b[2;2Hvim`, '~\x1b[?47lback'],
  ['margins and tabs of both', '\x1b[2;4r\x1b[3g\x1b[?1049h\x1b[3;5r\x1b[5G\x1bH', '\r\tx\x1b[?1049l\r\tx\n\n\n\n\n'],
  [
    'an alternate screen with history below',
    `${'x\r\n'.repeat(20)}\x1b[?1049h1\r\n2\r\n3\r\n4\r\n5\r\n6`,
    '\r\n7\x1b[?1049l8',
  ],
  ['saved cursors of both', 'ab\x1b7\x1b[4;4H\x1b[?1049h\x1b[2;9H\x1b[35m\x1b7\x1b[m\x1b[H', 'x\x1b8y\x1b[?1049lz'],
  ['application cursor keys', '\x1b[?1h'],
  ['application keypad', '\x1b='],
  ['bracketed paste', '\x1b[?2004h'],
  ['focus reports', '\x1b[?1004h'],
  ...['9', '1000', '1002', '1003'].map((mode) => [`mouse ${mode}`, `\x1b[?${mode}h`] as const),
  ...['1006', '1016'].map((mode) => [`mouse ${mode}`, `\x1b[?1002;${mode}h`] as const),
  ...[1, 2, 3, 4, 5, 6].map((style) => [`cursor style ${style}`, `\x1b[${style} q`] as const),
  ['synchronized output', `${some}\x1b[?2026h`, 'x\x1b[?2026l'],
  ['a soft reset', `${some}\x1b[2;4r\x1b[?1;25;2004h\x1b[!p`],
  ['a full reset', `${some}\x1b[2;4r\x1b[?1049h\x1b)0\x0e\x1b[31m\x1bc`],
  ['every cell an E', '\x1b#8', 'x'],
];

for (const [title, before, after = 'and \x1b[Kmore\r\n'] of cases)
  test(`a terminal that joins has ${title}`, async () => {
    for (const used of ['', '\x1b[?1049h\x1b[2;3r\x1b[?6;1003;1006;2004h\x1b[4h\x1b(0\x1b[45m\x1b[3g\x1b]0;half'])
      await assertJoins(before, after, used);
  });

/** `used`: what the terminal that joins has seen before. */
async function assertJoins(before: string, after: string, used: string): Promise<void> {
  const always = terminal(before);
  const screen = new Screen({ ...size, scrollback: 100, onAnswer: () => {} });
  await screen.feed(Buffer.from(before));
  const joined = terminal(used);
  joined.parse(screen.snapshot({ scrollback: 100 }));
  assert.deepEqual(stateOf(joined.core), stateOf(always.core));
  for (const either of [always, joined]) either.parse(Buffer.from(after));
  assert.deepEqual(stateOf(joined.core), stateOf(always.core), 'after what comes next');
  assert.deepEqual(joined.answers, []);
  screen.dispose();
}

function terminal(before: string): BareTerminal {
  const bare = new BareTerminal(size);
  bare.parse(Buffer.from(before));
  return bare;
}

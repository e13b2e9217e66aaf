/** What a screen answers, remembers beside what xterm.js does, captures, and what it bears. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareTerminal, stateOf } from '../../../test/support/terminal-state.ts';
import { Screen } from './screen.ts';
import { maxTailBytes } from './tail.ts';

const size = { cols: 20, rows: 6 };

interface Watched {
  readonly screen: Screen;
  readonly answers: string[];
  readonly titles: string[];
}

async function watched(text: string | Buffer = '', scrollback = 100): Promise<Watched> {
  const answers: string[] = [];
  const titles: string[] = [];
  const screen = new Screen({
    ...size,
    scrollback,
    onAnswer: (bytes) => answers.push(bytes.toString()),
    onTitle: (title) => titles.push(title),
  });
  await screen.feed(Buffer.from(text));
  return { screen, answers, titles };
}

const questions: readonly (readonly [string, string, string])[] = [
  ['device attributes', '\x1b[c', '\x1b[?1;2c'],
  ['the second ones', '\x1b[>c', '\x1b[>0;276;0c'],
  ['status', '\x1b[5n', '\x1b[0n'],
  ['the cursor', '\x1b[2;3H\x1b[6n', '\x1b[2;3R'],
  ['a mode', '\x1b[?2026$p', '\x1b[?2026;2$y'],
  ['a setting', '\x1bP$qr\x1b\\', '\x1bP1$r1;6r\x1b\\'],
  ['the colour of text', '\x1b]10;?\x07', '\x1b]10;rgb:e5e5/e5e5/e5e5\x1b\\'],
  ['the background', '\x1b]11;?\x1b\\', '\x1b]11;rgb:0000/0000/0000\x1b\\'],
  ['a background that was set', '\x1b]11;#102030\x07\x1b]11;?\x07', '\x1b]11;rgb:1010/2020/3030\x1b\\'],
  ['one of the palette', '\x1b]4;1;?\x07', '\x1b]4;1;rgb:cdcd/0000/0000\x1b\\'],
  ['one of the cube', '\x1b]4;208;?\x07', '\x1b]4;208;rgb:ffff/8787/0000\x1b\\'],
  ['one that was set', '\x1b]4;7;rgb:f/80/123\x07\x1b]4;7;?\x07', '\x1b]4;7;rgb:ffff/8080/1231\x1b\\'],
  ['one that was set back', '\x1b]4;1;#fff\x07\x1b]104;1\x07\x1b]4;1;?\x07', '\x1b]4;1;rgb:cdcd/0000/0000\x1b\\'],
  ['keyboard flags', '\x1b[?u', '\x1b[?0u'],
  ['keyboard flags that were set', '\x1b[>1u\x1b[>5u\x1b[=8;2u\x1b[?u', '\x1b[?13u'],
  ['those after one was taken back', '\x1b[>1u\x1b[>5u\x1b[<u\x1b[?u', '\x1b[?1u'],
  ['the size in pixels', '\x1b[14t', '\x1b[4;96;160t'],
  ['the size of a cell', '\x1b[16t', '\x1b[6;16;8t'],
  ['the size', '\x1b[18t', '\x1b[8;6;20t'],
  ['the name', '\x1b[>q', '\x1bP>|stead\x1b\\'],
  ['a colour scheme', '\x1b[?996n', '\x1b[?997;1n'],
  ['a terminfo name', '\x1bP+q544e\x1b\\', '\x1bP0+r544e\x1b\\'],
];

for (const [what, question, answer] of questions)
  test(`a program that asks for ${what} is answered once`, async () => {
    const { screen, answers } = await watched(question);
    assert.deepEqual(answers, [answer]);
    screen.answers = false;
    await screen.feed(Buffer.from(question));
    assert.deepEqual(answers, [answer]);
    screen.dispose();
  });

const remembered: readonly (readonly [string, string, RegExp | null])[] = [
  ['a title', '\x1b]0;a title\x07', /\x1b\]2;a title\x1b\\/],
  ['a title that was taken back', '\x1b]2;one\x07\x1b[22;2t\x1b]2;two\x07\x1b[23;2t', /\x1b\]2;one\x1b\\/],
  ['UTF-8 mouse', '\x1b[?1000;1005h', /\x1b\[\?1000h\x1b\[\?1005h/],
  ['urxvt mouse', '\x1b[?1000;1006;1015h', /\x1b\[\?1006h\x1b\[\?1015h/],
  ['SGR mouse after another', '\x1b[?1003;1015;1006h', /\x1b\[\?1003h\x1b\[\?1006h(?!\x1b\[\?1015h)/],
  ['colours', '\x1b]4;1;#112233;2;red\x07', /\x1b\]4;1;#112233\x1b\\\x1b\]4;2;red\x1b\\/],
  ['colours of text, background and cursor', '\x1b]10;red;#000;blue\x07', /\]10;red.*\]11;#000.*\]12;blue/],
  [
    'colours that were set back',
    '\x1b]10;red\x07\x1b]4;5;red\x07\x1b]110\x07\x1b]104\x07',
    /\]110\x1b\\\x1b\]104;5\x1b/,
  ],
  ['keyboard flags', '\x1b[=1u\x1b[>5u', /\x1b\[<99u\x1b\[=1;1u\x1b\[>5u/],
  ['keyboard flags of both screens', '\x1b[>1u\x1b[?1049h\x1b[>3u', /=0;1u\x1b\[>1u.*\?1049h.*=0;1u\x1b\[>3u/s],
  ['modified keys', '\x1b[>4;2m\x1b[>1;1m', /\x1b\[>4;2m\x1b\[>1;1m/],
  ['modified keys that are set back', '\x1b[>4;2m\x1b[>4m', /\x1b\[>4m/],
  ['the wheel as arrow keys', '\x1b[?1007h', /\x1b\[\?1007h/],
  ['reverse video', '\x1b[?5h', /\x1b\[\?5h/],
  ['reports of colour scheme and size', '\x1b[?2031;2048h', /\x1b\[\?2031h\x1b\[\?2048h/],
  ['no bell', 'a\x07b', null],
  ['no clipboard', '\x1b]52;c;QUJD\x07', null],
  ['no notification', '\x1b]9;done\x07\x1b]777;notify;a;b\x07', null],
];

for (const [what, text, expected] of remembered)
  test(`a snapshot has ${what}`, async () => {
    const { screen } = await watched(text);
    const snapshot = screen.snapshot({ scrollback: 0 });
    if (expected) assert.match(snapshot.toString(), expected);
    else assert.doesNotMatch(snapshot.toString(), /\x07|\]52|\]9;|777/);
    const again = await watched();
    await again.screen.rebuild(snapshot);
    assert.equal(again.screen.snapshot({ scrollback: 0 }).toString(), snapshot.toString());
    for (const each of [screen, again.screen]) each.dispose();
  });

test('a title is told when it changes', async () => {
  const { screen, titles } = await watched('\x1b]2;one\x07\x1b[22t\x1b]0;two\x07\x1b[23t');
  assert.deepEqual(titles, ['one', 'two', 'one']);
  assert.equal(screen.title, 'one');
  screen.dispose();
});

test('a snapshot asks nothing and ends synchronized output', async () => {
  const { screen } = await watched('\x1b[?2026h\x1b[?1049hx\x1b[31m');
  const bare = new BareTerminal(size);
  bare.parse(screen.snapshot({ scrollback: 100 }));
  assert.deepEqual(bare.answers, []);
  assert.equal(bare.core.coreService.decPrivateModes.synchronizedOutput, false);
  screen.dispose();
});

test('bytes that come one by one are as bytes that come together', async () => {
  const text = 'naïve — “日本語” 👩‍👩‍👧 e\u0301\x1b[31mred\x1b[0m\x1b]2;— é\x07\x1b]8;;http://h/é\x07l\x1b]8;;\x07\r\n';
  const bytes = Buffer.from(text.repeat(6));
  const { screen } = await watched();
  const whole = new BareTerminal(size);
  whole.parse(bytes);
  for (const byte of bytes) await screen.feed(Buffer.of(byte));
  const joined = new BareTerminal(size);
  joined.parse(screen.snapshot({ scrollback: 100 }));
  assert.deepEqual(stateOf(joined.core), stateOf(whole.core));
  assert.equal(screen.title, '— é');
  screen.dispose();
});

test('who joins within a character or a sequence goes on right, at every byte', async () => {
  const text =
    'é—👩\x1b[1;3\x0b1mx\x1b]2;tïtle\x1b\\y\x1bP$qm\x1b\\\x1b(0q\x1b(B\x9b1;2H\x1b^pm\x1b\\\x1b[?25\x18l\x1b_a—\x1b\\z';
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const { screen } = await watched(bytes.subarray(0, cut));
    const always = new BareTerminal(size);
    always.parse(bytes);
    const joined = new BareTerminal(size);
    joined.parse(Buffer.concat([screen.snapshot({ scrollback: 100 }), bytes.subarray(cut)]));
    assert.deepEqual(stateOf(joined.core), stateOf(always.core), `cut at ${cut}`);
    assert.equal(joined.title, 'tïtle');
    screen.dispose();
  }
});

test('a capture has text without what is blank', async () => {
  const { screen } = await watched(`${Array.from({ length: 9 }, (_, at) => `line ${at}  `).join('\r\n')}\r\n`);
  assert.equal(screen.capture({ ansi: false, lines: null }), 'line 4\nline 5\nline 6\nline 7\nline 8');
  assert.equal(screen.capture({ ansi: false, lines: 2 }), 'line 7\nline 8');
  assert.equal(screen.capture({ ansi: false, lines: 8 }).split('\n').length, 8);
  assert.equal(screen.capture({ ansi: false, lines: 1000 }).split('\n')[0], 'line 0');
  await screen.feed(Buffer.from('\x1b[?1049h\x1b[2;3H日本\x1b[31mx\x1b[44m '));
  assert.equal(screen.capture({ ansi: false, lines: null }), '\n  日本x');
  assert.equal(screen.capture({ ansi: true, lines: null }), '\n  日本\x1b[0;31mx\x1b[0;31;44m \x1b[0m');
  screen.dispose();
});

test('cursor, size and screen can be asked for', async () => {
  const { screen } = await watched(`${'x'.repeat(20)}\x1b[?25l`);
  assert.deepEqual(screen.cursor, { row: 0, col: 19, visible: false });
  screen.resize({ cols: 0, rows: Number.NaN });
  assert.deepEqual(screen.size, { cols: 2, rows: 1 });
  screen.resize({ cols: 30, rows: 10 });
  assert.deepEqual(screen.size, { cols: 30, rows: 10 });
  assert.equal(screen.alternate, false);
  screen.dispose();
});

test('a terminal that is higher shows history where history is', async () => {
  const { screen } = await watched(`${Array.from({ length: 20 }, (_, at) => `line ${at}`).join('\r\n')}\x1b[H`);
  const higher = new BareTerminal({ cols: 20, rows: 10 });
  higher.parse(screen.snapshot({ scrollback: 100 }));
  const { lines } = stateOf(higher.core).normal as { lines: string[] };
  assert.equal(higher.core.buffers.normal.ybase, 14);
  assert.match(lines[14]!, /^line 14/);
  assert.equal(higher.core.buffers.normal.y, 0);
  screen.dispose();
});

test('a terminal that is wider shows lines as they are broken here', async () => {
  const { screen } = await watched('0123456789012345678901234567890');
  const wider = new BareTerminal({ cols: 40, rows: 6 });
  wider.parse(screen.snapshot({ scrollback: 100, wraps: false }));
  const { lines } = stateOf(wider.core).normal as { lines: string[] };
  assert.match(lines[0]!, /^01234567890123456789·/);
  assert.match(lines[1]!, /^01234567890·/);
  screen.dispose();
});

test('long input is parsed in turns, and in order', async () => {
  const { screen } = await watched();
  const lines = Array.from({ length: 40_000 }, (_, at) => `${at}\r\n`).join('');
  let turns = 0;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  let isDone = false;
  setImmediate(count);
  const all = [screen.feed(Buffer.from(lines)), screen.feed(Buffer.from('last')), screen.feed(Buffer.from(' word'))];
  await Promise.all(all);
  isDone = true;
  assert.equal(screen.capture({ ansi: false, lines: 2 }), '39999\nlast word');
  assert.ok(turns > 1, `${turns} turns`);
  screen.dispose();
});

test('no byte and no sequence harms a screen', async () => {
  const { screen } = await watched();
  const all = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
  await screen.feed(all);
  for (const first of all) for (const second of all) await screen.feed(Buffer.of(0x1b, first, second));
  for (const final of Buffer.from(Array.from({ length: 63 }, (_, at) => 0x40 + at)))
    for (const prefix of ['', '?', '>', '=', '<'])
      for (const numbers of ['', '0', '1', '2147483647', '99999999999;99999999999', '1:2:3;4'])
        await screen.feed(Buffer.from(`\x1b[6;20Hx\x1b[${prefix}${numbers}${String.fromCharCode(final)}`));
  await screen.feed(Buffer.from('\x18\x1bc\x1b[6;20Hx\x1b[1Jok'));
  assert.match(screen.capture({ ansi: false, lines: null }), /ok$/);
  screen.dispose();
});

test('a string without an end is given up, and what comes after it is not', async () => {
  for (const [begin, end] of [
    ['\x1b]2;', '\x07'],
    ['\x1b]52;c;', '\x1b\\'],
    ['\x1bPq', '\x1b\\'],
    ['\x1bP$q', '\x1b\\'],
    ['\x1b_G', '\x1b\\'],
    ['\x1b[', 'm'],
  ] as const) {
    const { screen, titles } = await watched(begin);
    for (let at = 0; at < 16; at += 1) await screen.feed(Buffer.alloc(64 * 1024, '1'));
    const snapshot = screen.snapshot({ scrollback: 0 });
    assert.ok(snapshot.length < maxTailBytes, `${snapshot.length} bytes`);
    const joined = new BareTerminal(size);
    joined.parse(Buffer.concat([snapshot, Buffer.from(`11${end}text`)]));
    await screen.feed(Buffer.from(`11${end}text`));
    for (const line of [screen.capture({ ansi: false, lines: 1 }), textOf(joined)]) assert.match(line, /^text/);
    assert.deepEqual(titles, []);
    screen.dispose();
  }
});

function textOf(bare: BareTerminal): string {
  return (stateOf(bare.core).normal as { lines: string[] }).lines[0]!;
}

test('what a program can leave behind is bounded', async () => {
  const { screen } = await watched();
  const before = process.memoryUsage().heapUsed;
  await screen.feed(Buffer.from('\x1b[2J'.repeat(200_000)));
  await screen.feed(Buffer.from(`e${'\u0301'.repeat(500_000)}`));
  for (let at = 0; at < 20_000; at += 1)
    await screen.feed(
      Buffer.from(`\x1b[H\x1b]8;;http://host/${at}\x07x\x1b]8;;\x07\x1b[>1u\x1b[22t\x1b]4;${at};red\x07`),
    );
  await screen.feed(Buffer.from(`\x1b]8;;http://host/${'x'.repeat(10_000)}\x07y\x1b]8;;\x07`));
  const grown = (process.memoryUsage().heapUsed - before) / 1024 / 1024;
  assert.ok(grown < 60, `${grown} MB more`);
  const snapshot = screen.snapshot({ scrollback: 100 }).toString();
  assert.ok(snapshot.length < 20_000, `${snapshot.length} characters`);
  assert.match(snapshot, /http:\/\/host\/19999\x1b\\x\x1b\]8;;\x1b\\y/);
  screen.dispose();
});

/** The chord that detaches, in whatever form and pieces it comes; and that all else reaches the program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DetachDetector, type DetachKeys, describeDetachKeys, parseDetachKeys } from './keys-detach.ts';

const standard = parseDetachKeys('C-b d')!;

/** Types pieces one after the other; what the program got, and whether it detached. */
function type(pieces: readonly (string | Buffer)[], keys: DetachKeys | null = standard) {
  const detector = new DetachDetector(keys);
  let passed = '';
  for (const piece of pieces) {
    const { pass, isDetach } = detector.feed(Buffer.from(piece as string, 'latin1'));
    passed += pass.toString('latin1');
    if (isDetach) return { passed, isDetach, holding: 'nothing' };
  }
  return { passed, isDetach: false, holding: detector.holding };
}

const detaches = (passed = '') => ({ passed, isDetach: true, holding: 'nothing' });
const passes = (passed: string, holding = 'nothing') => ({ passed, isDetach: false, holding });

test('the chord detaches, in one piece and in two, and what came before it is typed', () => {
  assert.deepEqual(type(['ls\x02dmore']), detaches('ls'));
  assert.deepEqual(type(['ls\x02', 'd']), detaches('ls'));
  assert.deepEqual(type(['\x02']), passes('', 'prefix'));
});

test('the first key twice is typed once, and begins anew after that', () => {
  assert.deepEqual(type(['\x02\x02']), passes('\x02'));
  assert.deepEqual(type(['\x02\x02d']), passes('\x02d'));
  assert.deepEqual(type(['\x02', '\x02', '\x02', 'd']), detaches('\x02'));
});

test('the first key and any other are both typed', () => {
  assert.deepEqual(type(['\x02', 'x']), passes('\x02x'));
  assert.deepEqual(type(['\x02\x1b[A']), passes('\x02\x1b[A'));
  assert.deepEqual(type(['\x02\x1bd']), passes('\x02\x1bd'));
});

const firsts = [
  '\x02',
  '\x1b[98;5u',
  '\x1b[98:66;5u',
  '\x1b[98;5:1u',
  '\x1b[98;69u',
  '\x1b[1080::98;5u',
  '\x1b[27;5;98~',
  '\x1b[27;5;66~',
];
const seconds = ['d', '\x1b[100u', '\x1b[100;1u', '\x1b[100;65u', '\x1b[100;1;100u', '\x1b[27;1;100~'];

test('the chord detaches in every form that terminals have for its keys, also byte by byte', () => {
  for (const first of firsts)
    for (const second of seconds) {
      assert.deepEqual(type([first + second]), detaches(), JSON.stringify(first + second));
      assert.deepEqual(type([...first, ...second]), detaches(), JSON.stringify(first + second));
    }
});

test('keys with other modifiers are no detach keys', () => {
  for (const other of ['\x1b[98;6u', '\x1b[98;7u', '\x1b[98u', '\x1b[27;6;98~', '\x1b[27;5;99~', '\x1bb', '\x1b[1;5D'])
    assert.deepEqual(type([`${other}d`]), passes(`${other}d`));
  assert.deepEqual(type(['\x02\x1b[100;5u']), passes('\x02\x1b[100;5u'));
});

test('releases, Ctrl by itself, mouse and answers between its keys don’t undo the chord', () => {
  const ctrl = '\x1b[57442;5u';
  const release = '\x1b[98;5:3u\x1b[57442;1:3u';
  assert.deepEqual(type([`${ctrl}\x1b[98;5u${release}\x1b[100;1u`]), detaches(ctrl));
  for (const report of [
    '\x1b[<35;10;5M',
    '\x1b[<0;10;5m',
    '\x1b[I',
    '\x1b[O',
    '\x1b[?62;4c',
    '\x1b[5;7R',
    '\x1b[?2026;2$y',
    '\x1b[M dd',
  ])
    for (const pieces of [[`\x02${report}d`], [...`\x02${report}d`]]) assert.deepEqual(type(pieces), detaches(report));
});

test('the first key that comes to nothing is typed with its release', () => {
  const press = '\x1b[98;5u\x1b[98;5:3u';
  assert.deepEqual(type([press, 'x']), passes(`${press}x`));
});

test('nothing in a bracketed paste is a key, wherever it is cut', () => {
  const paste = '\x1b[200~\x02d\x1b[98;5ud\x1b[201~';
  assert.deepEqual(type([paste]), passes(paste));
  assert.deepEqual(type([...paste]), passes(paste));
  assert.deepEqual(type([`${paste}\x02d`]), detaches(paste));
  assert.deepEqual(type([`\x02${paste}`]), passes(`\x02${paste}`));
});

test('an ESC is held until it is known to be the Escape key', () => {
  const detector = new DetachDetector(standard);
  assert.equal(detector.feed(Buffer.from('\x1b')).pass.length, 0);
  assert.equal(detector.holding, 'escape');
  assert.equal(String(detector.flush()), '\x1b');
  assert.equal(detector.feed(Buffer.from('\x1b[9')).pass.length, 0);
  assert.equal(detector.holding, 'sequence');
  assert.equal(String(detector.flush()), '\x1b[9');
  assert.equal(detector.holding, 'nothing');
});

test('a flush does not give up the first key, unless Escape follows it', () => {
  const detector = new DetachDetector(standard);
  detector.feed(Buffer.from('\x02'));
  assert.equal(detector.flush().length, 0);
  assert.equal(detector.holding, 'prefix');
  detector.feed(Buffer.from('\x1b'));
  assert.equal(String(detector.flush()), '\x02\x1b');
  assert.equal(detector.holding, 'nothing');
});

test('without detach keys all is typed as it comes', () => {
  assert.deepEqual(type(['\x02d\x1b'], null), passes('\x02d\x1b'));
});

test('what is typed reaches the program whole and in order, in whatever pieces', () => {
  const words = fc.constantFrom(
    'a',
    'd',
    '\x1b',
    '\x1b[',
    '\x1b[A',
    '\x1bOP',
    '98;5u',
    '\x1b[200~',
    '\x1b[201~',
    'é',
    '\x1b[<0;1;1M',
    '\x01',
    '\x1b[98;6u',
    '\x1b[98;5:3u',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 30 }), fc.nat(7), (typed, step) => {
      const bytes = Buffer.from(typed.join(''));
      if (/\x1b\[98;5u/.test(String(bytes))) return;
      const detector = new DetachDetector(standard);
      const got: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += step + 1) {
        const { pass, isDetach } = detector.feed(bytes.subarray(at, at + step + 1));
        assert.ok(!isDetach);
        got.push(pass);
      }
      got.push(detector.flush());
      assert.equal(Buffer.concat(got).toString('hex'), bytes.toString('hex'));
    }),
    { numRuns: 1000 },
  );
});

test('any bytes with two-byte firsts lose at most one first key for each pair', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const bytes = Buffer.from(noise).map((byte) => (byte % 3 === 0 ? 0x02 : byte));
      const { passed, isDetach } = type([Buffer.from(bytes).toString('latin1')]);
      if (!isDetach) assert.ok(passed.length <= bytes.length && passed.length * 2 >= bytes.length - 64);
    }),
  );
});

test('detach keys are understood in both spellings', () => {
  for (const text of ['C-b d', 'ctrl-b,d', 'ctrl-b d', '^B d', 'c-b,d', 'Ctrl-B d', ' C-b  d ']) {
    assert.deepEqual(parseDetachKeys(text), standard, text);
    assert.equal(describeDetachKeys(parseDetachKeys(text)!), 'C-b d');
  }
  assert.equal(parseDetachKeys('none'), null);
  assert.equal(parseDetachKeys('ctrl-p,ctrl-q')![1]!.byte, 0x11);
  assert.equal(parseDetachKeys('C-\\')![0].byte, 0x1c);
  assert.deepEqual(
    parseDetachKeys('C-a ,')!.map(({ byte }) => byte),
    [1, 0x2c],
  );
  assert.equal(describeDetachKeys(parseDetachKeys('C-Space q')!), 'C-Space q');
  for (const text of ['', 'a b c', 'F1', 'M-x', 'C-[', 'C-1 d', 'Escape', 'ä'])
    assert.throws(() => parseDetachKeys(text), RangeError, text);
});

test('a single detach key works in every form', () => {
  const keys = parseDetachKeys('C-\\');
  for (const form of ['\x1c', '\x1b[92;5u', '\x1b[27;5;92~']) assert.deepEqual(type([`a${form}`], keys), detaches('a'));
});

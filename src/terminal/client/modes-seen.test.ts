import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModesSeen } from './modes-seen.ts';

/** What undoes this output, besides what is always undone; the same whether it came whole or byte by byte. */
function undoing(output: string): string {
  const results = [[output], [...output]].map((pieces) => {
    const seen = new ModesSeen();
    for (const piece of pieces) seen.feed(Buffer.from(piece, 'latin1'));
    return seen.leavingSequence();
  });
  assert.equal(results[0], results[1], JSON.stringify(output));
  const always = new ModesSeen().leavingSequence();
  const begins = '\x1b\\\x1b[?2026l';
  assert.ok(results[0]!.startsWith(begins) && results[0]!.endsWith(always.slice(begins.length)));
  return results[0]!.slice(begins.length, results[0]!.length - always.length + begins.length);
}

test('only what was done is undone, where undoing could do harm', () => {
  for (const [output, expected] of [
    ['plain text', ''],
    ['\x1b[?1049h', '\x1b[?1049l'],
    ['\x1b[?1049h\x1b[?1049l', ''],
    ['\x1b[?25;1047h', '\x1b[?1047l'],
    ['\x1b[?47h', '\x1b[?47l'],
    ['\x1b[?1049$p', ''],
    ['\x1b[?1049h\x1bc', ''],
    ['\x1b[>1u', '\x1b[<1u'],
    ['\x1b[>1u\x1b[>5u\x1b[<u', '\x1b[<1u'],
    ['\x1b[>1u\x1b[<9u', ''],
    ['\x1b[=5;1u', '\x1b[=0;1u'],
    ['\x1b[?u', ''],
    ['\x1b[>1u\x1b[?1049h\x1b[>3u', '\x1b[<1u\x1b[?1049l\x1b[<1u'],
    ['\x1b[>4;2m', '\x1b[>4m'],
    ['\x1b[4 q', '\x1b[0 q'],
    ['\x1b]11;#000\x07\x1b]4;1;red\x07', '\x1b]111\x1b\\\x1b]104\x1b\\'],
    ['\x1b]11;?\x07', ''],
    ['\x1b]0;[?1049h\x07', ''],
    ['\x1b[?10\x1b[?1049h', '\x1b[?1049l'],
  ] as const)
    assert.equal(undoing(output), expected, JSON.stringify(output));
});

test('megabytes of sequences take no time to speak of', () => {
  const seen = new ModesSeen();
  const began = performance.now();
  seen.feed(Buffer.from('\x1b[31mword\x1b[0m '.repeat(100_000)));
  seen.feed(Buffer.alloc(1_000_000, 'x'));
  assert.ok(performance.now() - began < 2000);
  assert.equal(seen.isKittyOn, false);
});

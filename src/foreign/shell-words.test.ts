import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { shellWord } from './shell.ts';
import { commandOf, plainWords, splitWords } from './shell-words.ts';

test('words with quotes and backslashes', () => {
  assert.deepEqual(splitWords(`a 'b c' "d \\"e\\" \\x" f\\ g ""`), ['a', 'b c', 'd "e" \\x', 'f g', '']);
  assert.deepEqual([splitWords('a "b'), splitWords("a 'b"), splitWords('a \\')], [null, null, null]);
});

test('what needs a shell is left to it', () => {
  for (const line of [
    'a $B',
    'a `b`',
    'a | b',
    'a && b',
    'a > b',
    'a *.js',
    'A=1 b',
    'cd x',
    '. ./x',
    'a ~',
    `"it's" $HOME "it's"`,
    'a "$B"',
    '(a)',
    'a # b',
    'exec -a x y',
  ])
    assert.equal(plainWords(line), null, line);
  assert.deepEqual(plainWords(`exec node 'a $b' "it's" A=1`), ['node', 'a $b', "it's", 'A=1']);
  assert.deepEqual(commandOf('a | b'), 'a | b');
  assert.deepEqual(commandOf('./a.sh | b.sh'), ['sh', '-c', './a.sh | b.sh']);
  assert.deepEqual(commandOf('a | b', ['bash', '-c']), ['bash', '-c', 'a | b']);
});

test('a quoted word is that word to sh, and plain words are what sh makes of the line', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab \'"\\$`*?#~!=|;&<>(){}[]\n-é'), minLength: 1, maxLength: 12 });
  const lines = fc.sample(fc.array(text, { minLength: 1, maxLength: 4 }), 150);
  const quoted = lines.map((words) => `printf '%s\\0' ${words.map(shellWord).join(' ')}`).join('\n');
  const out = execFileSync('sh', ['-c', quoted], { encoding: 'utf8' }).split('\0').slice(0, -1);
  assert.deepEqual(out, lines.flat());
  const plain = fc
    .sample(text, 600)
    .map((line) => line.replaceAll('\n', ' '))
    .filter((line) => plainWords(`x ${line}`) !== null);
  const asked = execFileSync('sh', ['-c', plain.map((line) => `printf '%s\\0' ${line} END`).join('\n')], {
    encoding: 'utf8',
  });
  const ours = plain.flatMap((line) => [...plainWords(`x ${line}`)!.slice(1), 'END']);
  assert.deepEqual(asked.split('\0').slice(0, -1), ours);
});

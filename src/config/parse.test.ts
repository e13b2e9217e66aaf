import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Flag, optionFlags, parseLine, toSpecOptions } from './parse.ts';

const flags: readonly Flag[] = [
  { name: 'follow', short: 'f', type: 'boolean', text: '' },
  { name: 'lines', short: 'n', type: 'integer', value: 'N', text: '' },
  { name: 'env', short: 'e', type: 'texts', value: 'NAME=value', text: '' },
  { name: 'name', type: 'text', value: 'name', text: '' },
];
const read = (line: string, options = {}) => {
  const { values, words, rest } = parseLine(line.split(' '), flags, options);
  return { values: { ...values }, words, rest };
};

test('flags and words may be mixed until --', () => {
  const rest = ['-x', '--name', '--', 'y'];
  assert.deepEqual(read('web -f db --name=a -- -x --name -- y'), {
    values: { follow: true, name: 'a' },
    words: ['web', 'db'],
    rest,
  });
});

test('a short flag takes its value attached, after = or as the next word, also in a bundle', () => {
  for (const line of ['-n 5', '-n5', '-n=5', '--lines 5', '--lines=5'])
    assert.deepEqual(read(line).values, { lines: 5 }, line);
  assert.deepEqual(read('-fn5').values, { follow: true, lines: 5 });
});

test('lists grow, of other flags the last one holds', () => {
  assert.deepEqual(read('-e A=1 --env B=2=3 --name a --name b').values, { env: ['A=1', 'B=2=3'], name: 'b' });
});

test('a value may begin with a dash', () => {
  assert.deepEqual(read('--name -rf').values, { name: '-rf' });
});

test('with stopAtWord the first word ends the flags', () => {
  assert.deepEqual(read('-f make -n 5', { stopAtWord: true }), {
    values: { follow: true },
    words: ['make', '-n', '5'],
    rest: null,
  });
});

test('a negative number is a flag, and a word of a command that takes numbers', () => {
  assert.throws(() => read('web -1'), { code: 'USAGE' });
  assert.deepEqual(read('web -1 -f', { takesNumbers: true }), {
    values: { follow: true },
    words: ['web', '-1'],
    rest: null,
  });
  assert.throws(() => read('web -1x', { takesNumbers: true }), { code: 'USAGE' });
});

test('an unknown flag is refused with the nearest', () => {
  assert.throws(() => read('--folow'), {
    code: 'USAGE',
    message: 'There is no option "--folow"',
    hint: 'did you mean --follow?',
  });
  assert.throws(() => read('-z'), { code: 'USAGE', hint: undefined });
  assert.throws(() => read('--__proto__'), { code: 'USAGE' });
  assert.throws(() => read('--name'), { code: 'USAGE', message: '--name needs a value: --name <name>' });
});

test('a variable without a value is refused, a file name of another tool with what stead has instead', () => {
  assert.throws(() => read('-e TOKEN'), { code: 'OPTION_INVALID', hint: '-e TOKEN=value' });
  assert.throws(() => read('-e err.log'), { code: 'OPTION_INVALID', hint: /stead logs/ });
  assert.throws(() => read('-e =x'), { code: 'OPTION_INVALID', hint: '-e NAME=x' });
  assert.deepEqual(read('-e A=').values, { env: ['A='] });
});

test('the options table gives the flags, and the flags the options of a request', () => {
  const line = ['--stop-timeout', '3s', '-e', 'A=1', '--stop-exit-codes', '0,3', '--no-new-privs', '--umask', '027'];
  const options = toSpecOptions(parseLine(line, optionFlags('start')).values);
  assert.deepEqual(options, {
    stopTimeoutMs: 3000,
    env: ['A=1'],
    stopExitCodes: ['0,3'],
    noNewPrivs: true,
    umask: 0o27,
  });
});

test('no flag of a verb has two meanings', () => {
  for (const verb of ['start', 'run'] as const) {
    const shown = optionFlags(verb).flatMap(({ name, short }) => (short ? [name, short] : [name]));
    assert.equal(new Set(shown).size, shown.length);
  }
});

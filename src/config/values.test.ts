import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OptionType } from './options.ts';
import { parseSignal, parseValue, type ValueRule } from './values.ts';

const read = (type: OptionType, text: string, rule: Omit<ValueRule, 'type'> = {}) =>
  parseValue({ type, ...rule }, text, '--x');
const refused = (type: OptionType, texts: readonly string[], rule: Omit<ValueRule, 'type'> = {}) => {
  for (const text of texts) {
    assert.throws(
      () => read(type, text, rule),
      { code: 'OPTION_INVALID', message: /--x/ },
      `${type} ${JSON.stringify(text)}`,
    );
  }
};

test('durations come as milliseconds and need a unit', () => {
  const passing = {
    '500ms': 500,
    '10s': 10_000,
    '5m': 300_000,
    '1h30m': 5_400_000,
    '1.5s': 1500,
    '2d': 172_800_000,
    '0': 0,
  };
  for (const [text, ms] of Object.entries(passing)) assert.equal(read('duration', text), ms);
  refused('duration', ['10', '', '-5s', '5 s', '10sec', '1e3s', 's', '9'.repeat(50), `${'9'.repeat(58)}d`]);
  assert.throws(() => read('duration', '10'), { hint: 'write --x 10s' });
});

test('sizes come as bytes, K being 1024', () => {
  const passing = {
    '1000': 1000,
    '512K': 524_288,
    '200M': 209_715_200,
    '1.5G': 1_610_612_736,
    '2MiB': 2_097_152,
    '1kb': 1024,
  };
  for (const [text, bytes] of Object.entries(passing)) assert.equal(read('size', text), bytes);
  refused('size', ['', 'M', '-1M', '5X', '1,5G']);
});

test('whole numbers are kept within their range', () => {
  assert.equal(read('integer', '-20', { min: -20, max: 19 }), -20);
  refused('integer', ['', 'abc', '1.5', '1e3', '0x10', '20'], { min: -20, max: 19 });
});

test('an octal number is no decimal one', () => {
  assert.equal(read('octal', '027', { min: 0, max: 0o777 }), 0o27);
  assert.equal(read('octal', '0o77', { min: 0, max: 0o777 }), 0o77);
  refused('octal', ['8', '1000', '-1', ''], { min: 0, max: 0o777 });
});

test('a signal is known by name, with and without SIG, and by number', () => {
  for (const text of ['TERM', 'sigterm', 'SIGTERM', '15']) assert.equal(parseSignal(text, '--x'), 'SIGTERM');
  for (const text of ['36', 'rtmin+2']) assert.equal(parseSignal(text, '--x'), 'SIGRTMIN+2');
  assert.equal(parseSignal('34', '--x'), 'SIGRTMIN');
  for (const text of ['FOO', '', '99', '65', '33', 'RTMIN+31', '__proto__', '0', '-1'])
    assert.throws(() => parseSignal(text, '--x'), { code: 'OPTION_INVALID' }, text);
});

test('a choice names what there is to choose from', () => {
  const rule = { choices: ['always', 'no'] };
  assert.equal(read('choice', 'no', rule), 'no');
  assert.throws(() => read('choice', 'never', rule), { message: '--x takes one of always, no, not "never"' });
});

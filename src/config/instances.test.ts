import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInstances, scaledTo } from './instances.ts';

const invalid = { code: 'OPTION_INVALID' };

test('instances are a number, or go by the cores', () => {
  const of4 = (text: string) => parseInstances(text, '-i', 4);
  for (const [text, count] of Object.entries({ '1': 1, '16': 16, '200': 200, max: 4, '0': 4, '-1': 3, '-9': 1 }))
    assert.equal(of4(text), count, text);
  for (const text of ['', 'two', '1.5', '1001', '-0', '+2', 'MAX', '1e3', '00000'])
    assert.throws(() => of4(text), invalid);
});

test('a scale is a number, or goes by what there is', () => {
  const from3 = (text: string) => scaledTo(text, 3, 8);
  for (const [text, count] of Object.entries({ '1': 1, '12': 12, '+2': 5, '-1': 2, '+0': 3, max: 8 }))
    assert.equal(from3(text), count, text);
  for (const text of ['', '0', '-3', '-4', '1001', '+998', 'two', '--1', '1.5', '99999'])
    assert.throws(() => from3(text), invalid, text);
  assert.throws(() => from3('-3'), { hint: 'stead stop <name> ends it' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './nearest.ts';

test('the edit distance counts insertions, deletions, substitutions and swaps as one', () => {
  assert.equal(editDistance('stop', 'stop'), 0);
  assert.equal(editDistance('sotp', 'stop'), 1);
  assert.equal(editDistance('stp', 'stop'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});

test('a mistyped word gets the nearest known one, another word gets none', () => {
  const known = ['start', 'restart', 'stop', 'list', 'logs'];
  assert.equal(nearest('strat', known), 'start');
  assert.equal(nearest('Restrat', known), 'restart');
  assert.equal(nearest('lits', known), 'list');
  assert.equal(nearest('frobnicate', known), undefined);
  assert.equal(nearest('', known), undefined);
  assert.equal(nearest('x'.repeat(100_000), known), undefined);
});

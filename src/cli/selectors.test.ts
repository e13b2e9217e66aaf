import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeApp } from './render/fixtures.ts';
import { selectApps } from './selectors.ts';

const web = makeApp({ id: 0, name: 'web', group: 'shop' }, [{}, { index: 1 }]);
const worker = makeApp({ id: 3, name: 'worker', group: 'shop' });
const apps = [web, worker];
const names = (...selectors: string[]) =>
  selectApps(apps, selectors).flatMap(({ app, instances }) => instances.map(({ index }) => `${app.name}:${index}`));

test('an app is chosen by name, id, instance, group or all, each once', () => {
  assert.deepEqual(names('worker'), ['worker:0']);
  assert.deepEqual(names('3'), ['worker:0']);
  assert.deepEqual(names('web:0'), ['web:0']);
  assert.deepEqual(names('@shop'), ['web:0', 'web:1', 'worker:0']);
  assert.deepEqual(names('all', 'web', '0'), ['web:0', 'web:1', 'worker:0']);
});

test('what is not there is refused', () => {
  for (const word of ['wroker', '@shpo', '99', '__proto__', 'constructor', '../web', '']) {
    assert.throws(() => names(word), { code: 'APP_NOT_FOUND' });
  }
});

test('all of nothing is nothing', () => {
  assert.deepEqual(selectApps([], ['all']), []);
});

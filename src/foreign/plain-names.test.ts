import assert from 'node:assert/strict';
import { test } from 'node:test';
import { specOf } from '../../test/support/specs.ts';
import { withPlainNames } from './plain-names.ts';

test('apps of projects get names that can be written, and what waits for them follows', () => {
  const specs = withPlainNames([
    specOf('api', { dependsOn: ['shop/db:started,cache', 'gone/x'] }),
    specOf('shop/api'),
    specOf('shop/db'),
    specOf('shop-api'),
    specOf('job', { after: ['shop/api,shop/db'] }, { kind: 'job' }),
  ]);
  assert.deepEqual(
    specs.map(({ name }) => name),
    ['api', 'shop-api-2', 'db', 'shop-api', 'job'],
  );
  assert.deepEqual(specs[0]!.options.dependsOn, ['db:started,cache', 'x']);
  assert.deepEqual(specs[0]!.dependsOn, { db: 'started', cache: 'ready', x: 'ready' });
  assert.deepEqual([specs[4]!.after, specs[4]!.options.after], [['shop-api-2', 'db'], ['shop-api-2,db']]);
  const plain = [specOf('a', { dependsOn: ['b:ready'] })];
  assert.equal(withPlainNames(plain), plain);
});

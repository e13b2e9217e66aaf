import assert from 'node:assert/strict';
import { test } from 'node:test';
import { specOf } from '../../test/support/specs.ts';
import { changeSpec } from './make-spec.ts';

const enforcement = { controllers: new Set<string>() };

test('a directory that was said from another one stays what it was when something else is set', async () => {
  const spec = specOf('web', { cwd: 'sub' }, { cwd: '/srv/sub' });
  assert.equal((await changeSpec(spec, { cwd: 'sub', stopTimeoutMs: 1000 }, enforcement)).cwd, '/srv/sub');
  assert.equal((await changeSpec(spec, { cwd: '/other' }, enforcement)).cwd, '/other');
  assert.equal((await changeSpec(spec, {}, enforcement)).cwd, '/srv/sub');
});

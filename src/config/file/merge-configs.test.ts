import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueSource } from './document.ts';
import { mergeConfigs } from './merge-configs.ts';
import { readSource } from './read-config.ts';

const read = (...values: readonly unknown[]) => readSource(valueSource(mergeConfigs(values)), 'x');

test('a later file goes over an earlier one: app by app, variable by variable', () => {
  const base = {
    defaults: { stop_timeout: '5s', env: { A: '1' } },
    apps: [
      { name: 'web', script: 'web.js', args: ['-x'], env: { B: '1', C: '1' }, instances: 2 },
      { script: 'unnamed.js' },
    ],
  };
  const other = {
    defaults: { env: { Z: '1' } },
    apps: { web: { instances: 4, env: { C: '2' } }, extra: { command: ['sleep', '1'] } },
  };
  const [web, unnamed, extra, ...none] = read(base, other);
  assert.equal(none.length, 0);
  assert.deepEqual([web!.script, web!.args, web!.options.instances], ['web.js', ['-x'], '4']);
  assert.deepEqual(web!.options.env, ['A=1', 'Z=1', 'B=1', 'C=2']);
  assert.equal(web!.options.stopTimeoutMs, 5000);
  assert.equal(unnamed!.script, 'unnamed.js');
  assert.equal(extra!.options.name, 'extra');
});

test('who says another program says its arguments, too', () => {
  const [web] = read(
    { apps: [{ name: 'web', script: 'web.js', args: ['-x'], group: 'g' }] },
    { apps: [{ name: 'web', command: ['sleep', '9'] }] },
  );
  assert.deepEqual([web!.script, web!.command, web!.args, web!.options.group], [null, ['sleep', '9'], [], 'g']);
});

test('what is no config is refused as if it came alone', () => {
  assert.throws(() => read({ apps: [] }, 'text'), /it must hold a map/);
  assert.throws(() => read({ apps: [{ script: 'a.js' }] }, { apps: 3 }), /"apps" must be a list/);
});

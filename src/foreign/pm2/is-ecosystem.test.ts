import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEcosystem } from './is-ecosystem.ts';
import { parseEcosystemText } from './read-text.ts';

const app = { name: 'web', script: 'app.js' };
const theirs = { apps: [{ ...app, exec_mode: 'cluster' }] };
const ours = { apps: [{ ...app, stop_timeout: '5s' }] };
const either = { apps: [{ ...app, env: { A: '1' }, instances: 2, watch: true }] };

test('a name that says it decides', () => {
  for (const name of ['stead.config.yaml', 'stead.config.js', 'stead.config.ts', 'stead.config.json'])
    for (const value of [theirs, ours, either]) assert.equal(isEcosystem(value, `/x/${name}`), false, name);
  for (const name of [
    'ecosystem.config.js',
    'ecosystem.config.cjs',
    'ecosystem.json',
    'ecosystem.yml',
    'ecosystem.prod.config.js',
    'pm2.json',
    'pm2.config.cjs',
    'process.json',
    'process.yml',
    'app.pm2.json',
    'package.json',
  ])
    for (const value of [theirs, either, [app]]) assert.equal(isEcosystem(value, `/x/${name}`), true, name);
});

test('what only one of them can mean', () => {
  const of = (value: unknown, name = 'shop.yaml') => isEcosystem(value, `/x/${name}`);
  assert.equal(of(theirs), true);
  assert.equal(of(ours), false);
  assert.equal(of({ apps: [{ ...app, env_production: {} }] }), false);
  assert.equal(of({ apps: [{ ...app, env_production: {} }] }, 'shop.config.js'), true);
  assert.equal(of({ project: 'x', apps: [app] }, 'shop.config.js'), false);
  assert.equal(of({ apps: [{ ...app, maxRestarts: 3 }] }), true);
  assert.equal(of({ apps: [app], deploy: {} }), true);
  assert.equal(of([app]), true);
  for (const value of [
    { apps: [{ name: 'x', command: ['sleep', '1'] }] },
    { apps: [{ ...app, job: true }] },
    { apps: [{ ...app, depends_on: 'db' }] },
    { apps: { web: { script: 'app.js' } } },
    { defaults: {}, apps: [app] },
    { groups: {}, apps: [app] },
  ])
    for (const name of ['shop.yaml', 'shop.config.js']) assert.equal(of(value, name), false, JSON.stringify(value));
  for (const value of [
    { apps: { web: { script: 'app.js' } } },
    { defaults: {}, apps: [app] },
    { apps: [{ name: 'x', command: ['sleep', '1'] }] },
  ])
    assert.equal(of(value, 'ecosystem.yaml'), false);
});

test('what could be both goes by the name, and both at once is read strictly', () => {
  assert.equal(isEcosystem(either, '/x/shop.config.js'), true);
  assert.equal(isEcosystem(either, '/x/shop.config.ts'), true);
  assert.equal(isEcosystem(either, '/x/shop.yaml'), false);
  assert.equal(isEcosystem(either, '/x/apps.json'), false);
  assert.equal(isEcosystem({ apps: [{ ...app, exec_mode: 'fork', depends_on: 'db' }] }, '/x/shop.yaml'), false);
});

test('texts: JSON as pm2 takes it, YAML, package.json', () => {
  const json = `{ // comment
    'apps': [{ name: 'x', script: "app.js", env: { A: .5 }, }, ], /* end */ }`;
  assert.deepEqual(parseEcosystemText(json, '/x/ecosystem.json'), {
    apps: [{ name: 'x', script: 'app.js', env: { A: 0.5 } }],
  });
  assert.deepEqual(parseEcosystemText('apps:\n  - script: a.js\n', '/x/process.yml'), { apps: [{ script: 'a.js' }] });
  assert.deepEqual(parseEcosystemText('{"name":"p","pm2":[{"script":"a.js"}]}', '/x/package.json'), {
    apps: [{ script: 'a.js' }],
  });
  assert.deepEqual(parseEcosystemText('{"apps":{"script":"a.js"}}', '/x/package.json'), { apps: { script: 'a.js' } });
  assert.throws(() => parseEcosystemText('{"name":"p"}', '/x/package.json'), /neither "pm2" nor "apps"/);
  assert.throws(
    () => parseEcosystemText('{ apps: [{ env: { A: process.env.A } }] }', '/x/ecosystem.json'),
    (error: { message: string; hint?: string }) => /1:/.test(error.message) && /code/.test(error.hint ?? ''),
  );
  assert.throws(() => parseEcosystemText('apps: [', '/x/process.yml'), /line 1/);
  assert.throws(
    () =>
      parseEcosystemText(
        `a: &a [x]\n${Array.from({ length: 30 }, (_, at) => `b${at}: &b${at} [*${at ? `b${at - 1}` : 'a'}, *${at ? `b${at - 1}` : 'a'}]`).join('\n')}`,
        '/x/p.yml',
      ),
    /alias/i,
  );
});

/** Configs that are code: run in a process of their own, and held to what every config is held to. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { evaluateConfig } from '../../src/client/config/evaluate-config.ts';
import { repository } from '../support/paths.ts';
import { Stead } from '../support/stead.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const apps = "[{ name: 'a', command: ['sleep', '100'], env: { X: process.env.X ?? 'unset' } }]";
const forms: Readonly<Record<string, string>> = {
  'stead.config.js': `module.exports = { apps: ${apps} };`,
  'list.config.cjs': `exports.apps = ${apps};`,
  'named.config.mjs': `import { sep } from 'node:path'; export const apps = ${apps}; export const project = 'p' + sep.length;`,
  'default.config.mjs': `export default { apps: ${apps} };`,
  'function.config.cjs': `module.exports = ({ env, profile }) => ({ apps: ${apps}.map((app) => ({ ...app, env: { X: env.X + profile } })) });`,
  'promise.config.mjs': `export default new Promise((resolve) => setTimeout(resolve, 50, { apps: ${apps} }));`,
  'types.config.ts': `import type { Foo } from './nowhere'; type A = { name: string }; const all = ${apps} as A[]; export default { apps: all satisfies A[] };`,
  'awaited.config.mts': `const all = await Promise.resolve(${apps}); export const apps: object[] = all;`,
};

test('each form of a module is read, whatever it prints', async (t) => {
  const stead = new Stead(t);
  const folder = stead.folder('p');
  writeFileSync(join(folder, 'x.config.js'), "console.log('{ printed }'); module.exports = { apps: [] }");
  assert.deepEqual(JSON.parse((await stead.ok(['config', 'show', 'x.config.js', '--json'], { cwd: folder })).stdout), {
    apps: [],
  });
  await Promise.all(
    Object.entries(forms).map(async ([name, text]) => {
      writeFileSync(join(folder, name), text);
      const { stdout } = await stead.ok(['config', 'show', name, '--env', 'prod', '--json'], {
        cwd: folder,
        env: { X: '1' },
      });
      const isFunction = name.startsWith('function');
      const app = { name: 'a', command: ['sleep', '100'], env: { X: isFunction ? '1prod' : '1' } };
      assert.deepEqual(JSON.parse(stdout), { apps: [app] }, name);
    }),
  );
});

const broken: Readonly<Record<string, readonly [text: string, what: RegExp]>> = {
  'throws.config.js': ["throw new TypeError('no good')", /TypeError: no good \(.*throws\.config\.js:1:7\)/],
  'syntax.config.js': ['module.exports = {', /SyntaxError/],
  'exits.config.js': ['process.exit(0)', /it ended with exit code 0 before it had said what it exports/],
  'rejects.config.mjs': ["export default Promise.reject(new Error('later'))", /Error: later/],
  'empty.config.mjs': ['', /it exports nothing/],
  'itself.config.js': ['const a = {}; a.a = a; module.exports = a', /it holds itself/],
  'stead.config.js': [
    'module.exports = { apps: [{ name: "x", scrpt: "y" }] }',
    /there is no "scrpt"; did you mean "script"/,
  ],
  'killed.config.js': ["process.kill(process.pid, 'SIGKILL'); for (;;);", /it ended by SIGKILL/],
};

test('one that throws, ends, rejects or says nonsense is refused with its reason, and nothing is changed', async (t) => {
  const stead = new Stead(t);
  const folder = stead.folder('p');
  await Promise.all(
    Object.entries(broken).map(async ([name, [text, what]]) => {
      writeFileSync(join(folder, name), text);
      const { code, stderr } = await stead.run(['apply', name], { cwd: folder });
      assert.equal(code, 5, `${name}: ${stderr}`);
      assert.match(stderr, what, name);
    }),
  );
  assert.deepEqual(await stead.list(), []);
});

test('one that never says anything is ended', async (t) => {
  const folder = temporaryDirectory(t, 'config');
  const file = join(folder, 'never.config.mjs');
  writeFileSync(file, 'await new Promise((resolve) => setTimeout(resolve, 1e9)); export const apps = [];');
  await assert.rejects(
    evaluateConfig(file, { timeoutMs: 400, evaluator: join(repository, 'src/client/config/evaluate.cjs') }),
    /it has not ended after 0.4 s/,
  );
});

test('as root only root is believed', { skip: process.geteuid!() === 0 ? false : 'not root' }, async (t) => {
  const stead = new Stead(t);
  const folder = stead.folder('p');
  const file = join(folder, 'x.config.js');
  writeFileSync(file, 'module.exports = { apps: [] }');
  const check = async (env: NodeJS.ProcessEnv = {}) => stead.run(['config', 'check', file], { env });
  assert.equal((await check()).code, 0);
  chmodSync(file, 0o646);
  assert.match((await check()).stderr, /may be written by everybody: as root it is not used/);
  chmodSync(file, 0o644);
  chownSync(file, 65534, 65534);
  assert.match((await check()).stderr, /is code of the user 65534, and would be run as root/);
  assert.equal((await check({ SUDO_UID: '65534' })).code, 0);
  assert.equal((await check({ STEAD_TRUST_CONFIG: '1' })).code, 0);
});

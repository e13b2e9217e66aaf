import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SteadError } from '../../protocol/errors.ts';
import { readConfig } from './read-config.ts';

const env = { NAME: 'web', EMPTY: '', COUNT: '3', ON: 'true', NESTED: '${NAME}' };
const read = (text: string) => readConfig(text, 'x', { env })[0]!;

test('variables and their defaults are filled in; what is filled in is text, and no more of it is read', () => {
  const app = read(`
apps:
  - name: \${NAME}
    script: "\${DIR:-./src}/\${NAME}.js"
    instances: \${COUNT}
    no_new_privs: \${ON}
    args: ["\${EMPTY:-a}", "\${EMPTY-a}", "\${EMPTY}", '\${NESTED}', "\${A:-{b}}", "$NAME", "$\${NAME}", "$", "\${}"]
    env: { FROM: "\${NAME}:\${COUNT}", "\${NAME}": key }
`);
  assert.equal(app.options.name, 'web');
  assert.equal(app.script, './src/web.js');
  assert.equal(app.options.instances, '3');
  assert.equal(app.options.noNewPrivs, true);
  assert.deepEqual(app.args, ['a', '', '', '${NAME}', '{b}', '$NAME', '${NAME}', '$', '${}']);
  assert.deepEqual(app.options.env, ['FROM=web:3', '${NAME}=key']);
});

test('what has neither value nor default is a mistake with its line; what it says is said', () => {
  const text = `
apps:
  - name: a
    script: \${NO_SUCH}
  - name: b
    script: "\${OTHER:?set it to the path}"
`;
  assert.throws(
    () => read(text),
    (error: SteadError) => {
      assert.match(error.message, /line 4: \$\{NO_SUCH\}: it has no value and no default/);
      assert.match(error.message, /line 6: \$\{OTHER\}: set it to the path/);
      return error.code === 'CONFIG_INVALID';
    },
  );
});

test('what a shell reads is left to the shell', () => {
  const app = read(`
apps:
  - command: 'echo \${NO_SUCH} \${HOME}'
    stop_command: kill \${PID}
    ready: exec:test \${X}
    on: { fail: 'mail \${WHO}' }
`);
  assert.deepEqual(app.command, ['echo ${NO_SUCH} ${HOME}']);
  assert.equal(app.options.stopCommand, 'kill ${PID}');
  assert.equal(app.options.ready, 'exec:test ${X}');
  assert.deepEqual(app.options.on, ['fail=mail ${WHO}']);
});

test('a profile goes over what is under env, app by app', () => {
  const text = `
defaults: { env: { A: 1, B: 1 }, env_production: { A: 2 } }
apps:
  - { name: x, script: x.js, env_production: { B: 3, C: 4 } }
  - { name: y, script: y.js, env_file: .env, env_test: { A: 5 } }
`;
  const envOf = (profile: string | null) => readConfig(text, 'x', { profile }).map(({ options }) => options.env);
  assert.deepEqual(envOf(null), [
    ['A=1', 'B=1'],
    ['A=1', 'B=1'],
  ]);
  assert.deepEqual(envOf('production'), [
    ['A=1', 'B=1', 'A=2', 'B=3', 'C=4'],
    ['A=1', 'B=1', 'A=2'],
  ]);
  assert.throws(() => readConfig('apps: [{ script: x.js, env_production: [x] }]', 'x'), /"env_production" takes a map/);
});

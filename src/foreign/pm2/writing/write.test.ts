/** Ecosystem files of pm2: JavaScript and JSON with the same apps, units as pm2 reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Script } from 'node:vm';
import { optionSamples } from '../../../../test/support/option-samples.ts';
import { commandOf, outgoingOf, specOf } from '../../../../test/support/specs.ts';
import type { AppSpec } from '../../../protocol/spec.ts';
import type { Fields } from './fields.ts';
import { writePm2 } from './write.ts';

function appsOf(...specs: readonly AppSpec[]): readonly Fields[] {
  const apps = specs.map((spec) => outgoingOf(spec));
  const module = { exports: {} as { apps: Fields[] } };
  new Script(writePm2(apps, { isJson: false }).files[0]!.text).runInNewContext({ module });
  const json = JSON.parse(writePm2(apps, { isJson: true }).files[0]!.text);
  const plain = JSON.parse(JSON.stringify(module.exports));
  assert.deepEqual(plain, json);
  return json.apps;
}

/** As pm2 takes them: times are milliseconds, sizes have upper-case units. */
const forms: Readonly<Record<string, (value: unknown) => boolean>> = {
  max_memory_restart: (value) => /^\d+[GMK]?$/.test(String(value)),
  kill_timeout: (value) => Number.isInteger(value) && (value as number) > 0,
  min_uptime: (value) => (value as number) >= 100,
  max_restarts: (value) => (value as number) > 0,
  watch_delay: Number.isInteger,
  listen_timeout: Number.isInteger,
  exp_backoff_restart_delay: Number.isInteger,
  stop_exit_codes: (value) => Array.isArray(value) && value.every(Number.isInteger),
};

test('files of every option are read, and have the units that pm2 knows', () => {
  const specs = optionSamples().map(({ key, kind, options }, at) => specOf(`${key}-${at}`, options, { kind }));
  const apps = appsOf(...specs);
  assert.equal(apps.length, specs.length);
  for (const app of apps)
    for (const [field, value] of Object.entries(app))
      assert.ok(forms[field]?.(value) ?? true, `${app.name}: ${field} ${value}`);
});

test('an app of Node with instances is a cluster; what was said has its fields', () => {
  const [app] = appsOf(
    specOf(
      'web',
      {
        instances: '4',
        group: 'shop',
        interpreterArgs: ['--no-warnings'],
        env: ['A=*/ // "x"', 'API_KEY=hush'],
        ready: 'ipc',
        readyTimeoutMs: 5000,
        stopTimeoutMs: 3000,
        stopMessage: true,
        stopExitCodes: ['7', 'TERM'],
        restart: 'on-failure',
        maxMemory: 2 * 2 ** 40,
        logOut: '/var/log/x.log',
        logMerge: true,
        watch: ['.'],
        ignoreWatch: ['tmp'],
      },
      {
        program: {
          how: 'script',
          words: ['/srv/web/server.js', '-p', '1'],
          interpreter: { name: 'node', path: '/usr/bin/node', args: ['--no-warnings'] },
        },
      },
    ),
  );
  assert.deepEqual(app, {
    name: 'web',
    namespace: 'shop',
    script: '/srv/web/server.js',
    args: ['-p', '1'],
    interpreter: 'node',
    node_args: ['--no-warnings'],
    cwd: '/srv/web',
    env: { A: '*/ // "x"' },
    instances: 4,
    exec_mode: 'cluster',
    max_restarts: 1_000_000_000,
    min_uptime: 10_000,
    exp_backoff_restart_delay: 100,
    stop_exit_codes: [0, 7],
    kill_timeout: 3000,
    shutdown_with_message: true,
    wait_ready: true,
    listen_timeout: 5000,
    out_file: '/var/log/x.log',
    error_file: '/var/log/x.log',
    max_memory_restart: '2048G',
    watch: true,
    ignore_watch: ['tmp'],
    watch_delay: 300,
  });
});

test('what is no script is executed itself', () => {
  const interpreter = { name: 'sh', path: '/bin/sh', args: ['-c'] };
  const [command, shell] = appsOf(
    specOf('a', { restart: 'no' }, { program: commandOf('sleep', '100') }),
    specOf('b', {}, { program: { how: 'shell', words: ['a | b'], interpreter } }),
  );
  assert.deepEqual(
    [command!.script, command!.args, command!.interpreter, command!.autorestart],
    ['/usr/bin/sleep', ['100'], 'none', false],
  );
  assert.deepEqual([shell!.script, shell!.args, shell!.interpreter], ['/bin/sh', ['-c', 'a | b'], 'none']);
});

test('what is lost is said: as comments, or apart from JSON', () => {
  const apps = [outgoingOf(specOf('web', { alive: 'port:80', secret: ['TOKEN=file:/x\ny'], env: ['API_KEY=hush'] }))];
  const { files } = writePm2(apps, { isJson: false });
  assert.match(files[0]!.text, /^ {4}\/\/ pm2 checks no health\.$/m);
  assert.match(files[0]!.text, /^ {4}\/\/ Left out, as their values look secret: API_KEY\./m);
  assert.ok(!files[0]!.text.includes('hush'));
  const { notes } = writePm2(apps, { isJson: true });
  assert.ok(notes.includes('web: pm2 checks no health.'));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../config/file/read-config.ts';
import { writeConfig } from '../../config/file/write-config.ts';
import type { Foreign } from '../model.ts';
import { type DumpContext, readDump } from './read-dump.ts';

const context = (over: Partial<DumpContext> = {}): DumpContext => ({
  file: '/root/.pm2/dump.pm2',
  cwd: '/elsewhere',
  pm2Home: '/root/.pm2',
  isWholeEnv: false,
  env: { HOME: '/root', PATH: '/bin', LANG: 'C' },
  lookAt: (path) => (path.startsWith('/srv/') && !path.includes(' ') ? 'text' : null),
  find: () => null,
  ...over,
});

/** As pm2 7 writes it: with the environment flattened at the top. */
function entry(over: Record<string, unknown> = {}, env: Record<string, unknown> = {}) {
  const name = String(over.name ?? 'web');
  const whole = {
    HOME: '/root',
    PATH: '/bin',
    SHLVL: '2',
    SSH_CLIENT: '1.2.3.4',
    PM2_HOME: '/root/.pm2',
    unique_id: 'x',
    [name]: '{}',
    NODE_APP_INSTANCE: 0,
    ...env,
  };
  return {
    ...whole,
    ...{
      name,
      env: whole,
      namespace: 'default',
      pm_exec_path: '/srv/web.js',
      pm_cwd: '/srv',
      exec_mode: 'fork_mode',
      exec_interpreter: 'node',
    },
    ...{
      node_args: [],
      instance_var: 'NODE_APP_INSTANCE',
      status: 'online',
      merge_logs: true,
      autostart: true,
      autorestart: true,
      treekill: true,
    },
    ...{
      pm_out_log_path: `/root/.pm2/logs/${name}-out.log`,
      pm_err_log_path: `/root/.pm2/logs/${name}-error.log`,
      pm_pid_path: `/root/.pm2/pids/${name}-0.pid`,
    },
    ...{
      vizion: true,
      pmx: true,
      automation: true,
      windowsHide: true,
      kill_retry_time: 100,
      username: 'root',
      axm_monitor: {},
      created_at: 1,
      restart_time: 3,
    },
    ...over,
  };
}

function read(entries: unknown, over: Partial<DumpContext> = {}): Foreign {
  const foreign = readDump(JSON.stringify(entries), context(over));
  readConfig(writeConfig(foreign), 'written');
  return foreign;
}

const only = (entries: unknown, over: Partial<DumpContext> = {}) => read(entries, over).apps[0]!;

test('one app: program, directory, and of the environment what the shell does not have', () => {
  const { stanza, notes } = only([
    entry({ args: ['-p', '80'], min_uptime: 5000, kill_timeout: 3000 }, { MODE: 'prod', N: 1, LANG: 'de' }),
  ]);
  assert.deepEqual(stanza, {
    name: 'web',
    script: '/srv/web.js',
    interpreter: 'node',
    args: ['-p', '80'],
    env: { NODE_APP_INSTANCE: '0', MODE: 'prod', N: '1', LANG: 'de' },
    stable_after: '5s',
    stop_signal: 'INT',
    stop_timeout: '3s',
    cwd: '/srv',
  });
  assert.match(notes.join('\n'), /these were the shell's: SHLVL, SSH_CLIENT\./);
  const whole = only([entry()], { isWholeEnv: true }).stanza.env as Record<string, string>;
  assert.deepEqual(Object.keys(whole).sort(), ['HOME', 'NODE_APP_INSTANCE', 'PATH', 'SHLVL', 'SSH_CLIENT']);
});

test('four workers are one app with four instances; another mode or script is another app; order stays', () => {
  const cluster = { exec_mode: 'cluster_mode', merge_logs: false };
  const workers = [0, 1, 2, 3].map((id) =>
    entry({
      ...cluster,
      pm_out_log_path: `/var/log/web-out-${id + 7}.log`,
      pm_err_log_path: `/root/.pm2/logs/web-error-${id}.log`,
    }),
  );
  const { apps } = read([
    entry({ name: 'z', pm_exec_path: '/srv/z.js' }),
    ...workers,
    entry({ pm_exec_path: '/srv/other.js' }),
  ]);
  assert.deepEqual(
    apps.map(({ stanza }) => [stanza.name, stanza.instances, stanza.log_out]),
    [
      ['z', undefined, undefined],
      ['web', 4, '/var/log/web-out.log'],
      ['web-2', undefined, undefined],
    ],
  );
  assert.equal(only([entry(cluster)]).stanza.instances, 1);
});

test('what was stopped stays so, modules are left out, profiles are kept', () => {
  const { apps, notes } = read([
    entry({ status: 'stopped' }),
    entry({ name: 'e', status: 'errored' }),
    entry({ name: 'pm2-logrotate', pmx_module: true }),
    entry({ name: 'p', env_production: { A: 1 } }),
  ]);
  assert.deepEqual(
    apps.map(({ stanza }) => [stanza.name, stanza.autostart]),
    [
      ['web', false],
      ['e', false],
      ['p', undefined],
    ],
  );
  assert.match(notes.join('\n'), /Modules of pm2 are left out: pm2-logrotate/);
  assert.deepEqual(apps[2]!.stanza.env_production, { A: '1' });
});

test('a line for the shell, interpreters, logs that go nowhere, pid files', () => {
  const line = only([
    entry({ name: 'sh', pm_exec_path: '/usr/bin/bash', exec_interpreter: 'none', args: ['-c', 'a && b'] }),
  ]).stanza;
  assert.deepEqual(line.command, ['bash', '-c', 'a && b']);
  const py = only([
    entry({
      pm_exec_path: '/srv/x.py',
      exec_interpreter: 'python3',
      node_args: ['-u'],
      pm_out_log_path: '/dev/null',
      pm_pid_path: '/run/x-3.pid',
    }),
  ]).stanza;
  assert.deepEqual(
    [py.interpreter, py.interpreter_args, py.log_out, Object.keys(py.on as object)],
    ['python3', ['-u'], 'none', ['ready', 'exit']],
  );
  assert.match(String((py.on as Record<string, string>).ready), /'\/run\/x'-/);
});

test('what is not restarted, and what runs at its times', () => {
  assert.equal(only([entry({ autorestart: false })]).stanza.restart, 'no');
  const job = only([entry({ autorestart: false, cron_restart: '0 3 * * *' })]).stanza;
  assert.deepEqual([job.job, job.cron, job.command], [true, '0 3 * * *', ['node', '/srv/web.js']]);
});

test('what is no dump is refused', () => {
  for (const text of ['', '{', '{}', '[1]', '[{}]', 'null'])
    assert.throws(() => readDump(text, context()), /dump|read/);
});

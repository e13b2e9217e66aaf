import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../config/file/read-config.ts';
import { writeConfig } from '../../config/file/write-config.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Foreign } from '../model.ts';
import { readEcosystem } from './read-ecosystem.ts';
import type { EcosystemContext, FileKind } from './reading.ts';

const files: Readonly<Record<string, FileKind>> = {
  '/srv/app.js': 'text',
  '/srv/tool': 'binary',
  '/srv/plain': 'text',
  '/srv/hashbang': 'script',
  '/srv/run.sh': 'text',
  '/srv/job.py': 'text',
  '/srv/main.ts': 'text',
  '/srv/my dir/run it.sh': 'text',
  '/srv/service': 'directory',
  '/srv/deep/x.js': 'text',
  '/usr/bin/npm': 'script',
  '/usr/bin/caddy': 'binary',
  '/nvm/versions/node/v18.1.0/bin/node': 'binary',
  '/conf/beside.js': 'text',
};

const context = (over: Partial<EcosystemContext> = {}): EcosystemContext => ({
  file: '/srv/ecosystem.config.js',
  cwd: '/srv',
  env: { HOME: '/root', NVM_DIR: '/nvm' },
  only: null,
  profile: null,
  lookAt: (path) => files[path] ?? null,
  find: (command) => (Object.hasOwn(files, `/usr/bin/${command}`) ? `/usr/bin/${command}` : null),
  ...over,
});

/** As it is read, and then as it is written and read by what reads our own files. */
function read(value: unknown, over: Partial<EcosystemContext> = {}): Foreign {
  const foreign = readEcosystem(value, context(over));
  const again = readConfig(writeConfig(foreign), 'written');
  assert.deepEqual(
    again.map(({ options }) => options.name),
    foreign.apps.map(({ stanza }) => stanza.name),
  );
  return foreign;
}

const one = (app: Record<string, unknown>, over: Partial<EcosystemContext> = {}) => {
  const { apps, notes } = read({ apps: [{ script: 'app.js', ...app }] }, over);
  return { stanza: apps[0]!.stanza, notes: apps[0]!.notes, fileNotes: notes };
};
const stanza = (app: Record<string, unknown>, over: Partial<EcosystemContext> = {}) => one(app, over).stanza;
const picked = (app: Record<string, unknown>, ...keys: readonly string[]) => {
  const all = stanza(app);
  return Object.fromEntries(keys.flatMap((key) => (key in all ? [[key, all[key]]] : [])));
};
const notes = (app: Record<string, unknown>, over: Partial<EcosystemContext> = {}) => one(app, over).notes.join('\n');
const refusal = (value: unknown, over: Partial<EcosystemContext> = {}): string => {
  try {
    readEcosystem(value, context(over));
  } catch (error) {
    assert.ok(error instanceof SteadError, String(error));
    return error.message;
  }
  throw new Error('it was read');
};
const mistake = (app: Record<string, unknown>): string => refusal([{ name: 'web', script: 'app.js', ...app }]);

test('the smallest app: a name, a script, SIGINT, and one note of what is ours', () => {
  const { stanza, notes, fileNotes } = one({});
  assert.deepEqual(stanza, {
    name: 'app',
    script: '/srv/app.js',
    interpreter: 'node',
    stop_signal: 'INT',
    cwd: '/srv',
    env: { NODE_APP_INSTANCE: '0' },
  });
  assert.deepEqual(notes, []);
  assert.equal(fileNotes.length, 1);
  assert.match(fileNotes[0]!, /10 s to end \(pm2: 1\.6 s\)/);
});

test('all the forms of a file: apps, pm2, a list, one app, apps that is one app', () => {
  const app = { name: 'web', script: 'app.js' };
  for (const value of [{ apps: [app] }, { pm2: [app] }, { pm2: { apps: [app] } }, [app], app, { apps: app }])
    assert.equal(read(value).apps[0]!.stanza.name, 'web');
  for (const value of [{}, 'text', null, { apps: 'x' }]) assert.match(refusal(value), /apps/);
});

test('names: from the script, of a line for the shell, one that is no name here, twice the same', () => {
  assert.equal(stanza({ script: 'foo.bar.js' }).name, 'foo.bar');
  assert.equal(stanza({ script: 'node app.js --x', name: undefined }).name, 'node-app');
  assert.equal(stanza({ name: 'a b/c' }).name, 'a-b-c');
  assert.match(notes({ name: 'a b/c' }), /called "a b\/c" in pm2/);
  assert.equal(stanza({ name: '455' }).name, 'app-455');
  assert.equal(stanza({ name: 'all' }).name, 'app-all');
  const twice = read([
    { name: 'x', script: 'app.js' },
    { name: 'x', script: 'run.sh' },
  ]);
  assert.deepEqual(
    twice.apps.map(({ stanza }) => stanza.name),
    ['x', 'x-2'],
  );
});

test('interpreters by extension, by what the file is, and as they are named', () => {
  const of = (app: Record<string, unknown>, over = {}) => stanza(app, over).interpreter;
  assert.equal(of({ script: 'run.sh' }), 'bash');
  assert.equal(of({ script: 'job.py' }), 'python3');
  assert.deepEqual(picked({ script: 'job.py', env: { A: 1 } }, 'env'), { env: { PYTHONUNBUFFERED: '1', A: '1' } });
  assert.equal(of({ script: 'main.ts' }), undefined);
  assert.equal(of({ script: 'main.ts' }, { find: (word: string) => (word === 'bun' ? '/usr/bin/bun' : null) }), 'bun');
  assert.equal(of({ script: 'tool' }), 'none');
  assert.equal(of({ script: 'plain' }), 'node');
  assert.equal(of({ script: 'hashbang' }), undefined);
  assert.equal(of({ interpreter: 'none' }), 'none');
  assert.equal(of({ exec_interpreter: '/opt/node' }), '/opt/node');
  assert.equal(of({ interpreter: 'node@18.1.0' }), '/nvm/versions/node/v18.1.0/bin/node');
  assert.match(notes({ interpreter: 'node@16.0.0' }), /nvm install 16\.0\.0/);
});

test('scripts: relative to cwd, in PATH, with spaces, a directory, a line for the shell, none', () => {
  assert.equal(stanza({ script: 'x.js', cwd: 'deep' }).script, '/srv/deep/x.js');
  assert.deepEqual(stanza({ script: 'npm', args: 'run start' }).command, ['npm', 'run', 'start']);
  assert.equal(stanza({ script: './my dir/run it.sh' }).script, '/srv/my dir/run it.sh');
  assert.deepEqual(stanza({ script: './service/', node_args: '-r x' }).command, ['node', '-r', 'x', '/srv/service']);
  assert.deepEqual(stanza({ script: 'echo "a b" | cat', args: 'c' }).command, ['bash', '-c', 'echo "a b" | cat']);
  assert.match(notes({ script: 'echo hi | cat', args: 'c' }), /args: a line for the shell gets none/);
  assert.equal(stanza({ script: 'nowhere.js' }).script, '/srv/nowhere.js');
  for (const alias of ['exec', 'cmd', 'command'])
    assert.equal(read([{ name: 'x', [alias]: 'app.js' }]).apps[0]!.stanza.script, '/srv/app.js');
  assert.match(refusal({ apps: [{ name: 'web' }] }), /web: there is no "script"/);
  assert.match(refusal([{ script: 'serve' }]), /npx serve/);
});

test('paths come from where one is; from beside the file if the script is only there', () => {
  const over = { file: '/conf/ecosystem.config.js' };
  assert.equal(stanza({ script: 'beside.js' }, over).cwd, '/conf');
  assert.match(notes({ script: 'beside.js' }, over), /directory of the file/);
  assert.equal(stanza({}, over).cwd, '/srv');
  assert.equal(stanza({ cwd: '~/x' }).cwd, '/root/x');
});

test('arguments: a list as it is, a text by quotes', () => {
  assert.deepEqual(stanza({ args: ['a b', 3, true] }).args, ['a b', '3', 'true']);
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['x "y z" k="v w" end', ['x', 'y z', 'k="v w"', 'end']],
    ["a'b c'd it's", ["a'b", "c'd", "it's"]],
    ['"" x', ['x']],
    ['--x=\\"q r\\"', ['--x=\\"q', 'r\\"']],
    [`--json '{"a":1}'`, ['--json', '{"a":1}']],
    ['  "a b"c  ', ['a b', 'c']],
  ];
  for (const [text, words] of cases) assert.deepEqual(stanza({ args: text }).args, words, text);
  for (const key of ['node_args', 'nodeArgs', 'interpreter_args', 'interpreterArgs'])
    assert.deepEqual(stanza({ [key]: '-r dotenv/config --max-old-space-size=200' }).interpreter_args, [
      '-r',
      'dotenv/config',
      '--max-old-space-size=200',
    ]);
  assert.deepEqual(stanza({ source_map_support: true, node_args: ['-C', 'x'] }).interpreter_args, [
    '--enable-source-maps',
    '-C',
    'x',
  ]);
  assert.match(notes({ script: 'tool', node_args: '-x' }), /node_args: without an interpreter/);
});

test('exec_mode and instances: all cells', () => {
  const of = (app: Record<string, unknown>) => stanza(app).instances;
  assert.equal(of({}), undefined);
  assert.equal(of({ exec_mode: 'cluster' }), 1);
  assert.equal(of({ instances: 1 }), 1);
  assert.equal(of({ instances: 1, exec_mode: 'fork' }), undefined);
  assert.equal(of({ instances: 1, script: 'job.py' }), undefined);
  assert.equal(of({ instances: 4 }), 4);
  assert.equal(of({ instances: '4' }), 4);
  assert.equal(of({ instances: 4, exec_mode: 'fork' }), 4);
  assert.equal(of({ instances: 4, script: 'job.py' }), 4);
  for (const all of [0, '0', 'max', 'foo']) assert.equal(of({ instances: all }), 'max');
  assert.equal(of({ instances: -1 }), '-1');
  assert.equal(of({ instances: '-100', execMode: 'cluster_mode' }), '-100');
  assert.match(notes({ instances: 'foo' }), /no number/);
  assert.match(notes({ instances: 'max' }), /cores/);
  assert.match(notes({ instances: 3, exec_mode: 'fork' }), /share/);
  assert.match(mistake({ exec_mode: 'Cluster' }), /"exec_mode" is cluster or fork, in small letters, not "Cluster"/);
  assert.equal(stanza({ instances: 4, increment_var: 'PORT' }).increment_var, 'PORT');
  assert.deepEqual(picked({ instances: 4, instance_var: 'INSTANCE_ID' }, 'increment_var', 'env'), {
    increment_var: 'INSTANCE_ID',
    env: { INSTANCE_ID: '0' },
  });
});

test('environment: env < deploy.NAME.env < env_NAME, nested values as JSON, port', () => {
  const file = {
    apps: [
      {
        script: 'app.js',
        port: 4000,
        env: { A: 'env', B: 'env', C: 'env', OBJ: { a: [1] }, NUL: null, N: 0, F: false },
        env_production: { C: 'own', D: { x: 1 } },
      },
    ],
    deploy: { production: { env: { B: 'deploy', C: 'deploy' } } },
  };
  const of = (profile: string | null) => read(file, { profile }).apps[0]!;
  assert.deepEqual(of(null).stanza.env, {
    NODE_APP_INSTANCE: '0',
    PORT: '4000',
    A: 'env',
    B: 'env',
    C: 'env',
    OBJ: '{"a":[1]}',
    NUL: 'null',
    N: '0',
    F: 'false',
  });
  const production = of('production').stanza.env as Record<string, string>;
  assert.deepEqual([production.A, production.B, production.C, production.D], ['env', 'deploy', 'own', '{"x":1}']);
  assert.match(of('nosuch').notes.join(), /no env_nosuch/);
  assert.match(mistake({ env: 'A=1' }), /"env" takes a map, not "A=1"/);
  assert.match(refusal([{ script: 'app.js', env_x: 'A=1' }], { profile: 'x' }), /"env_x" takes a map/);
  assert.match(notes({ env_file: '.env' }), /env_file/);
  const web = { name: 'web', append_env_to_name: true };
  assert.equal(stanza(web, { profile: 'prod' }).name, 'web-prod');
  assert.equal(stanza(web).name, 'web');
  assert.match(notes({ filter_env: ['AWS', 'SECRET'] }), /env -u/);
  assert.match(notes({ filter_env: true }), /no effect/);
});

test('restarts: what is written holds, zeros included', () => {
  const keys = [
    'restart',
    'max_restarts',
    'stable_after',
    'backoff_min',
    'backoff_max',
    'backoff_factor',
    'stop_exit_codes',
    'max_memory',
  ];
  const of = (app: Record<string, unknown>) => picked(app, ...keys);
  assert.deepEqual(of({}), {});
  assert.deepEqual(of({ autorestart: false }), { restart: 'no' });
  assert.deepEqual(of({ max_restarts: 5 }), { max_restarts: 5, stable_after: '1s' });
  assert.deepEqual(of({ maxRestarts: '5', min_uptime: '1m' }), { max_restarts: 5, stable_after: '1m' });
  assert.deepEqual(of({ max_restarts: 0 }), { max_restarts: 0, stable_after: '1s' });
  assert.match(notes({ max_restarts: 0 }), /pm2 loses the 0/);
  assert.deepEqual(of({ min_uptime: 5000 }), { stable_after: '5s' });
  assert.deepEqual(of({ restart_delay: 3000 }), { backoff_min: '3s', backoff_max: '3s', backoff_factor: 1 });
  assert.deepEqual(of({ exp_backoff_restart_delay: 100 }), {
    backoff_min: '100ms',
    backoff_max: '15s',
    backoff_factor: 1.5,
    stable_after: '30s',
  });
  assert.deepEqual(of({ stop_exit_codes: 0 }), { stop_exit_codes: ['0'] });
  assert.deepEqual(of({ stopExitCodes: [0, 42] }), { stop_exit_codes: ['0', '42'] });
  for (const [given, expected] of [
    ['200M', '200M'],
    [1048576, '1048576'],
    ['2G', '2G'],
    ['0', undefined],
  ] as const)
    assert.equal(of({ max_memory_restart: given }).max_memory, expected);
  for (const wrong of ['200MB', '200m', '1.5G', 'lots'])
    assert.match(mistake({ max_memory_restart: wrong }), /max_memory_restart/);
  for (const wrong of ['500ms', 50, '-1']) assert.match(mistake({ min_uptime: wrong }), /min_uptime/);
  for (const key of ['restart_delay', 'kill_timeout', 'listen_timeout', 'exp_backoff_restart_delay', 'watch_delay'])
    assert.match(mistake({ [key]: '3s' }), new RegExp(`web: "${key}" takes a number, not "3s"`));
  assert.match(mistake({ max_restarts: -1 }), /max_restarts/);
  assert.match(mistake({ autorestart: 'false' }), /"autorestart" takes true or false, not "false"/);
});

test('schedules: an app that is restarted, a job, none', () => {
  assert.equal(stanza({ cron_restart: '0 3 * * *' }).cron, '0 3 * * *');
  assert.equal(stanza({ cron: '*/2 * * * * *' }).cron, '*/2 * * * * *');
  for (const none of [0, '0']) assert.equal(stanza({ cron_restart: none }).cron, undefined);
  assert.match(mistake({ cron_restart: '@daily' }), /cron_restart/);
  const job = one({
    name: 'nightly',
    args: 'x',
    node_args: '-r y',
    autorestart: false,
    cron_restart: '0 3 * * *',
    instances: 1,
    watch: true,
  });
  assert.deepEqual(job.stanza, {
    name: 'nightly',
    job: true,
    command: ['node', '-r', 'y', '/srv/app.js', 'x'],
    cron: '0 3 * * *',
    stop_signal: 'INT',
    cwd: '/srv',
  });
  assert.match(job.notes.join('\n'), /instances, watch, ext, gitignore: of no use to a job/);
});

test('ready and stop', () => {
  assert.deepEqual(picked({ wait_ready: true }, 'ready', 'ready_timeout'), { ready: 'ipc' });
  assert.deepEqual(picked({ waitReady: true, listen_timeout: 5000 }, 'ready', 'ready_timeout'), {
    ready: 'ipc',
    ready_timeout: '5s',
  });
  assert.match(notes({ listen_timeout: 5000 }), /without wait_ready/);
  assert.deepEqual(
    picked({ kill_timeout: 3000, shutdown_with_message: true }, 'stop_signal', 'stop_timeout', 'stop_message'),
    {
      stop_signal: 'INT',
      stop_timeout: '3s',
      stop_message: true,
    },
  );
  assert.equal(stanza({ kill_timeout: 0 }).stop_timeout, '0');
  assert.equal(stanza({}, { env: { PM2_KILL_SIGNAL: 'SIGTERM' } }).stop_signal, 'TERM');
  assert.equal(stanza({}, { env: { PM2_KILL_TIMEOUT: '700' } }).stop_timeout, '700ms');
  assert.equal(stanza({ kill_timeout: 800 }, { env: { PM2_KILL_TIMEOUT: '700' } }).stop_timeout, '800ms');
  assert.match(notes({ treekill: false }), /treekill/);
  assert.match(notes({ kill_retry_time: 50 }), /kill_retry_time/);
  assert.equal(stanza({ autostart: false }).autostart, false);
});

test('logs: files, none, both in one, several instances', () => {
  const of = (app: Record<string, unknown>) => picked(app, 'log_out', 'log_err', 'log_merge');
  for (const key of ['out_file', 'outFile', 'out', 'output', 'out_log'])
    assert.deepEqual(of({ [key]: 'logs/o.log' }), { log_out: '/srv/logs/o.log' });
  for (const key of ['error_file', 'errorFile', 'error', 'err', 'err_file', 'err_log'])
    assert.deepEqual(of({ [key]: '~/e.log' }), { log_err: '/root/e.log' });
  for (const none of ['NULL', '/dev/null'])
    assert.deepEqual(of({ out_file: none, error_file: none }), { log_out: 'none', log_err: 'none' });
  assert.deepEqual(of({ out_file: 'x.log', error_file: './x.log' }), { log_out: '/srv/x.log', log_merge: true });
  assert.deepEqual(of({ log_file: 'all.log' }), { log_out: '/srv/all.log', log_merge: true });
  assert.deepEqual(of({ log: 'all.log', out_file: 'o.log' }), { log_out: '/srv/o.log' });
  assert.match(notes({ log: 'all.log', out_file: 'o.log' }), /log_file/);
  assert.match(notes({ log_file: true }), /log_file: true/);
  assert.deepEqual(of({ disable_logs: true, out_file: 'o.log' }), { log_out: 'none', log_err: 'none' });
  assert.match(notes({ out_file: 'o.log', instances: 2 }), /x-1\.log/);
  assert.match(notes({ out_file: 'o.log', instances: 2, merge_logs: true }), /merge_logs/);
  assert.match(notes({ time: true, log_date_format: 'YYYY' }), /time, log_date_format: .*stead logs -t/);
  assert.match(notes({ log_type: 'json' }), /--json/);
  assert.deepEqual(stanza({ pid_file: "run/it's.pid" }).on, {
    ready: `printf '%s\\n' "$STEAD_PID" > '/srv/run/it'\\''s'-"$STEAD_INSTANCE".pid`,
    exit: `kill -0 "$(cat '/srv/run/it'\\''s'-"$STEAD_INSTANCE".pid)" 2>/dev/null || rm -f '/srv/run/it'\\''s'-"$STEAD_INSTANCE".pid`,
  });
});

test("one log file of two apps is one app's", () => {
  const { apps } = read([
    { name: 'a', script: 'app.js', out_file: 'x.log' },
    { name: 'b', script: 'run.sh', out_file: './x.log' },
  ]);
  assert.deepEqual([apps[0]!.stanza.log_out, apps[1]!.stanza.log_out], ['/srv/x.log', undefined]);
  assert.match(apps[1]!.notes.join(), /is a log of a/);
});

test('watching', () => {
  const of = (app: Record<string, unknown>) => picked(app, 'watch', 'ext', 'gitignore', 'ignore_watch', 'watch_delay');
  const usual = { ext: '*', gitignore: false };
  assert.deepEqual(of({ watch: false }), {});
  assert.deepEqual(of({ watch: true }), { watch: true, ...usual });
  assert.deepEqual(of({ watch: 'src' }), { watch: ['src'], ...usual });
  assert.deepEqual(of({ watch: ['src', 'lib'], ignoreWatch: 'tmp', watch_delay: 1500 }), {
    watch: ['src', 'lib'],
    ...usual,
    ignore_watch: ['tmp'],
    watch_delay: '1500ms',
  });
  assert.deepEqual(
    of({ watch: true, ignore_watch: ['a', {}, '/[\\/\\\\]\\./'], watch_options: { ignored: 'b', usePolling: true } }),
    {
      watch: true,
      ...usual,
      ignore_watch: ['a', 'b'],
    },
  );
  assert.match(
    notes({ watch: true, watch_options: { usePolling: true, followSymlinks: true } }),
    /watch_options: usePolling:/,
  );
  assert.match(notes({ ignore_watch: ['a'] }), /nothing is watched/);
});

test('users, groups, and what has no effect, each with its reason', () => {
  assert.equal(stanza({ uid: 1000 }).user, '1000');
  assert.equal(stanza({ user: 'www-data' }).user, 'www-data');
  assert.match(notes({ gid: 'x' }), /gid/);
  assert.equal(stanza({ namespace: 'shop' }).group, 'shop');
  assert.equal(stanza({ namespace: 'default' }).group, undefined);
  const all = {
    force: true,
    post_update: ['npm i'],
    username: 'me',
    vizion: true,
    pmx: true,
    automation: true,
    trace: true,
    v8: true,
    deep_monitoring: true,
    event_loop_inspector: true,
    io: {},
    install_url: 'x',
  };
  for (const key of Object.keys(all)) assert.match(notes(all), new RegExp(`\\b${key}\\b.*no effect`), key);
  assert.equal(notes({ vizion: false, pmx: false, windowsHide: true }), '');
});

test('unknown fields are named with the nearest; aliases that contradict are told', () => {
  assert.match(
    notes({ max_restart: 3 }),
    /"max_restart" is no field of pm2's and has no effect; did you mean max_restarts\?/,
  );
  assert.match(notes({ depends_on: ['db'] }), /"depends_on" is no field/);
  const both = one({ out_file: 'a', output: 'b' });
  assert.equal(both.stanza.log_out, '/srv/a');
  assert.match(both.notes.join(), /out_file and output are one field: out_file holds/);
});

test('only, static, deploy, unknown keys at the top', () => {
  const file = {
    apps: [
      { name: 'a', script: 'app.js' },
      { name: 'b', script: 7 },
    ],
    static: [{ path: 'x' }],
    deploy: {},
    app: 1,
  };
  const { apps, notes } = read(file, { only: ['a'] });
  assert.equal(apps.length, 1);
  assert.match(notes.join('\n'), /deploy: .*\nstatic: .*\n"app" is no field .*did you mean apps\?/);
  assert.match(refusal(file, { only: ['a', 'c'] }), /There is no "c" in/);
  assert.match(refusal(file), /b: "script" takes a text, not "7"/);
});

test('hostile values are refused or kept, never thrown over', () => {
  for (const value of [[null], [[]], [3], ['x'], { apps: [null] }, { apps: [[{}]] }])
    assert.match(refusal(value), /must be a map/);
  assert.match(mistake({ env: { 'A=B': 1 } }), /can't be the name of a variable/);
  const proto = JSON.parse('{"script":"app.js","__proto__":{"x":1},"constructor":2,"env":{"__proto__":"y"}}');
  assert.match(readEcosystem([proto], context()).apps[0]!.notes.join(), /__proto__/);
});

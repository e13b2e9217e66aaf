import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checked, contextWith } from '../fixtures.ts';
import { readProcessCompose } from './read.ts';
import { expandVariables } from './variables.ts';

function read(text: string | readonly string[], files: Record<string, string> = {}, env = {}) {
  const all = [text]
    .flat()
    .map((each, at) => ({ path: `/srv/app/${at === 0 ? 'process-compose' : `over${at}`}.yaml`, text: each }));
  return checked(readProcessCompose(all, contextWith('/srv/app/x', files, { env })));
}

test('a stack of database, migration, API and UI', () => {
  const { apps, notes } = read(`version: "0.5"
environment:
  - "LOG=info"
processes:
  db:
    command: postgres -D data
    readiness_probe:
      exec: { command: pg_isready -q }
      initial_delay_seconds: 2
      period_seconds: 5
      timeout_seconds: 4
      failure_threshold: 6
    availability: { restart: always }
    shutdown: { signal: 2, timeout_seconds: 30 }
  migrate:
    description: once, before the API
    command: ./migrate.sh && echo done
    depends_on:
      db: { condition: process_healthy }
  api:
    command: node server.js --port 3000
    working_dir: ./api
    namespace: backend
    environment: ["LOG=debug", "PORT=3000"]
    depends_on:
      migrate: { condition: process_completed_successfully }
    readiness_probe:
      http_get: { host: 127.0.0.1, scheme: http, path: /health, port: 3000 }
    availability: { restart: on_failure, backoff_seconds: 2, max_restarts: 5 }
  ui:
    command: npm run dev
    depends_on: { api: {} }
    disabled: true
    log_location: ./log/ui.log
    log_configuration: { rotation: { max_size_mb: 5, max_backups: 3, compress: false } }
`);
  assert.deepEqual(apps.db, {
    name: 'db',
    command: ['postgres', '-D', 'data'],
    env: { LOG: 'info' },
    restart: 'always',
    stop_signal: '2',
    stop_timeout: '30s',
    ready: 'exec:pg_isready -q',
    ready_timeout: '32s',
    alive: 'exec:pg_isready -q',
    alive_interval: '5s',
    alive_timeout: '4s',
    alive_failures: 6,
  });
  assert.deepEqual(apps.migrate, {
    name: 'migrate',
    command: ['bash', '-c', './migrate.sh && echo done'],
    env: { LOG: 'info' },
    restart: 'no',
    depends_on: { db: 'ready' },
  });
  assert.deepEqual(apps.api, {
    name: 'api',
    group: 'backend',
    command: ['node', 'server.js', '--port', '3000'],
    cwd: 'api',
    env: { LOG: 'debug', PORT: '3000' },
    restart: 'on-failure',
    max_restarts: 5,
    backoff_min: '2s',
    backoff_max: '2s',
    backoff_factor: 1,
    ready: 'http://127.0.0.1:3000/health',
    alive: 'http://127.0.0.1:3000/health',
    depends_on: { migrate: 'completed' },
  });
  assert.deepEqual(apps.ui, {
    name: 'ui',
    command: ['npm', 'run', 'dev'],
    autostart: false,
    env: { LOG: 'info' },
    restart: 'no',
    depends_on: { api: 'started' },
    log_out: 'log/ui.log',
    log_merge: true,
    log_max_size: '5M',
    log_keep: 3,
    log_compress: false,
  });
  assert.match(notes, /once, before the API/);
});

test('variables of the environment and of .env are put in; $$ is for the program', () => {
  const { apps, notes } = read(
    `processes:
  a:
    command: "python3 down_\${VERSION}.py -s $$HOME $(date) $NOPE"
    availability: { restart: always, backoff_seconds: \${WAIT_SEC} }
`,
    { '/srv/app/.env': "VERSION='1.2.3'\nWAIT_SEC=60\n" },
    { VERSION: '9' },
  );
  assert.deepEqual(
    apps.a!.command,
    ['bash', '-c', 'python3 down_9.py -s $HOME $(date) '].map((word) => word.trimEnd()),
  );
  assert.deepEqual([apps.a!.backoff_min, apps.a!.env_file], ['60s', ['.env']]);
  assert.match(notes, /Put in .*: \$VERSION and \$WAIT_SEC/);
  assert.match(notes, /Nothing sets \$NOPE/);
  const off = read('disable_env_expansion: true\nprocesses:\n  a: { command: "echo $X" }\n');
  assert.deepEqual(off.apps.a!.command, ['bash', '-c', 'echo $X']);
});

test('os.Expand, letter by letter', () => {
  const env = { A: '1', AB: '2' };
  for (const [text, expected] of [
    [`$A$AB\${A}B`, '121B'],
    ['$$A', '$A'],
    ['$(x) $ $', '$(x) $ $'],
    ['a$1b$?', 'ab'],
    ['$constructor', ''],
  ])
    assert.equal(expandVariables(text!, env).text, expected);
});

test('templates: local before global, literals, and what is not understood', () => {
  const { apps, notes } = read(
    `vars: { VERSION: v1, WHO: all }
processes:
  a:
    vars: { WHO: me, LOG: ./a.log }
    command: "run {{.VERSION}} {{ .WHO }} && docker inspect -f '{{ "{{.State}}" }}'"
    log_location: "{{.LOG}}"
  b:
    command: "run {{if .X}}1{{end}}"
`.replaceAll('"{{.State}}"', '\\"{{.State}}\\"'),
  );
  assert.deepEqual(apps.a!.command, ['bash', '-c', "run v1 me && docker inspect -f '{{.State}}'"]);
  assert.equal(apps.a!.log_out, 'a.log');
  assert.match(notes, /\{\{if \.X\}\}: a template that is not understood/);
});

test('replicas: instances, or apps where each is another', () => {
  const { apps } = read(`processes:
  worker: { command: "work $$PC_REPLICA_NUM", replicas: 3 }
  server:
    command: "python3 -m http.server 404{{.PC_REPLICA_NUM}}"
    replicas: 2
    is_tty: true
    readiness_probe: { http_get: { host: 127.0.0.1, port: "404{{.PC_REPLICA_NUM}}" } }
  client: { command: curl, depends_on: { server: { condition: process_healthy } } }
`);
  assert.deepEqual([apps.worker!.instances, apps.worker!.increment_var], [3, 'PC_REPLICA_NUM']);
  assert.deepEqual(apps['server-1']!.command, ['python3', '-m', 'http.server', '4041']);
  assert.deepEqual([apps['server-1']!.ready, apps['server-1']!.tty], ['http://127.0.0.1:4041/', true]);
  assert.deepEqual(apps.client!.depends_on, { 'server-0': 'ready', 'server-1': 'ready' });
});

test('schedules are jobs', () => {
  const { apps, notes } = read(`processes:
  backup: { command: ./backup.sh, schedule: { cron: "0 2 * * *", timezone: UTC } }
  clean: { command: find /tmp -delete, schedule: { interval: 30m, run_on_start: true } }
  odd: { command: x, schedule: { interval: 7m, max_concurrent: 3 } }
  wrong: { command: x, schedule: { cron: "61 * * * *" } }
`);
  assert.deepEqual(apps.backup, {
    name: 'backup',
    job: true,
    command: ['./backup.sh'],
    cron: '0 2 * * *',
    timezone: 'UTC',
  });
  assert.deepEqual(apps.clean, {
    name: 'clean',
    job: true,
    command: ['find', '/tmp', '-delete'],
    cron: '*/30 * * * *',
  });
  assert.equal(apps.odd!.cron, undefined);
  for (const said of [
    /run_on_start/,
    /interval: 7m: cron can't say it/,
    /max_concurrent: 3/,
    /61 \* \* \* \* is no pattern/,
  ])
    assert.match(notes, said);
});

test('daemons, terminals, ends that end others, elevated ones', () => {
  const { apps, notes } = read(`processes:
  nginx:
    command: docker run -d --rm --name n nginx
    is_daemon: true
    launch_timeout_seconds: 2
    shutdown: { command: docker stop n, timeout_seconds: 10, parent_only: yes }
    liveness_probe: { exec: { command: "docker inspect n", working_dir: /tmp }, period_seconds: 2 }
  vim: { command: vim, is_foreground: true }
  tests: { command: go test, availability: { exit_on_end: true } }
  lint: { command: lint, availability: { restart: exit_on_failure } }
  root: { command: ls, is_elevated: true, disable_ansi_colors: true }
  said: { command: ready, ready_log_line: "ready to accept .*" }
  after: { command: x, depends_on: { said: { condition: process_log_ready }, tests: { condition: process_completed } } }
`);
  assert.deepEqual(apps.nginx, {
    name: 'nginx',
    command: ['docker', 'run', '-d', '--rm', '--name', 'n', 'nginx'],
    restart: 'no',
    stop_command: 'docker stop n',
    stop_timeout: '10s',
    alive: 'exec:cd /tmp && docker inspect n',
    alive_interval: '2s',
  });
  assert.deepEqual(apps.vim, { name: 'vim', command: ['vim'], autostart: false, restart: 'no', tty: true });
  assert.equal(apps.said!.ready, 'log:ready to accept .*');
  assert.deepEqual(apps.after!.depends_on, { said: 'ready', tests: 'completed' });
  for (const said of [
    /is_daemon/,
    /exit_on_end/,
    /exit_on_failure/,
    /is_elevated/,
    /parent_only/,
    /Without an equal: launch_timeout_seconds/,
    /process_completed is any end/,
  ])
    assert.match(notes, said);
});

test('watching', () => {
  const { apps, notes } = read(`processes:
  api:
    command: ./api
    working_dir: api
    watch:
      debounce: 500ms
      cascade: true
      paths:
        - { path: ./src, include: ["*.go", "**/*.html"], exclude: ["**/*_test.go"] }
        - { path: ../lib }
  whole: { command: ./all, watch: { paths: [{ path: . }] } }
`);
  assert.deepEqual(
    [apps.api!.watch, apps.api!.ignore, apps.api!.ext, apps.api!.watch_delay],
    [['src', '../lib'], ['**/*_test.go'], 'go,html', '500ms'],
  );
  assert.deepEqual([apps.whole!.watch, apps.whole!.ext], [['.'], '*']);
  assert.match(notes, /watch\.cascade/);
});

test('several files are merged; shell, entrypoint, extensions', () => {
  const { apps, notes } = read([
    'shell: { shell_command: zsh, shell_argument: -ic }\nprocesses:\n  a: { command: "a | b", environment: ["X=1"] }\n  py: { entrypoint: [python3, -c, "print(1)"] }\nx-mine: 1\nextends: base.yaml\nlog_location: ./all.log\nenv_cmds: { DATE: date }\n',
    'processes:\n  a: { environment: ["Y=2"], disabled: true }\n  c: { command: c }\n',
  ]);
  assert.deepEqual(apps.a, {
    name: 'a',
    command: ['zsh', '-ic', 'a | b'],
    autostart: false,
    env: { X: '1', Y: '2' },
    restart: 'no',
  });
  assert.deepEqual(apps.py!.command, ['python3', '-c', 'print(1)']);
  assert.ok(apps.c);
  for (const said of [/extends: "base\.yaml"/, /log_location of all/, /env_cmds: not run; set DATE/])
    assert.match(notes, said);
});

test('mistakes, each with its line; a bomb, depth, and what is no map', () => {
  const bad = `processes:
  a:
    commnad: x
  b:
    command: [x]
    depends_on: { zzz: {} }
    is_tty: perhaps
    replicas: 9999
`;
  assert.throws(() => read(bad), {
    code: 'CONFIG_INVALID',
    message: /line 2: a: it has neither "command".*\n(?:.*\n)*.*line 8: b: replicas takes/,
  });
  assert.throws(
    () => read('processes:\n  b:\n    command: [x]\n    depends_on: { zzz: {} }\n    is_tty: perhaps\n'),
    /line 3: command must be a text\n(?:.*\n)*.*line 4: b: depends_on names "zzz".*\n.*line 5: is_tty must be true or false/,
  );
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`)
    .join('\n')}\n`;
  assert.throws(() => read(bomb), { code: 'CONFIG_INVALID' });
  assert.throws(() => read(`processes: ${'['.repeat(100)}${']'.repeat(100)}`), /nested too deeply/);
  assert.throws(() => read('- a'), /must hold a map with "processes"/);
  assert.throws(() => read('processes: {'), { code: 'CONFIG_INVALID', message: /line 1: / });
  assert.throws(() => read('version: "0.5"'), /it has no processes/);
  assert.match(
    read('procesess: {}\nprocesses: { a: { command: x, comand: y } }').notes,
    /procesess: process-compose has no such key; processes was meant\?.*comand: process-compose has no such key; command was meant/s,
  );
});

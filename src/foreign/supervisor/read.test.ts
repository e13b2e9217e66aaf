import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checked, contextWith } from '../fixtures.ts';
import { readSupervisor } from './read.ts';

const read = (text: string, files: Record<string, string> = {}, env = {}) =>
  checked(readSupervisor(text, contextWith('/srv/app/supervisord.conf', files, { env })));

test('a Laravel worker: %(process_num) in its name alone makes instances', () => {
  const { apps, notes } = read(`[program:laravel-worker]
process_name=%(program_name)s_%(process_num)02d
command=php /home/forge/app.com/artisan queue:work sqs --sleep=3 --tries=3 --max-time=3600
autostart=true
autorestart=true
stopasgroup=true
killasgroup=true
user=forge
numprocs=8
redirect_stderr=true
stdout_logfile=/home/forge/app.com/worker.log
stopwaitsecs=3600
`);
  assert.deepEqual(apps, {
    'laravel-worker': {
      name: 'laravel-worker',
      command: ['php', '/home/forge/app.com/artisan', 'queue:work', 'sqs', '--sleep=3', '--tries=3', '--max-time=3600'],
      user: 'forge',
      restart: 'always',
      stop_timeout: '3600s',
      instances: 8,
      log_out: '/home/forge/app.com/worker.log',
      log_merge: true,
    },
  });
  assert.match(notes, /gives a program up after startretries/);
});

test('the example of the documentation, key by key', () => {
  const { apps, notes } = read(`[program:cat]
command=/bin/cat
process_name=%(program_name)s
numprocs=1
directory=/tmp
umask=022
priority=999
autostart=true
autorestart=unexpected
startsecs=10
startretries=3
exitcodes=0,2
stopsignal=TERM
stopwaitsecs=10
stopasgroup=false
killasgroup=false
user=chrism
redirect_stderr=false
stdout_logfile=/a/path
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=10
stdout_capture_maxbytes=1MB
stdout_events_enabled=false
stderr_logfile=/a/path2
stderr_logfile_maxbytes=2MB
stderr_logfile_backups=10
stderr_capture_maxbytes=1MB
stderr_events_enabled=true
environment=A="1",B="2"
serverurl=AUTO
`);
  assert.deepEqual(apps.cat, {
    name: 'cat',
    command: ['/bin/cat'],
    cwd: '/tmp',
    user: 'chrism',
    umask: '022',
    env: { A: '1', B: '2' },
    restart: 'on-failure',
    stop_exit_codes: [2],
    max_restarts: 3,
    stable_after: '10s',
    stop_signal: 'TERM',
    stop_timeout: '10s',
    log_out: '/a/path',
    log_err: '/a/path2',
    log_max_size: '1M',
    log_keep: 10,
  });
  for (const said of [
    'stopasgroup=false',
    'stdout_capture_maxbytes',
    'stderr_events_enabled',
    'stderr_logfile_maxbytes="2MB"',
  ])
    assert.ok(notes.includes(said), said);
});

test('processes that differ are apps of their own, in a group', () => {
  const { apps } = read(`[program:tornado]
command=/usr/bin/python app.py --port=80%(process_num)02d
process_name=%(program_name)s-80%(process_num)02d
numprocs=3
numprocs_start=1
environment=PORT="80%(process_num)02d",WHERE="%(here)s",KEPT="\${HOME}"
stdout_logfile=%(here)s/log/%(program_name)s_%(process_num)d.log
`);
  assert.deepEqual(Object.keys(apps), ['tornado-8001', 'tornado-8002', 'tornado-8003']);
  assert.deepEqual(apps['tornado-8002'], {
    name: 'tornado-8002',
    group: 'tornado',
    command: ['/usr/bin/python', 'app.py', '--port=8002'],
    env: { PORT: '8002', WHERE: '/srv/app', KEPT: `\${HOME}` },
    restart: 'on-failure',
    log_out: 'log/tornado_2.log',
  });
});

test('comments, continuation lines, keys in any case, a section twice', () => {
  const { apps } = read(`; a comment
# another
[program:web]            ; the server
Command = gunicorn
  --bind 0.0.0.0:8000    ; where

  app:app
environment=
    A="1;2",   ; not part of it
    URL="http://x/#top",
    B='two words'
[program:web]
autostart: off
`);
  assert.deepEqual(apps.web, {
    name: 'web',
    command: ['gunicorn', '--bind', '0.0.0.0:8000', 'app:app'],
    autostart: false,
    env: { A: '1;2', URL: 'http://x/#top', B: 'two words' },
    restart: 'on-failure',
  });
});

test('%(ENV_X)s, %% and what is missing', () => {
  const { apps } = read(
    '[program:x]\ncommand=date +%%H -u "%(ENV_WHO)s"\ndirectory=%(ENV_HOME)s/x\nuser=%(ENV_WHO)s',
    {},
    { WHO: 'ann', HOME: '/home/ann' },
  );
  assert.deepEqual([apps.x!.command, apps.x!.cwd, apps.x!.user], [['date', '+%H', '-u', 'ann'], '/home/ann/x', 'ann']);
  assert.throws(() => read('[program:x]\ncommand=%(ENV_NOPE)s\nuser=%(nope)s\nenvironment=A="%H"'), {
    code: 'CONFIG_INVALID',
    message:
      /3 mistakes:\n {2}line 2: command: the environment has no NOPE.*\n {2}line 3: user: there is no %\(nope\)s.*\n {2}line 4: environment: "%H" is no/,
  });
});

test('includes, groups, what [supervisord] says for all', () => {
  const { apps, notes } = read(
    `[unix_http_server]
file=/tmp/supervisor.sock
[supervisord]
logfile=/tmp/supervisord.log
environment=LANG=C.UTF-8
umask=027
minfds=4096
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[group:site]
programs=web,jobs
[include]
files = conf.d/*.conf %(here)s/extra.ini
`,
    {
      '/srv/app/conf.d/web.conf': '[program:web]\ncommand=web\npriority=20\nautorestart=false\n',
      '/srv/app/conf.d/jobs.conf': '[program:jobs]\ncommand=jobs\npriority=10\n[include]\nfiles=/etc/passwd\n',
      '/srv/app/conf.d/readme.txt': 'no ini',
      '/srv/app/extra.ini': '[program:lone]\ncommand=lone\nenvironment=LANG=C,X=1\n',
    },
  );
  assert.deepEqual(Object.keys(apps), ['jobs', 'web', 'lone']);
  assert.deepEqual(apps.web, {
    name: 'web',
    group: 'site',
    command: ['web'],
    umask: '027',
    env: { LANG: 'C.UTF-8' },
    restart: 'no',
  });
  assert.deepEqual(apps.lone!.env, { LANG: 'C', X: '1' });
  assert.equal(apps.lone!.group, undefined);
  for (const said of [
    /jobs \(10\), web \(20\), lone \(999\)/,
    /\[unix_http_server\] and \[rpcinterface:supervisor\]/,
    /minfds/,
  ])
    assert.match(notes, said);
});

test('event listeners are no apps: what to do instead', () => {
  const { apps, notes } = read(`[program:web]
command=web
[eventlistener:memmon]
command=memmon -p web=200MB
events=TICK_60
[eventlistener:own]
command=/usr/bin/mine
events=PROCESS_STATE
`);
  assert.deepEqual(Object.keys(apps), ['web']);
  assert.match(notes, /\[eventlistener:memmon\] is no app.*instead: max_memory: 200M/);
  assert.match(notes, /\[eventlistener:own\].*stead events -f --json/);
});

test('a FastCGI program: the socket is held by stead, and moved to stdin', () => {
  const { apps, notes } = read(`[fcgi-program:php]
socket=unix:///run/php/%(program_name)s.sock
socket_owner=www-data
command=/usr/bin/php-cgi -d x=1
numprocs=5
process_name=%(program_name)s_%(process_num)02d
stopsignal=QUIT
[fcgi-program:tcp]
socket=tcp://localhost:9002
command=x.fcgi
`);
  assert.deepEqual(apps.php, {
    name: 'php',
    command: ['sh', '-c', 'exec "$@" <&3 3<&-', 'sh', '/usr/bin/php-cgi', '-d', 'x=1'],
    restart: 'on-failure',
    stop_signal: 'QUIT',
    instances: 5,
    listen: ['unix:/run/php/php.sock'],
  });
  assert.deepEqual(apps.tcp!.listen, ['127.0.0.1:9002']);
  assert.match(notes, /socket_owner: has no equal/);
});

test('logs: none, stdout of a container, syslog, sizes', () => {
  const { apps, notes } = read(`[program:a]
command=a
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stderr_logfile=/dev/fd/2
stderr_logfile_maxbytes=0
[program:b]
command=b
stdout_logfile=NONE
stderr_logfile=AUTO
[program:c]
command=c
stdout_logfile=syslog
[program:d]
command=d
stdout_syslog=true
redirect_stderr=true
stderr_logfile=/x
`);
  assert.deepEqual([apps.a!.log_out, apps.a!.log_max_size], [undefined, 0]);
  assert.deepEqual([apps.b!.log_out, apps.b!.log_err], ['none', undefined]);
  assert.equal(apps.c!.log_forward, 'syslog');
  assert.deepEqual([apps.d!.log_forward, apps.d!.log_merge], ['syslog', true]);
  assert.match(notes, /stdout_logfile=\/dev\/stdout: it is kept/);
  assert.match(notes, /stderr_logfile means nothing/);
});

test('exit codes, restarts and start seconds in all their combinations', () => {
  const of = (lines: string) => read(`[program:x]\ncommand=x\n${lines}`).apps.x!;
  assert.deepEqual([of('').restart, of('').max_restarts], ['on-failure', undefined]);
  assert.deepEqual([of('exitcodes=2').restart, of('exitcodes=2').stop_exit_codes], ['always', [2]]);
  assert.deepEqual([of('startretries=5').max_restarts, of('startretries=5').stable_after], [5, '1s']);
  assert.deepEqual([of('startsecs=0').stable_after, of('startsecs=5').stable_after], [undefined, '5s']);
  assert.deepEqual(
    [of('autorestart=false\nstartretries=3').restart, of('autorestart=false\nstartretries=3').max_restarts],
    ['no', undefined],
  );
});

test('mistakes: all of them, each with its line, also those of an included file', () => {
  const bad = `key=before
[program:a]
no delimiter
[program:b]
command=x "y
autostart=maybe
numprocs=many
[group:g]
programs=a,zzz
[include]
files=more.conf
`;
  assert.throws(() => read(bad, { '/srv/app/more.conf': '[program:c]\ncommand=c\nenvironment=A\n' }), {
    code: 'CONFIG_INVALID',
    message:
      /line 1: .* stands before any.*\n.*line 2: \[program:a\] has no command\n.*line 3: "no delimiter" is neither(?:.*\n)*.*line 7: numprocs(?:.*\n)*.*line 9: .*"zzz"/,
  });
  assert.throws(
    () =>
      read('[program:c]\ncommand=c\n[include]\nfiles=more.conf', {
        '/srv/app/more.conf': '[program:d]\nenvironment=A',
      }),
    /more\.conf, line 2: environment: it goes on with "A"/,
  );
  assert.throws(() => read('[supervisord]\n'), /it has no \[program:x\]/);
});

test('what is no signal, no umask, or no key at all is left out and said', () => {
  const { apps, notes } = read(
    '[program:x]\ncommand=x\nstopsignal=NOPE\numask=999\nautostrat=false\nstopwaitsecs=abc\n',
  );
  assert.deepEqual(apps.x, { name: 'x', command: ['x'], restart: 'on-failure' });
  for (const said of [
    /stopsignal=NOPE: left out/,
    /umask=999: left out/,
    /autostrat: supervisord has no such key; autostart was meant\?/,
    /stopwaitsecs=abc: left out/,
  ])
    assert.match(notes, said);
});

test('a file below /etc runs its programs in /', () => {
  const { apps, notes } = checked(
    readSupervisor('[program:x]\ncommand=x', contextWith('/etc/supervisor/supervisord.conf')),
  );
  assert.equal(apps.x!.cwd, '/');
  assert.match(notes, /run in \//);
});

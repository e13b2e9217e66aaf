import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { checked, contextWith } from '../../fixtures.ts';
import { readSystemd } from './read.ts';

/** Units by path, all of them imported; other files by path. */
function read(units: Record<string, string>, files: Record<string, string> = {}, base = '/home/me') {
  const context = contextWith('/home/me/x', files, { base });
  return checked(
    readSystemd(
      Object.entries(units).map(([path, text]) => ({
        path: path.startsWith('/') ? path : `/etc/systemd/system/${path}`,
        text,
      })),
      context,
    ),
  );
}
const one = (lines: string, files: Record<string, string> = {}) => {
  const { apps, notes } = read({ 'x.service': `[Service]\nExecStart=/bin/x\n${lines}` }, files);
  return { app: apps.x!, notes };
};

test('a Node service as people write it, field by field', () => {
  const { apps, notes } = read({
    'shop.service': `[Unit]
Description=Shop of %H
Documentation=https://example.com
After=network.target postgresql.service
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
Type=notify
User=shop
Group=shop
WorkingDirectory=/srv/shop
Environment=NODE_ENV=production "GREETING=hello world"
Environment=PORT=3000
ExecStart=/usr/bin/node --enable-source-maps server.js \\
    --port \${PORT}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
TimeoutStartSec=90
TimeoutStopSec=1min 30s
KillSignal=SIGINT
UMask=0027
LimitNOFILE=65535
LimitCORE=infinity
MemoryMax=1.5G
Nice=-5
OOMScoreAdjust=-100
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
StandardOutput=append:/var/log/shop.log
SyslogIdentifier=shop
WatchdogSec=30

[Install]
WantedBy=multi-user.target
`,
  });
  assert.deepEqual(apps.shop, {
    name: 'shop',
    command: ['/usr/bin/node', '--enable-source-maps', 'server.js', '--port', '3000'],
    cwd: '/srv/shop',
    user: 'shop',
    no_new_privs: true,
    umask: '0027',
    env: { NODE_ENV: 'production', GREETING: 'hello world', PORT: '3000' },
    restart: 'on-failure',
    max_restarts: 2,
    restart_window: '1m',
    backoff_min: '5s',
    backoff_max: '5s',
    backoff_factor: 1,
    stop_signal: 'SIGINT',
    stop_timeout: '90s',
    ready: 'notify',
    ready_timeout: '90s',
    alive: 'watchdog',
    alive_interval: '30s',
    max_memory: '1536M',
    limit: { nofile: '65535', core: 'unlimited' },
    nice: -5,
    oom_score_adj: -100,
    log_out: '/var/log/shop.log',
    log_merge: true,
  });
  for (const said of [
    'Shop of box',
    'postgresql.service: not imported',
    'stead signal HUP shop',
    'Sandboxing has no equal here: PrivateTmp=true, ProtectSystem=strict.',
    'Without an equal: SyslogIdentifier=shop.',
    'clean environment',
  ])
    assert.ok(notes.includes(said), said);
});

test('variables: known ones are put in, others are left to a shell', () => {
  const files = { '/etc/default/ssh': 'SSHD_OPTS="-o X=1 -o Y=2"\nPORT=22\n' };
  const { app, notes } = one('', {});
  assert.deepEqual([app.command, notes.includes('looked up')], [['/bin/x'], false]);
  const ssh = read(
    {
      'ssh.service': `[Service]\nEnvironmentFile=-/etc/default/ssh\nEnvironment=A=1 "B=x y" PORT=1\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS -p \${PORT} $A $B "\${B}" a$B $$HOME pre-\${A}-\n`,
    },
    files,
  );
  assert.deepEqual(ssh.apps.ssh!.command, [
    'sh',
    '-c',
    `set -f; exec /usr/sbin/sshd -D $SSHD_OPTS -p "\${PORT}" 1 x y 'x y' 'a$B' '$HOME' pre-1-`,
  ]);
  assert.deepEqual([ssh.apps.ssh!.env, ssh.apps.ssh!.env_file], [{ A: '1', B: 'x y' }, ['/etc/default/ssh']]);
  assert.match(ssh.notes, /\$SSHD_OPTS and \$PORT: looked up by a shell/);
});

test('quotes, C escapes, specifiers, prefixes', () => {
  const of = (line: string) => read({ 'web@8080.service': `[Service]\nExecStart=${line}\n` });
  assert.deepEqual(
    of(`/bin/echo "a b" 'c "d"' e\\x20f \\u00e9 \\t|"\\"" 100%% %i %n %p \\$ ""`).apps['web-8080']!.command,
    ['/bin/echo', 'a b', 'c "d"', 'e f', 'é', '\t|"', '100%', '8080', 'web@8080.service', 'web', '\\$', ''],
  );
  const at = of('@/usr/bin/java java-app -jar x.jar');
  assert.deepEqual(at.apps['web-8080']!.command, ['/usr/bin/java', '-jar', 'x.jar']);
  assert.match(at.notes, /the prefix "@" has no equal/);
  assert.deepEqual(of(`:/bin/echo $X \${Y}`).apps['web-8080']!.command, ['/bin/echo', '$X', `\${Y}`]);
  const lenient = of('-/bin/x\nRestart=on-failure');
  assert.equal(lenient.apps['web-8080']!.restart, 'no');
  assert.match(of('/bin/x %m').notes, /%m is known to systemd alone/);
  assert.throws(() => of('/bin/x "open'), {
    code: 'CONFIG_INVALID',
    message: /ExecStart=\/bin\/x "open: a quote is not closed/,
  });
});

test('what runs before, after and at the end', () => {
  const { app, notes } = one(`ExecStartPre=-/bin/mkdir -p /run/x
ExecStartPre=/bin/check 'it is'
ExecStartPost=/bin/notify $MAINPID
ExecStop=/bin/x --quit ; /bin/sleep 1
ExecStopPost=-/bin/rm -f /run/x.pid
ExecReload=/bin/x reload`);
  assert.deepEqual(app.command, ['sh', '-c', "{ /bin/mkdir -p /run/x || :; } && /bin/check 'it is' && exec /bin/x"]);
  assert.deepEqual(app.on, { start: '/bin/notify $STEAD_PID', exit: '{ /bin/rm -f /run/x.pid || :; }' });
  assert.equal(app.stop_command, '/bin/x --quit && /bin/sleep 1');
  assert.match(notes, /ExecReload=\/bin\/x reload: has no equal/);
});

test('oneshots and timers are jobs', () => {
  const { apps, notes } = read({
    'backup.service':
      '[Service]\nType=oneshot\nExecStart=/usr/bin/backup --all\nTimeoutStartSec=2h\nExecStart=/usr/bin/prune\n',
    'backup.timer':
      '[Timer]\nOnCalendar=*-*-* 03:30:00\nRandomizedDelaySec=10min\nPersistent=true\n[Install]\nWantedBy=timers.target\n',
    'poll.service': '[Service]\nExecStart=/usr/bin/poll\nRestart=on-failure\n',
    'poll-often.timer': '[Timer]\nOnBootSec=1min\nOnUnitActiveSec=15min\nUnit=poll.service\n',
    'lone.timer': '[Timer]\nOnCalendar=daily\n',
  });
  assert.deepEqual(apps.backup, {
    name: 'backup',
    job: true,
    command: ['sh', '-c', '/usr/bin/backup --all && exec /usr/bin/prune'],
    cwd: '/',
    cron: '30 3 * * *',
    missed: 'run',
    timeout: '2h',
  });
  assert.deepEqual(apps.poll, {
    name: 'poll',
    job: true,
    command: ['/usr/bin/poll'],
    cwd: '/',
    restart: 'on-failure',
    cron: '*/15 * * * *',
  });
  for (const said of [
    /RandomizedDelaySec=10min/,
    /OnUnitActiveSec=15min is by the clock/,
    /OnBootSec=1min/,
    /lone\.timer starts lone\.service, which is not imported/,
  ])
    assert.match(notes, said);
});

test('units that need each other', () => {
  const { apps } = read({
    'db.service': '[Service]\nExecStart=/bin/db\nType=notify\n',
    'migrate.service':
      '[Unit]\nRequires=db.service\nAfter=db.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/migrate\n',
    'web.service':
      '[Unit]\nWants=cache.service db.service\nAfter=migrate.service network-online.target db.service\n[Service]\nExecStart=/bin/web\n',
    'cache.service': '[Unit]\nBefore=late.service\n[Service]\nExecStart=/bin/cache\n',
    'late.service': '[Service]\nExecStart=/bin/late\n',
  });
  assert.deepEqual(apps.migrate!.depends_on, { db: 'ready' });
  assert.deepEqual(apps.web!.depends_on, { migrate: 'completed', db: 'ready', cache: 'started' });
  assert.deepEqual(apps.late!.depends_on, { cache: 'ready' });
});

test('what goes round in a circle gives way: an order before a need', () => {
  const { apps, notes } = read({
    'app.service': '[Unit]\nWants=worker.service\n[Service]\nExecStart=/bin/app\n',
    'worker.service': '[Unit]\nAfter=app.service\nPartOf=app.service\n[Service]\nExecStart=/bin/worker\n',
    'a.service': '[Unit]\nAfter=b.service\n[Service]\nExecStart=/bin/a\n',
    'b.service': '[Unit]\nAfter=a.service\n[Service]\nExecStart=/bin/b\n',
  });
  assert.deepEqual(
    ['app', 'worker', 'a', 'b'].map((name) => apps[name]!.depends_on),
    [undefined, { app: 'ready' }, undefined, { a: 'ready' }],
  );
  assert.match(notes, /worker\.service waits for this one, so this one can't wait for it/);
  assert.match(notes, /PartOf=app\.service: has no equal/);
});

test('drop-ins add, replace and take back; those of /etc go before those of /usr/lib', () => {
  const path = '/usr/lib/systemd/system/nginx.service';
  const { apps, notes } = read(
    {
      [path]:
        '[Service]\nType=forking\nPIDFile=/run/nginx.pid\nExecStart=/usr/sbin/nginx\nEnvironment=A=1\nRestart=no\n',
    },
    {
      '/etc/systemd/system/nginx.service.d/10-exec.conf':
        '[Service]\nExecStart=\nExecStart=/opt/nginx\nRestart=always\n',
      '/usr/lib/systemd/system/nginx.service.d/10-exec.conf': '[Service]\nExecStart=/never\n',
      '/usr/lib/systemd/system/nginx.service.d/20-env.conf': '# more\n[Service]\nEnvironment=B=2\n',
      '/usr/lib/systemd/system/nginx.service.d/README': 'not read',
      '/etc/systemd/system/service.d/all.conf': '[Service]\nNice=5\n',
    },
  );
  assert.deepEqual(apps.nginx, {
    name: 'nginx',
    command: ['/opt/nginx'],
    cwd: '/',
    env: { A: '1', B: '2' },
    restart: 'always',
    nice: 5,
  });
  assert.match(notes, /Type=forking/);
  assert.match(notes, /Drop-ins that were read: \/etc\/systemd\/system\/nginx\.service\.d\/10-exec\.conf, /);
});

test('a socket unit: its sockets are held by stead, and the first connection starts the service', () => {
  const { apps, notes } = read({
    'web.socket':
      '[Socket]\nListenStream=80\nListenStream=/run/web.sock\nListenDatagram=127.0.0.1:53\nSocketMode=0660\n',
    'web.service': '[Service]\nExecStart=/bin/web\nNonBlocking=true\n',
    'each.socket': '[Socket]\nListenStream=7\nAccept=yes\n[Install]\n',
    'each.service': '[Service]\nExecStart=/bin/echo\n',
  });
  assert.deepEqual(apps.web!.listen, ['80', 'unix:/run/web.sock', 'udp:127.0.0.1:53']);
  assert.deepEqual([apps.web!.listen_on_demand, apps.web!.nonblock], [true, true]);
  assert.equal(apps.each!.listen, undefined);
  assert.match(notes, /SocketMode=0660/);
});

test('restarts and exit codes', () => {
  assert.equal(one('').app.restart, 'no');
  assert.equal(one('Restart=always').app.restart, 'always');
  assert.deepEqual(
    one('Restart=on-failure\nSuccessExitStatus=143 SIGUSR1 TEMPFAIL\nRestartPreventExitStatus=255').app.stop_exit_codes,
    ['143', 'SIGUSR1', '75', '255'],
  );
  assert.match(one('Restart=on-abnormal').notes, /an exit code other than 0 counts as well/);
  assert.match(one('Restart=on-success').notes, /only then/);
  const steps = one('Restart=always\nRestartSec=1s\nRestartMaxDelaySec=16s\nRestartSteps=4').app;
  assert.deepEqual([steps.backoff_min, steps.backoff_max, steps.backoff_factor], ['1s', '16s', 2]);
  assert.equal(one('Restart=always\nRestartSec=0').app.backoff_min, undefined);
  assert.equal(one('Restart=always\nStartLimitInterval=0').app.max_restarts, undefined);
  assert.deepEqual(
    [one('TimeoutStopSec=infinity').app.stop_timeout, one('TimeoutSec=7').app.stop_timeout],
    ['365d', '7s'],
  );
});

test('limits, users, directories, output', () => {
  const { app, notes } = one(`LimitNOFILE=1024:524288
LimitMEMLOCK=64M
LimitCPU=1h
LimitNICE=-5
CPUQuota=150%
CPUWeight=50
TasksMax=100
MemoryMax=50%
IOSchedulingClass=best-effort
IOSchedulingPriority=7
Group=www-data
SupplementaryGroups=a b
WorkingDirectory=-/srv
RuntimeDirectory=x
StateDirectory=x/y
StandardOutput=null
StandardError=file:/var/log/x.err
StandardInput=tty
DynamicUser=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE`);
  assert.deepEqual(app, {
    name: 'x',
    command: ['/bin/x'],
    cwd: '/srv',
    env: { RUNTIME_DIRECTORY: '/run/x', STATE_DIRECTORY: '/var/lib/x/y' },
    restart: 'no',
    cpu_weight: 50,
    cpu: 150,
    max_tasks: 100,
    limit: { cpu: '3600', nofile: '1024:524288', memlock: '67108864', nice: '25' },
    io_nice: 'best-effort:7',
    log_out: 'none',
    log_err: '/var/log/x.err',
  });
  for (const said of [
    /MemoryMax=50%/,
    /Group=www-data/,
    /SupplementaryGroups=a b/,
    /WorkingDirectory=-/,
    /RuntimeDirectory=x: \/run\/x must be there/,
    /StandardInput=tty/,
    /DynamicUser=yes, AmbientCapabilities/,
    /stead doctor/,
  ])
    assert.match(notes, said);
});

test('a unit of a user: its home, its directories', () => {
  const { apps } = read(
    { '/home/me/.config/systemd/user/sync.service': '[Service]\nExecStart=%h/bin/sync --run %t/sync --in ~/x\n' },
    {},
    '/home/me/cfg',
  );
  assert.deepEqual(apps.sync!.command, ['/home/me/bin/sync', '--run', '/run/user/me/sync', '--in', '~/x']);
  assert.equal(apps.sync!.cwd, '/home/me');
});

test('environment files as systemd reads them; one that is not there', () => {
  const text = '# c\n; c\nA = x y # z \nB="q \\"r\\" \\\nnext"\n  C=\'s t\'u\nnonsense\nD=back\\ slash\n';
  const { app, notes } = one('EnvironmentFile=/etc/x.env\nEnvironmentFile=-/etc/none\nEnvironment=A=old E=5', {
    '/etc/x.env': text,
  });
  assert.deepEqual(app.env, { E: '5', A: 'x y # z', B: 'q "r" next', C: 's tu', D: 'back slash' });
  assert.match(notes, /EnvironmentFile=-\/etc\/none: left out/);
  assert.match(notes, /The values of "\/etc\/x\.env" are copied/);
});

test('what is no unit is refused with its line', () => {
  const refused = (text: string, message: RegExp, name = 'x.service') =>
    assert.throws(() => read({ [name]: text }), { code: 'CONFIG_INVALID', message }, basename(name));
  refused('ExecStart=/bin/x', /line 1: .*before any \[Section\]/);
  refused('[Service]\nnonsense', /line 2: "nonsense" is neither/);
  refused('[Service]\nRestart=no', /it has no ExecStart/);
  refused('[Mount]\nWhat=x', /only \.service, \.timer and \.socket/, 'x.mount');
});

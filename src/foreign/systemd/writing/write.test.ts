/** Units: what they say of an app, and that systemd reads them without a word. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { optionSamples } from '../../../../test/support/option-samples.ts';
import { commandOf, outgoingOf, specOf } from '../../../../test/support/specs.ts';
import { type Cleanup, temporaryDirectory } from '../../../../test/support/temporary.ts';
import { encodeBytes } from '../../../host/bytes.ts';
import type { AppSpec, SpecOptions } from '../../../protocol/spec.ts';
import type { Outgoing, WrittenFile } from '../../written.ts';
import { assignment, commandWord } from './escape.ts';
import { writeSystemd } from './write.ts';

const here = { scope: 'system', owner: 'web', version: 252, hardening: 'default' } as const;
const node = { name: 'node', path: process.execPath, args: [] };
const script = { how: 'script', words: ['/srv/web/server.js'], interpreter: node } as const;

const files = (apps: readonly Outgoing[], context: Partial<Parameters<typeof writeSystemd>[1]> = {}) =>
  writeSystemd(apps, { ...here, ...context }, '').files.filter(({ name }) => !name.endsWith('.cjs'));

/** The units of one app by name. */
const unitsOf = (spec: AppSpec, context = {}): Record<string, string> =>
  Object.fromEntries(files([outgoingOf(spec)], context).map(({ name, text }) => [name, text]));

const serviceOf = (options: SpecOptions, parts = {}) =>
  unitsOf(specOf('web', options, { program: script, ...parts }))['web.service']!;

function assertLines(text: string, ...lines: readonly string[]): void {
  for (const line of lines) assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`);
}

const analyze = '/usr/bin/systemd-analyze';

/** What systemd-analyze says of all of them together. */
function verify(t: Cleanup, written: readonly WrittenFile[], words: readonly string[] = []): string {
  const directory = temporaryDirectory(t);
  for (const { name, text } of written) writeFileSync(join(directory, name), encodeBytes(text));
  // A manager of a user has a directory for what it makes.
  mkdirSync(join(directory, 'run'), { mode: 0o700 });
  const env = { PATH: process.env.PATH, HOME: directory, XDG_RUNTIME_DIR: join(directory, 'run') };
  const paths = written.map(({ name }) => join(directory, name));
  const { status, stdout, stderr } = spawnSync(analyze, ['verify', '--man=no', ...words, ...paths], {
    encoding: 'utf8',
    env,
  });
  return `${stdout}${stderr}${status === 0 ? '' : `status ${status}`}`;
}

test('systemd reads units of every option without a word', (t) => {
  if (!existsSync(analyze)) return t.skip('there is no systemd-analyze');
  const apps = optionSamples().map(({ key, kind, options }, at) => {
    const name = `${key}-${at}`;
    const program = kind === 'app' ? script : commandOf('true', 'a b');
    return outgoingOf(
      specOf(
        name,
        { ...options, env: [...(options.env ?? []), 'A=1'] },
        { kind, program, env: ['PATH=/opt/a b:/bin'] },
      ),
    );
  });
  assert.equal(verify(t, files(apps)), '');
  assert.equal(verify(t, files(apps, { scope: 'user' }), ['--user']), '');
});

test('systemd reads words, names and paths with all that is special to it', (t) => {
  if (!existsSync(analyze)) return t.skip('there is no systemd-analyze');
  const words = [
    '',
    ' ',
    ';',
    '\\;',
    '$HOME',
    `$${'{X}'}`,
    '$$',
    '%n',
    '%%',
    '"',
    "'",
    '\\',
    'a\nb',
    '\t',
    '-x=a b',
    'ü😀',
    '\x01',
    '\udcff',
    '#c',
    '@',
    'a\\\nb',
    '*',
  ];
  const folder = temporaryDirectory(t);
  const strange = join(folder, 'a b $x %n "q"');
  const spaced = join(folder, 'a b $x %n');
  for (const path of [strange, spaced]) writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 });
  const apps = [
    outgoingOf(specOf('words', {}, { program: { ...script, words: ['/srv/x.js', ...words] } })),
    outgoingOf(
      specOf(
        'path',
        { env: words.map((word, at) => `V${at}=${word}`) },
        { program: commandOf(strange), cwd: '/srv/a b%n/$x' },
      ),
    ),
    outgoingOf(specOf('spaced', {}, { program: commandOf(spaced) })),
    outgoingOf(
      specOf(
        'lines',
        {
          stopCommand: 'echo "$X" %n\n# \\',
          ready: `exec:test -e '/a b'`,
          secret: ['T=file:/etc/a b%n'],
          envFile: ['/etc/a b%n.env'],
        },
        { program: script },
      ),
    ),
  ];
  assert.equal(verify(t, files(apps)), '');
});

test('a broken unit is noticed', (t) => {
  if (!existsSync(analyze)) return t.skip('there is no systemd-analyze');
  const [service] = files([outgoingOf(specOf('web', {}, { program: script }))]);
  const broken = [
    service!.text.replace(/^ExecStart=.*$/m, 'ExecStart="/bin/true'),
    service!.text.replace('Restart=always', 'Restrat=always'),
  ];
  for (const text of broken) assert.notEqual(verify(t, [{ ...service!, text }]), '');
});

/** Words as systemd.syntax(7) and systemd.service(5) take a command line apart: written after the manuals, apart from the writer. */
function takenApart(line: string, isCommand: boolean): string[] {
  const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\' };
  const words: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"]+)/gs)) {
    const bytes: number[] = [];
    for (const [, hex, letter, other] of (quoted ?? plain!).matchAll(/\\x(..)|\\(.)|(\\?[^\\])/gsu))
      if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
      else bytes.push(...encodeBytes(letter !== undefined ? escapes[letter]! : other!));
    const text = Buffer.from(bytes).toString('latin1').replaceAll('%%', '%');
    words.push(isCommand ? text.replaceAll('$$', '$') : text);
  }
  return words;
}

test('any words come out of a command line as they went in', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('$', '%', '\\', '"', "'", '\n', ' ', ';', '\udcff', '\x7f', 'x41'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
  });
  const word = text.map((value) => value.replaceAll('\0', ''));
  const asBytes = (value: string) => encodeBytes(value).toString('latin1');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (words) => {
      const line = words.map(commandWord).join(' ');
      assert.ok(!/[\x00-\x1f\x7f]/.test(line), 'one line');
      assert.deepEqual(takenApart(line, true), words.map(asBytes));
      assert.deepEqual(
        takenApart(words.map((value) => assignment('A', value)).join(' '), false),
        words.map((value) => asBytes(`A=${value}`)),
      );
    }),
    { numRuns: 300 },
  );
});

test('an app: a service as a person would write it', () => {
  const options: SpecOptions = {
    env: ['PORT=80', 'GREETING=a "b" 100%'],
    envFile: ['/etc/web.env'],
    stopSignal: 'INT',
    stopTimeoutMs: 5000,
    maxMemory: 200 * 2 ** 20,
    cpuQuota: 150,
    cpuWeight: 50,
    maxTasks: 64,
    limit: ['nofile=1024:4096', 'core=unlimited'],
    nice: 5,
    ioNice: 'best-effort:7',
    oomScoreAdj: 100,
    umask: 0o27,
    noNewPrivs: true,
    ready: 'notify',
    readyTimeoutMs: 90_000,
    alive: 'watchdog',
    aliveIntervalMs: 20_000,
    stopExitCodes: ['0,77', 'TERM'],
    maxRestarts: 5,
    restartWindowMs: 60_000,
    logOut: '/var/log/web.log',
    logMerge: true,
  };
  const text = serviceOf(options, { user: { name: 'www', uid: 33, gid: 33, home: '/', shell: '/bin/sh' } });
  assertLines(
    text,
    'After=network.target',
    'StartLimitIntervalSec=1min',
    'StartLimitBurst=6',
    'Type=notify',
    'NotifyAccess=main',
    'TimeoutStartSec=90s',
    'WatchdogSec=20s',
    'WorkingDirectory=/srv/web',
    'User=www',
    'Environment="PORT=80"',
    'Environment="GREETING=a \\"b\\" 100%%"',
    'EnvironmentFile=/etc/web.env',
    `ExecStart=${process.execPath} /srv/web/server.js`,
    'KillMode=mixed',
    'KillSignal=SIGINT',
    'TimeoutStopSec=5s',
    'Restart=always',
    'SuccessExitStatus=77 SIGTERM',
    'RestartPreventExitStatus=0 77 SIGTERM',
    'MemoryMax=200M',
    'CPUQuota=150%',
    'CPUWeight=50',
    'TasksMax=64',
    'LimitNOFILE=1024:4096',
    'LimitCORE=infinity',
    'Nice=5',
    'IOSchedulingClass=best-effort',
    'IOSchedulingPriority=7',
    'OOMScoreAdjust=100',
    'UMask=0027',
    'NoNewPrivileges=yes',
    'StandardOutput=append:/var/log/web.log',
    'StandardError=inherit',
    'WantedBy=multi-user.target',
  );
});

test('restarts: never given up unless that was said; longer pauses where systemd knows them', () => {
  assertLines(serviceOf({}), 'Restart=always', 'RestartSec=1s', 'StartLimitIntervalSec=0', 'User=web');
  const modern = unitsOf(specOf('web', {}, { program: script }), { version: 254 })['web.service']!;
  assertLines(modern, 'RestartSec=100ms', 'RestartSteps=10', 'RestartMaxDelaySec=1min');
  assertLines(
    serviceOf({ restart: 'on-failure', backoffFactor: 1, backoffMinMs: 5000 }),
    'Restart=on-failure',
    'RestartSec=5s',
  );
  const once = serviceOf({ restart: 'no' });
  assertLines(once, 'Restart=no');
  assert.doesNotMatch(once, /StartLimit|RestartSec/);
});

test('a shell is asked to end together with what it started', () => {
  const interpreter = { name: 'sh', path: '/bin/sh', args: ['-c'] };
  const text = unitsOf(specOf('web', {}, { program: { how: 'shell', words: ['a | b "$C"'], interpreter } }))[
    'web.service'
  ]!;
  assertLines(text, 'KillMode=control-group', 'ExecStart=/bin/sh -c "a | b \\"$$C\\""');
});

test('checks become ExecStartPost=, others a comment', () => {
  assertLines(
    serviceOf({ ready: 'port:5432' }),
    'Type=exec',
    'ExecStartPost=/bin/sh -c "until bash -c \': 3<>/dev/tcp/localhost/5432\' 2>/dev/null; do kill -0 \\"$$MAINPID\\" || exit 1; sleep 0.2; done"',
  );
  assert.match(serviceOf({ ready: 'http:80/x' }), /ExecStartPost=.*curl -fsS .* http:\/\/localhost:80\/x/);
  assert.match(serviceOf({ ready: 'ipc' }), /^# stead takes it as ready by process\.send/m);
  assert.match(serviceOf({ alive: 'port:80' }), /^# There is no check of its health/m);
});

test('secrets are credentials, read by a shell that the program replaces', () => {
  const text = serviceOf({ secret: ['TOKEN=file:/etc/web token'] });
  assertLines(text, 'LoadCredential=TOKEN:/etc/web token');
  assert.match(
    text,
    /^ExecStart=\/bin\/sh -c "TOKEN=\$\$\(cat .*CREDENTIALS_DIRECTORY\/TOKEN.*\) && export TOKEN && exec \\"\$\$@\\"" sh \S+node \/srv\/web\/server\.js$/m,
  );
});

test('the shells before and beside a program do what they are for', async (t) => {
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, 'T'), 'to ken\n');
  writeFileSync(join(folder, 'token'), '');
  const program = commandOf('/bin/sh', '-c', 'echo "$T|$N"; printf "[%s]" "$@"', 'sh', 'a b', '$T', '%i');
  const said: SpecOptions = {
    secret: [`T=file:${join(folder, 'token')}`],
    incrementVar: 'N',
    env: ['N=40'],
    instances: '3',
  };
  const template = unitsOf(specOf('web', said, { program }))['web@.service']!;
  const env = { PATH: process.env.PATH, CREDENTIALS_DIRECTORY: folder };
  const run = (line: string, more = {}) => {
    // Specifiers come before everything else.
    const [command, ...words] = takenApart(line.replace(/ sh %i /, ' sh 2 '), true);
    return spawnSync(command!, words, { encoding: 'utf8', env: { ...env, ...more }, timeout: 10_000 });
  };
  const lineOf = (text: string, key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)![1]!;
  assert.equal(run(lineOf(template, 'ExecStart')).stdout, 'to ken|42\n[a b][$T][%i]');
  const other = serviceOf({ ready: `exec:test -e '${folder}/it is'`, stopCommand: `touch '${folder}/it is'` });
  const alive = spawn('sleep', ['100']);
  t.after(() => alive.kill());
  const gone = spawnSync('true').pid;
  assert.equal(
    run(lineOf(other, 'ExecStartPost'), { MAINPID: String(gone) }).status,
    1,
    'it has ended, and is not ready',
  );
  assert.equal(run(lineOf(other, 'ExecStop'), { MAINPID: String(gone) }).status, 0);
  assert.equal(run(lineOf(other, 'ExecStartPost'), { MAINPID: String(alive.pid) }).status, 0);
});

test('instances are a template and a target; one counts up by its index', () => {
  const spec = specOf('web', { instances: '3', incrementVar: 'PORT', env: ['PORT=5000'] }, { program: script });
  const units = unitsOf(spec);
  assert.deepEqual(Object.keys(units), ['web@.service', 'web.target']);
  assertLines(units['web.target']!, 'Wants=web@0.service web@1.service web@2.service', 'WantedBy=multi-user.target');
  assertLines(units['web@.service']!, 'PartOf=web.target', 'Environment=NODE_APP_INSTANCE=%i');
  assert.match(
    units['web@.service']!,
    /ExecStart=\/bin\/sh -c "export PORT=\$\$\(\(5000 \+ \$\$1\)\) && shift && exec \\"\$\$@\\"" sh %i /,
  );
  assert.doesNotMatch(units['web@.service']!, /\[Install\]/);
});

test('listen becomes sockets: one unit in order, or one each where they have names', () => {
  const one = unitsOf(
    specOf(
      'web',
      { listen: ['5000', 'udp:53', '[::1]:5001', 'unix:/run/web x.sock'], nonblock: true },
      { program: script },
    ),
  );
  assertLines(
    one['web.socket']!,
    'ListenStream=5000',
    'ListenDatagram=53',
    'ListenStream=[::1]:5001',
    'ListenStream=/run/web x.sock',
    'SocketMode=0755',
    'WantedBy=sockets.target',
  );
  assertLines(one['web.service']!, 'Requires=web.socket', 'NonBlocking=yes');
  const named = unitsOf(specOf('web', { listen: ['http=5000', 'ctl=5001'], instances: '2' }, { program: script }));
  assertLines(named['web-1.socket']!, 'FileDescriptorName=ctl', 'Service=web@0.service');
  assertLines(named['web@.service']!, 'Sockets=web-0.socket web-1.socket');
  const demand = unitsOf(specOf('web', { listen: ['5000'], listenOnDemand: true }, { program: script }));
  assert.doesNotMatch(demand['web.service']!, /\[Install\]/);
});

test('a job with a schedule is a oneshot with a timer; an app is restarted by one', () => {
  const job = specOf(
    'nightly',
    { cron: '0 3 * * 1-5', timezone: 'Europe/Zurich', missed: 'run', timeoutMs: 3_600_000, retries: 2 },
    { kind: 'job', program: commandOf('true') },
  );
  const units = unitsOf(job);
  assertLines(
    units['nightly.timer']!,
    'OnCalendar=Mon..Fri *-*-* 03:00:00 Europe/Zurich',
    '# cron: 0 3 * * 1-5',
    'Persistent=yes',
    'WantedBy=timers.target',
  );
  assertLines(
    units['nightly.service']!,
    'Type=oneshot',
    'TimeoutStartSec=60min',
    'Restart=on-failure',
    'StartLimitBurst=3',
    'ExecStart=/usr/bin/true',
  );
  const app = unitsOf(specOf('web', { cron: '0 4 * * *' }, { program: script }));
  assertLines(app['web-restart.service']!, 'ExecStart=/usr/bin/systemctl try-restart web.service');
  const lost = unitsOf(specOf('odd', { cron: '0 0 31W * *' }, { kind: 'job', program: commandOf('true') }));
  assert.deepEqual(Object.keys(lost), ['odd.service']);
  assert.match(lost['odd.service']!, /^# OnCalendar= can't say its times/m);
});

test('what others depend on is required and comes before', () => {
  const db = outgoingOf(specOf('db', { instances: '2' }, { program: script }));
  const api = outgoingOf(specOf('api', { dependsOn: ['db:started,cache'] }, { program: script }));
  const service = files([db, api]).find(({ name }) => name === 'api.service')!.text;
  assertLines(service, 'After=network.target db.target', 'Requires=db.target');
  assert.match(service, /^# It needs cache, which is not among these units\.$/m);
});

test("a user's own units name no user, and start with the user's manager", () => {
  const text = unitsOf(specOf('web', {}, { program: script }), { scope: 'user' })['web.service']!;
  assertLines(text, 'WantedBy=default.target');
  assert.doesNotMatch(text, /^User=/m);
});

test('nobody else reads units with values; values that look secret are in none', () => {
  const [service] = files([outgoingOf(specOf('web', { env: ['API_KEY=hush', 'A=1'] }, { program: script }))]);
  assert.ok(service!.isPrivate && !service!.text.includes('hush'));
  assert.match(service!.text, /^# Left out, as their values look secret: API_KEY\./m);
  assert.ok(!files([outgoingOf(specOf('web', {}, { program: script }))])[0]!.isPrivate);
});

test('a Node program comes to its sockets by the file beside the units, and answers what it has begun before it ends', () => {
  const said: SpecOptions = {
    listen: ['5000'],
    env: ['NODE_OPTIONS=--title="100%"'],
    stopSignal: 'INT',
    drainTimeoutMs: 5000,
  };
  const node = outgoingOf(specOf('web', said, { program: script }));
  const written = writeSystemd([node], here, '// text');
  const [service] = written.files;
  assertLines(
    service!.text,
    'Environment="NODE_OPTIONS=--title=\\"100%%\\" --require=\\"%E/systemd/system/stead-listen.cjs\\""',
    'Environment=STEAD_STOP_SIGNAL=SIGINT',
    'TimeoutStopSec=10s',
  );
  assert.match(service!.text, /^ExecStop=.*kill -URG .*-lt 50 /m);
  assert.deepEqual(written.files.at(-1), { name: 'stead-listen.cjs', text: '// text', isPrivate: false });
  const other = writeSystemd([outgoingOf(specOf('web', said, { program: commandOf('/usr/bin/web') }))], here, '');
  assert.doesNotMatch(other.files.map(({ name, text }) => `${name}\n${text}`).join(''), /stead-listen|URG/);
  assert.match(other.files[0]!.text, /^# The program must take its socket itself/m);
});

test('watched files are a .path that restarts it; patterns are not', () => {
  const units = unitsOf(specOf('web', { watch: ['src', '/etc/web 100%', '*.js'] }, { program: script }));
  assertLines(
    units['web-watch.path']!,
    'PathModified=/srv/web/src',
    'PathModified=/etc/web 100%%',
    'Unit=web-restart.service',
    'WantedBy=multi-user.target',
  );
  assertLines(units['web-restart.service']!, 'ExecStart=/usr/bin/systemctl try-restart web.service');
  const both = unitsOf(specOf('web', { watch: ['.'], cron: '0 4 * * *' }, { program: script }));
  assert.deepEqual(Object.keys(both), ['web.service', 'web-restart.timer', 'web-restart.service', 'web-watch.path']);
});

test('what a version lacks is done another way, or said', () => {
  const said: SpecOptions = { secret: ['TOKEN=file:/etc/it is'], logOut: '/var/log/web.log' };
  const old = unitsOf(specOf('web', said, { program: script }), { version: 239 })['web.service']!;
  assert.match(old, /^ExecStart=\/bin\/sh -c "TOKEN=\$\$\(cat '\/etc\/it is'\) /m);
  assert.match(old, /^# This systemd can append to no file/m);
  assert.match(old, /^# This systemd has no LoadCredential=/m);
});

test('places that a program needs are not taken from it', () => {
  const of = (cwd: string, hardening: 'default' | 'strict') =>
    unitsOf(specOf('web', {}, { program: script, cwd }), { hardening })['web.service']!;
  assertLines(
    of('/srv/web', 'default'),
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'ProtectSystem=full',
    'CapabilityBoundingSet=',
  );
  assert.doesNotMatch(of('/home/web/app', 'default'), /^ProtectHome/m);
  assert.doesNotMatch(of('/tmp/app', 'default'), /^PrivateTmp/m);
  assertLines(
    of('/home/web/my app', 'strict'),
    'ProtectSystem=strict',
    'ReadWritePaths=-"/home/web/my app"',
    'ProtectHome=tmpfs',
    'BindPaths=-"/home/web/my app"',
  );
  const low = unitsOf(specOf('web', { env: ['PORT=80'] }, { program: script }))['web.service']!;
  assertLines(low, 'AmbientCapabilities=CAP_NET_BIND_SERVICE', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE');
});

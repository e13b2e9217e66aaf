import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Names } from '../draft.ts';
import { checked, contextWith } from '../fixtures.ts';
import { foreverApp } from './app.ts';
import { readForeverLine } from './line.ts';
import { readForever } from './read.ts';
import { type ProcessFacts, readRunningForever } from './running.ts';

const around = (files: Record<string, string> = {}, env = {}) => ({
  ...contextWith('/srv/app/forever.json', files, { env }),
  directory: '/srv/app',
  root: '/home/me/.forever',
});
const read = (text: string) => checked(readForever(text, 'forever.json', around()));
const line = (words: string) => {
  const foreign = {
    apps: [foreverApp(readForeverLine(words.split(' ')), { ...around(), names: new Names() })],
    notes: [],
  };
  const { apps, notes } = checked(foreign);
  return { app: Object.values(apps)[0]!, notes };
};

test('the example of the README: a list with comments', () => {
  const { apps, notes } = read(`[
  // the first
  { "uid": "app1", "append": true, "watch": true, "script": "index.js", "sourceDir": "/home/me/app1", "args": ["--port", "8081"] },
  { /* comment ok */ "uid": "app2", "script": "index.js", "sourceDir": "/home/me/app2", "args": ["--port", "8082"] },
]`);
  assert.deepEqual(apps, {
    app1: {
      name: 'app1',
      script: '/home/me/app1/index.js',
      args: ['--port', '8081'],
      cwd: '/home/me/app1',
      watch: true,
      ext: '*',
    },
    app2: { name: 'app2', script: '/home/me/app2/index.js', args: ['--port', '8082'], cwd: '/home/me/app2' },
  });
  assert.match(notes, /SIGKILL/);
});

test('every key of a file', () => {
  const { apps, notes } = read(`{
  "script": "bin/server", "args": ["a b", 1], "uid": "web", "id": "label", "append": false, "watch": true,
  "minUptime": 5000, "spinSleepTime": 2000, "silent": true, "logFile": "web.log", "outFile": "out.log", "errFile": "/var/log/web.err",
  "pidFile": "web.pid", "max": 5, "command": "node --expose-gc --max-old-space-size=200", "path": "/var/forever",
  "sourceDir": "src", "workingDir": "run", "watchDirectory": ["lib", "/etc/web"], "watchIgnore": ["*.log", "tmp/**"],
  "killTree": false, "killSignal": "SIGINT", "env": { "A": 1 }, "killTTL": 5, "minUptim": 1
}`);
  assert.deepEqual(apps.web, {
    name: 'web',
    script: 'src/bin/server',
    args: ['a b', '1'],
    cwd: 'run',
    interpreter: 'node',
    interpreter_args: ['--expose-gc', '--max-old-space-size=200'],
    max_restarts: 4,
    restart_window: '365d',
    stable_after: '5000ms',
    backoff_min: '2000ms',
    backoff_max: '2000ms',
    backoff_factor: 1,
    stop_signal: 'SIGINT',
    log_out: 'out.log',
    log_err: '/var/log/web.err',
    watch: ['../src/lib', '../../../etc/web'],
    ext: '*',
    ignore_watch: ['*.log', 'tmp/**'],
  });
  for (const said of [
    'id: "label"',
    'pidFile',
    'path: /var/forever',
    'killTree',
    'append',
    'logFile: web.log: left out',
    '"env": forever takes no such key from a file; here: env:',
    '"killTTL"',
    '"minUptim": forever takes no such key from a file; minUptime was meant?',
  ])
    assert.ok(notes.includes(said), said);
});

test('where it runs: the source directory, or / for an absolute script, which is said', () => {
  const { apps, notes } = read('{ "script": "/srv/app/a.js" }');
  assert.deepEqual(apps.a, { name: 'a', script: 'a.js', cwd: '/' });
  assert.match(notes, /runs a script with an absolute path in \//);
  assert.equal(read('{ "script": "/x/a.js", "workingDir": "/x" }').apps.a!.cwd, '/x');
  assert.equal(read('{ "script": "a.js" }').apps.a!.cwd, undefined);
});

test('what runs it: other interpreters, a script without an extension, npm start in a directory', () => {
  assert.deepEqual(read('{ "script": "a.py", "command": "python3 -u" }').apps.a, {
    name: 'a',
    script: 'a.py',
    interpreter: 'python3',
    interpreter_args: ['-u'],
  });
  assert.equal(read('{ "script": "server" }').apps.server!.interpreter, 'node');
  assert.equal(read('{ "script": "a.ts" }').apps.a!.interpreter, 'node');
  assert.deepEqual(read('{ "uid": "web", "script": "./", "command": "npm start" }').apps.web!.command, [
    'npm',
    'start',
    './',
  ]);
});

test('restarts: max counts all runs, a spinner is tried again all the same', () => {
  assert.deepEqual(read('{ "script": "a.js", "max": 1 }').apps.a!.restart, 'no');
  const long = read('{ "script": "a.js", "max": 5000 }');
  assert.deepEqual([long.apps.a!.max_restarts, long.apps.a!.restart_window], [4999, undefined]);
  assert.match(long.notes, /in a row are counted/);
  assert.match(read('{ "script": "a.js", "minUptime": 1000 }').notes, /minUptime without spinSleepTime/);
  assert.equal(read('{ "script": "a.js", "spinSleepTime": 0 }').apps.a!.backoff_min, '1ms');
});

test('logs: a log file is below the root, and holds both streams', () => {
  const { apps } = read('{ "script": "a.js", "logFile": "a.log" }');
  assert.deepEqual([apps.a!.log_out, apps.a!.log_merge], ['/home/me/.forever/a.log', true]);
});

test('a command line: options before the script, the rest verbatim', () => {
  const { app, notes } = line(
    'forever start -a -m 5 -l web.log --minUptime 1000 --spinSleepTime=500 -w --watchIgnore a --watchIgnore b --uid web -c node app.js --port 80 -m 3',
  );
  assert.deepEqual(app, {
    name: 'web',
    script: 'app.js',
    args: ['--port', '80', '-m', '3'],
    max_restarts: 4,
    restart_window: '365d',
    stable_after: '1000ms',
    backoff_min: '500ms',
    backoff_max: '500ms',
    backoff_factor: 1,
    log_out: '/home/me/.forever/web.log',
    log_merge: true,
    watch: true,
    ext: '*',
    ignore_watch: ['a', 'b'],
  });
  assert.equal(notes.includes('killTree'), false);
  assert.equal(line('app.js').app.name, 'app');
  assert.match(line('--no-killTree -d --plain app.js').notes, /killTree/);
});

test('a command line that is none', () => {
  const refused = (words: string, message: RegExp) => assert.throws(() => line(words), { code: 'USAGE', message });
  refused('stop 0', /forever stop starts nothing/);
  refused('start -m 5', /names no script/);
  refused('start --minUptme 5 app.js', /no option "--minUptme"/);
  refused('start -m many app.js', /-m needs a number, not "many"/);
  refused('start -x app.js', /no option "-x"/);
  refused('start --constructor app.js', /no option/);
});

test('mistakes of a file: all of them', () => {
  assert.throws(() => read('[{ "uid": "x" }, 5, { "script": "a", "max": "many", "watch": "perhaps", "args": [{}] }]'), {
    code: 'CONFIG_INVALID',
    message:
      /5 mistakes:\n {2}app 1 has no "script"\n {2}app 2 must be an object.*\n {2}app 3: "max" must be a number\n {2}app 3: "watch" must be true or false\n {2}app 3: "args" must be a list of texts/,
  });
  assert.throws(() => read('{\n  "script": x\n}'), {
    code: 'CONFIG_INVALID',
    message: /line 2: no JSON: invalid character 'x'/,
  });
  assert.throws(() => read('[]'), /it holds 0 apps/);
});

test('two of one name are told apart', () => {
  assert.deepEqual(
    Object.keys(read('[{ "script": "a/x.js" }, { "script": "b/x.js" }, { "script": "c.js", "uid": "0" }]').apps),
    ['x', 'x-2', 'app-0'],
  );
});

test('what runs: by pid files, of children of a monitor alone', () => {
  const monitor: ProcessFacts = {
    argv: ['/usr/bin/node', '/usr/lib/node_modules/forever/bin/monitor', 'app.js'],
    cwd: '/srv/app',
    env: {},
    parent: 1,
  };
  const program = (argv: readonly string[], parent = 10, env = {}): ProcessFacts => ({
    argv,
    cwd: '/srv/app',
    env,
    parent,
  });
  const processes: Record<number, ProcessFacts> = {
    1: program(['/sbin/init'], 0),
    10: monitor,
    11: program(['/usr/bin/node', '/srv/app/app.js', '--port', '80'], 10, {
      PORT: '80',
      HOME: '/home/me',
      SSH_TTY: 'x',
      TOKEN: 's$x',
    }),
    12: program(['python3', 'w.py']),
    13: program(['/usr/bin/node', '/srv/other.js'], 1),
  };
  const root = '/home/me/.forever';
  const files = {
    [`${root}/pids/Ab3x.pid`]: '11',
    [`${root}/pids/worker.pid`]: '12\n',
    [`${root}/pids/gone.pid`]: '99',
    [`${root}/pids/reused.pid`]: '13',
    [`${root}/pids/odd.pid`]: 'nonsense',
  };
  const foreign = readRunningForever(around(files, { HOME: '/home/me' }), (pid) => processes[pid] ?? null);
  const { apps, notes } = checked(foreign);
  assert.deepEqual(apps, {
    app: { name: 'app', script: 'app.js', args: ['--port', '80'], env: { PORT: '80', TOKEN: 's$x' } },
    worker: { name: 'worker', command: ['python3', 'w.py'] },
  });
  assert.match(notes, /Its uid is Ab3x/);
  assert.match(notes, /other than in this shell: PORT, TOKEN|PORT and TOKEN/);
});

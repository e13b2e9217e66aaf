import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checked, contextWith } from '../fixtures.ts';
import { readForemanEnv } from './env.ts';
import { type ProcfileSaid, readProcfile } from './read.ts';

const read = (text: string, files: Record<string, string> = {}, said: ProcfileSaid = {}, env = {}) =>
  checked(readProcfile(text, contextWith('/srv/shop/Procfile', files, { env }), said));

test('a Rails app: commands as words, PORT from 5000 in steps of 100', () => {
  const { apps } = read(`# The shop
web: bundle exec puma -C config/puma.rb
worker: bundle exec sidekiq -q default -q 'mail room'

css: bin/rails tailwindcss:watch
`);
  assert.deepEqual(apps, {
    web: { name: 'web', command: ['bundle', 'exec', 'puma', '-C', 'config/puma.rb'], env: { PORT: '5000' } },
    worker: {
      name: 'worker',
      command: ['bundle', 'exec', 'sidekiq', '-q', 'default', '-q', 'mail room'],
      env: { PORT: '5100' },
    },
    css: { name: 'css', command: ['bin/rails', 'tailwindcss:watch'], env: { PORT: '5200' } },
  });
});

test('what only a shell understands stays a text for sh', () => {
  const { apps } = read(`web: exec gunicorn app:app -b 0.0.0.0:$PORT
build: cd ui && npm run watch
log: ./bin/run | tee log/out.log
env: RAILS_ENV=production bin/rails s
one: exec node "my server.js"
path: /srv/x.sh > /tmp/x.log
`);
  assert.equal(apps.web!.command, 'exec gunicorn app:app -b 0.0.0.0:$PORT');
  assert.equal(apps.build!.command, 'cd ui && npm run watch');
  assert.deepEqual(apps.log!.command, ['sh', '-c', './bin/run | tee log/out.log']);
  assert.equal(apps.env!.command, 'RAILS_ENV=production bin/rails s');
  assert.deepEqual(apps.one!.command, ['node', 'my server.js']);
  assert.deepEqual(apps.path!.command, ['sh', '-c', '/srv/x.sh > /tmp/x.log']);
});

test('.env is named where both read the same, else copied; its PORT is the first one', () => {
  const same = read('web: node .\nworker: node w.js', { '/srv/shop/.env': 'A=1\nB="x y"\nPORT=3000\n' });
  assert.deepEqual(same.apps.web, {
    name: 'web',
    command: ['node', '.'],
    env: { PORT: '3000' },
    env_file: ['.env'],
  });
  assert.deepEqual(same.apps.worker!.env, { PORT: '3100' });
  const other = read('web: node .', { '/srv/shop/.env': 'A=1 # not a comment\nnonsense here\n# a comment\n' });
  assert.deepEqual(other.apps.web!.env, { A: '1 # not a comment', PORT: '5000' });
  assert.equal(other.apps.web!.env_file, undefined);
  assert.match(other.notes, /values of "\/srv\/shop\/\.env" are copied/);
  assert.match(other.notes, /line 2 is no NAME=value/);
});

test('foreman reads .env without expansion, quotes taken off, \\n in double quotes', () => {
  assert.deepEqual(readForemanEnv('A=\'x $Y\'\r\nB="a\\nb \\"c\\""\nC=a b\nexport D=1\nE=\n').values, {
    A: 'x $Y',
    B: 'a\nb "c"',
    C: 'a b',
    E: '',
  });
});

test('a formation: instances with a PORT each; what it does not name does not start', () => {
  const { apps, notes } = read(
    'web: node .\nworker: node w.js\nclock: node c.js',
    {},
    { formation: 'web=3, worker=1' },
  );
  assert.deepEqual(apps.web, {
    name: 'web',
    command: ['node', '.'],
    env: { PORT: '5000' },
    instances: 3,
    increment_var: 'PORT',
  });
  assert.equal(apps.worker!.instances, undefined);
  assert.equal(apps.clock!.autostart, false);
  assert.match(notes, /None of it was to be run/);
  assert.equal(read('web: x\nclock: y', {}, { formation: 'all=2,web=1' }).apps.clock!.instances, 2);
});

test('.foreman: port, formation, timeout, env, root; the rest is named', () => {
  const { apps, notes } = read('web: node .\nworker: node w.js', {
    '/srv/shop/.foreman': 'port: 4000\nformation: web=1,worker=2\ntimeout: 20\nenv: dev.env\nroot: ui\ncolor: false\n',
    '/srv/shop/dev.env': 'X=1\n',
  });
  assert.deepEqual(apps.web, {
    name: 'web',
    command: ['node', '.'],
    cwd: 'ui',
    env: { PORT: '4000' },
    env_file: ['dev.env'],
    stop_timeout: '20s',
  });
  assert.equal(apps.worker!.instances, 2);
  assert.match(notes, /Without an equal here: \.foreman: color\./);
  assert.equal(read('web: x', { '/srv/shop/.foreman': 'concurrency: web=2' }).apps.web!.instances, 2);
});

test('OVERMIND_ settings, from .overmind.env and the shell', () => {
  const { apps, notes } = read(
    'web: bin/rails s\ncss: gulp\ndocs: mkdocs serve\nvite: vite',
    {
      '/srv/shop/.overmind.env': 'OVERMIND_PORT=3000\nOVERMIND_PORT_STEP=10\nOVERMIND_CAN_DIE=css\nRUBYOPT=-W0\n',
      '/srv/shop/.env': 'OVERMIND_SOCKET=/tmp/o.sock\n',
    },
    {},
    { OVERMIND_STOP_SIGNALS: 'web=TTIN,css=QUIT', OVERMIND_IGNORED_PROCESSES: 'docs', OVERMIND_FORMATION: 'vite=2' },
  );
  assert.deepEqual(apps.web, {
    name: 'web',
    command: ['bin/rails', 's'],
    env: { RUBYOPT: '-W0', PORT: '3000' },
    env_file: ['.env'],
    stop_signal: 'TTIN',
  });
  assert.equal(apps.css!.restart, 'no');
  assert.equal(apps.docs!.autostart, false);
  assert.deepEqual([apps.vite!.instances, (apps.vite!.env as Record<string, string>).PORT], [2, '3030']);
  assert.match(notes, /Without an equal here: OVERMIND_SOCKET/);
  const bare = read('web: x', {}, {}, { OVERMIND_NO_PORT: '1' });
  assert.equal(bare.apps.web!.env, undefined);
});

test('a nested Procfile runs in its own directory; release is a job', () => {
  const { apps, notes } = read('web: node .\nrelease: rake db:migrate\n-f backend/Procfile\n', {
    '/srv/shop/backend/Procfile': 'api: ./api --port $PORT\n',
  });
  assert.equal(apps.api!.cwd, 'backend');
  assert.deepEqual(apps.api!.env, { PORT: '5200' });
  assert.equal(apps.release!.job, true);
  assert.match(notes, /release is what Heroku runs/);
  const elsewhere = checked(readProcfile('web: x', contextWith('/srv/shop/Procfile', {}, { base: '/home/me' })));
  assert.equal(elsewhere.apps.web!.cwd, '/srv/shop');
});

test('a line that is no process is a mistake with its line, and so is a second of the same name', () => {
  assert.throws(() => read('web: x\nthis is wrong\n  worker: y\nweb: z\n'), {
    code: 'CONFIG_INVALID',
    message:
      /3 mistakes:\n {2}line 2: "this is wrong" is no process.*\n {2}line 3: .*\n {2}line 4: a second process is called "web"; the first is in line 1/,
  });
  assert.throws(() => read('-f nowhere/Procfile\n'), /line 1: there is no file/);
  assert.throws(() => read('-f Procfile\n', { '/srv/shop/Procfile': '-f Procfile\n' }), /nested more than 5 deep/);
  assert.throws(() => read('web: x', {}, { formation: 'web' }), /"web" is not NAME=COUNT/);
  assert.throws(() => read('web: x', { '/srv/shop/.env': 'PORT=abc' }), /"abc" is no whole number/);
});

test('names that do not pass are changed, and said', () => {
  const { apps, notes } = read('all: x\n_x: y\n');
  assert.deepEqual(Object.keys(apps), ['app-all', 'x']);
  assert.match(notes, /It is called "all" there/);
});

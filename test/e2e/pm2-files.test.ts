/** Ecosystem files of pm2, unchanged, each with a trap of its own: started, listed, reloaded, ended. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { AppDetail, ApplyResponse } from '../../src/protocol/api.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { type Result, Stead } from '../support/stead.ts';
import { waitFor, waitForFile } from '../support/wait.ts';

/** One home for all: a daemon is what costs time. */
const stead = new Stead({ after });

/** A directory with these files; the first of them is the ecosystem file. */
class Project {
  readonly directory: string;
  readonly file: string;

  constructor(name: string, files: Readonly<Record<string, string>>) {
    this.directory = stead.folder(name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(this.path(path)), { recursive: true });
      writeFileSync(this.path(path), text);
    }
    this.file = Object.keys(files)[0]!;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : '';
  }

  start(...more: readonly string[]): Promise<Result> {
    return stead.ok(['start', this.file, ...more], { cwd: this.directory });
  }

  /** Everything of it ends, and nothing of it is left. */
  async down(): Promise<void> {
    const pids = (await this.apps()).flatMap(({ instances }) => instances.flatMap(({ pid }) => pid ?? []));
    await stead.ok(['down', this.file], { cwd: this.directory });
    assert.deepEqual(await this.apps(), []);
    assert.ok(pids.every((pid) => !isRunning(pid)));
  }

  async apps() {
    const all = await Promise.all((await stead.list()).map(({ name }) => stead.show(name)));
    return all.filter(({ spec }) => spec.cwd.startsWith(this.directory));
  }
}

const idle = (line = "console.log('up')") => `${line}; setInterval(() => {}, 1e6);\n`;
const mainOf = ({ instances }: AppDetail) => instances[0]!.pid!;
const variable = (app: AppDetail, name: string): string | undefined =>
  readFileSync(`/proc/${mainOf(app)}/environ`, 'latin1')
    .split('\0')
    .find((entry) => entry.startsWith(`${name}=`))
    ?.slice(name.length + 1);
const wordsOf = (app: AppDetail) =>
  readFileSync(`/proc/${mainOf(app)}/cmdline`, 'utf8')
    .split('\0')
    .slice(0, -1);
const running = (name: string) => stead.until(name, 'running', ({ state }) => state === 'running');

function body(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

async function ended(t: TestContext, project: Project): Promise<void> {
  t.after(() => stead.run(['down', project.file], { cwd: project.directory }));
}

test('1: a cluster, a worker, a job by cron, env_production', async (t) => {
  const port = await freePort();
  const project = new Project('one', {
    'ecosystem.config.js': `module.exports = { apps: [
      { name: 'web', script: './web.js', instances: 2, exec_mode: 'cluster', env: { PORT: ${port}, MODE: 'dev' }, env_production: { MODE: 'prod' } },
      { name: 'worker', script: './worker.js', max_memory_restart: '200M', kill_timeout: 3000 },
      { name: 'nightly', script: './nightly.js', autorestart: false, cron_restart: '0 3 * * *' },
    ], deploy: { production: { host: 'x', env: { REGION: 'eu' } } } };`,
    'web.js':
      "require('http').createServer((q, r) => r.end(process.env.MODE + process.env.REGION + ' ' + process.env.NODE_APP_INSTANCE)).listen(process.env.PORT);",
    'worker.js': idle(),
    'nightly.js': '',
  });
  await ended(t, project);
  const { stderr } = await project.start('--env', 'production');
  assert.match(stderr, /Where the file says nothing: .*10 s to end/);
  assert.match(stderr, /deploy: only its "env" is taken over/);
  const web = await stead.until('web', 'two', ({ instances }) => instances.filter(({ ready }) => ready).length === 2);
  assert.deepEqual([web.spec.share.instances, web.ports], [2, [String(port)]]);
  assert.match(await body(port), /^prodeu [01]$/);
  const worker = await running('worker');
  assert.deepEqual(
    [worker.spec.maxMemory, worker.spec.stopTimeoutMs, worker.spec.stopSignals[0]!.signal],
    [200 * 2 ** 20, 3000, 'SIGINT'],
  );
  const nightly = await stead.show('nightly');
  assert.deepEqual([nightly.kind, nightly.state, nightly.spec.schedule?.pattern], ['job', 'waiting', '0 3 * * *']);
  const before = web.instances.map(({ pid }) => pid);
  await stead.ok(['reload', 'web']);
  const now = await stead.show('web');
  assert.ok(now.instances.every(({ pid }) => pid !== null && !before.includes(pid)));
  // The same file again changes nothing.
  const again = await stead.json<ApplyResponse>(['start', project.file, '--env', 'production'], {
    cwd: project.directory,
  });
  assert.deepEqual(
    again.apps.map(({ change }) => change),
    ['same', 'same', 'same'],
  );
  assert.match(await body(port), /^prod/);
  await project.down();
});

test('2: a list of apps whose values are 0 and false', async (t) => {
  const project = new Project('two', {
    'ecosystem.config.cjs': `module.exports = [
      { name: 'once', script: './fails.js', max_restarts: 0, cron_restart: 0, merge_logs: false, watch: false },
      { name: 'left', script: './ends.js', stop_exit_codes: 0, min_uptime: '2s' },
    ];`,
    'fails.js': 'process.exit(3);',
    'ends.js': "process.on('SIGUSR2', () => process.exit(0)); console.log('up'); setInterval(() => {}, 1e6);",
  });
  await ended(t, project);
  const { code, stderr } = await stead.run(['start', project.file], { cwd: project.directory });
  assert.equal(code, 1);
  assert.match(stderr, /max_restarts: 0 holds/);
  const once = await stead.until('once', 'failed', ({ state }) => state === 'failed');
  assert.equal(once.exits.length, 1);
  assert.equal(once.spec.schedule, null);
  const left = await running('left');
  await waitForFile(left.logs.out, /up\n/);
  process.kill(mainOf(left), 'SIGUSR2');
  await stead.until('left', 'completed', ({ state }) => state === 'completed');
  await project.down();
});

test('3: YAML, --only, a namespace, increment_var', async (t) => {
  const project = new Project('three', {
    'ecosystem.yaml': `apps:
  - name: multi
    script: ./multi.js
    namespace: shop
    instances: 2
    exec_mode: fork
    increment_var: SLOT
    env:
      SLOT: 7000
      NESTED: { a: [1, 2] }
  - name: other
    script: ./multi.js
`,
    'multi.js': idle(),
  });
  await ended(t, project);
  await project.start('--only', 'multi');
  const multi = await running('multi');
  const slots = multi.instances.map(
    ({ pid }) => /SLOT=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1],
  );
  assert.deepEqual(slots, ['7000', '7001']);
  assert.deepEqual([multi.group, variable(multi, 'NESTED')], ['shop', '{"a":[1,2]}']);
  assert.equal((await project.apps()).length, 1);
  const { code, stderr } = await stead.run(['start', project.file, '--only', 'mutli'], { cwd: project.directory });
  assert.equal(code, 3);
  assert.match(stderr, /did you mean multi\?/);
  await project.down();
});

test('4: the key of a package.json, and JSON with comments', async (t) => {
  const project = new Project('four', {
    'package.json': '{ "name": "four", "pm2": { "apps": [{ "script": "./main.js", "name": "fourth" }] } }',
    'process.json': `{ // comment
      'apps': [{ name: "json5", script: 'main.js', args: ['-a', 1], }] }`,
    'main.js': idle(),
  });
  await ended(t, project);
  await project.start();
  await running('fourth');
  await stead.ok(['apply', 'process.json'], { cwd: project.directory });
  assert.deepEqual(wordsOf(await running('json5')).slice(-2), ['-a', '1']);
  await stead.ok(['down', 'process.json'], { cwd: project.directory });
  await project.down();
});

test('5: an ES module, export default, an async function', async (t) => {
  const project = new Project('five', {
    'ecosystem.config.mjs': `const port = await Promise.resolve(1);
      export default async () => ({ apps: [{ name: 'esm', script: 'esm.mjs', env: { N: port } }] });`,
    'esm.mjs': 'await 0; setInterval(() => {}, 1e6);',
  });
  await ended(t, project);
  await project.start();
  assert.equal(variable(await running('esm'), 'N'), '1');
  await project.down();
});

test('6: TypeScript, the app and the file', async (t) => {
  const runs = Number(process.versions.node.split('.')[0]) >= 24;
  const project = new Project('six', {
    'ecosystem.config.ts': `interface App { name: string; script: string; interpreter?: string; args: string }
      const app: App = { name: 'typed', script: './typed.ts', args: '"a b" c', ...(${runs} ? {} : { interpreter: './as-js' }) };
      export const apps: App[] = [app];`,
    'typed.ts': `const kept: number = 1;\n${idle()}`,
    // Node 20 runs no TypeScript: what would is made of it.
    'as-js': '',
  });
  const shell = `#!/bin/sh\nexec ${process.execPath} --input-type=commonjs -e "$(tail -n +2 "$1")" x "$2" "$3"\n`;
  writeFileSync(project.path('as-js'), shell);
  chmodSync(project.path('as-js'), 0o755);
  await ended(t, project);
  await project.start();
  assert.deepEqual(wordsOf(await running('typed')).slice(-2), ['a b', 'c']);
  await project.down();
});

test('7: a framework behind its own command in node_modules, and npm', async (t) => {
  const port = await freePort();
  const project = new Project('seven', {
    'ecosystem.config.js': `module.exports = { apps: [{ name: 'next', script: 'node_modules/next/dist/bin/next', args: 'start -p ${port}', instances: 2, exec_mode: 'cluster' }] };`,
    'node_modules/next/dist/bin/next': `#!/usr/bin/env node\nrequire('http').createServer((q, r) => r.end(process.argv[2])).listen(Number(process.argv[4]));\n`,
  });
  await ended(t, project);
  await project.start();
  await stead.until('next', 'two', ({ instances }) => instances.filter(({ ready }) => ready).length === 2);
  assert.equal(await body(port), 'start');
  assert.match((await stead.ok(['reload', 'next'])).stdout, /next reloaded/);
  await project.down();
});

test('8: Python with quotes in its arguments, unbuffered', async (t) => {
  const project = new Project('eight', {
    'ecosystem.config.js': `module.exports = { apps: [{ name: 'py', script: 'job.py', interpreter: 'python3', args: '--title "a b" --json {"x":1} k="v w"' }, { name: 'py2', script: 'job.py' }] };`,
    'job.py': 'import sys, time\nprint(sys.argv[1:])\ntime.sleep(1000)\n',
  });
  await ended(t, project);
  await project.start();
  const py = await running('py');
  assert.deepEqual(wordsOf(py).slice(2), ['--title', 'a b', '--json', '{"x":1}', 'k="v w"']);
  assert.equal(variable(await running('py2'), 'PYTHONUNBUFFERED'), '1');
  await waitForFile((await stead.show('py2')).logs.out, /^\[\]\n/);
  await project.down();
});

test('9: bash, with spaces in its path and in its directory; a line for the shell', async (t) => {
  const project = new Project('nine nine', {
    'ecosystem.json': JSON.stringify({
      apps: [
        { name: 'spaced', script: './my dir/run it.sh' },
        { name: 'line', script: 'echo "a  b" >line.txt && exec sleep 1000' },
        { name: 'deep', cwd: './my dir', script: 'run it.sh' },
      ],
    }),
    'my dir/run it.sh':
      'shopt -s nullglob; [[ -n $BASH_VERSION ]] && echo "$PWD" >>"$HOME/spaced.txt"; exec sleep 1000\n',
  });
  await ended(t, project);
  await project.start();
  assert.match(await waitForFile(join(stead.directory, 'spaced.txt'), /my dir\n/), /nine nine\n/);
  assert.equal(await waitForFile(project.path('line.txt')), 'a  b\n');
  await project.down();
});

test('10: wait_ready and shutdown_with_message', async (t) => {
  const project = new Project('ten', {
    'ecosystem.config.js': `module.exports = { apps: [
      { name: 'ready', script: 'ready.js', wait_ready: true, listen_timeout: 20000, shutdown_with_message: true, kill_timeout: 20000 },
    ] };`,
    'ready.js': `const { appendFileSync } = require('fs');
      process.on('message', (text) => { appendFileSync('said.txt', text + '\\n'); if (text === 'shutdown') process.exit(0); });
      process.on('SIGINT', () => appendFileSync('said.txt', 'SIGINT\\n'));
      setTimeout(() => process.send('ready'), 50);`,
    'never.config.js': `module.exports = { apps: [{ name: 'never', script: 'never.js', wait_ready: true, listen_timeout: 300 }] };`,
    'never.js': idle(),
  });
  await ended(t, project);
  await project.start();
  const ready = await running('ready');
  assert.deepEqual(ready.spec.ready, { kind: 'ipc' });
  assert.equal(ready.spec.readyTimeoutMs, 20_000);
  await project.down();
  assert.equal(project.read('said.txt'), 'shutdown\n');
  const { code, stderr } = await stead.run(['start', 'never.config.js'], { cwd: project.directory });
  assert.equal(code, 6);
  assert.match(stderr, /not ready within 300 ms/);
  await stead.ok(['down', 'never.config.js'], { cwd: project.directory });
});

test('11: /dev/null, time, merge_logs, a combined file, a pid file, a directory that is not there yet', async (t) => {
  const project = new Project('eleven', {
    'ecosystem.config.js': `module.exports = { apps: [
      { name: 'silent', script: 'both.js', out_file: '/dev/null', error_file: 'NULL', time: true },
      { name: 'merged', script: 'both.js', instances: 2, out_file: 'logs/new/o.log', error_file: 'logs/new/e.log', merge_logs: true, log_date_format: 'x' },
      { name: 'combined', script: 'both.js', log_file: 'logs/all.log', pid_file: 'run.pid' },
    ] };`,
    'both.js': idle("console.log('out'), console.error('err')"),
  });
  await ended(t, project);
  const { stderr } = await project.start();
  assert.match(stderr, /silent: time: a log holds what the program wrote.*stead logs -t/);
  assert.match(stderr, /merged: merge_logs: each instance has files of its own/);
  await waitFor('the combined log', () => project.read('logs/all.log') === 'out\nerr\n');
  assert.equal(await waitForFile(project.path('logs/new/o.log')), 'out\n');
  assert.equal(await waitForFile(project.path('logs/new/e-1.log')), 'err\n');
  const combined = await running('combined');
  assert.equal(await waitForFile(project.path('run-0.pid')), `${mainOf(combined)}\n`);
  assert.deepEqual([existsSync(project.path('NULL')), combined.spec.log.merge], [false, true]);
  await project.down();
  await waitFor('the pid file to go', () => !existsSync(project.path('run-0.pid')));
});

test('a file with a wrong type is refused whole, and says which key of which app', async () => {
  const project = new Project('wrong', {
    'ecosystem.config.js': `module.exports = { apps: [{ name: 'good', script: 'x.js' }, { name: 'bad', script: 'x.js', kill_timeout: '3s', exec_mode: 'Cluster' }] };`,
    'x.js': idle(),
  });
  const { code, stderr } = await stead.run(['start', project.file], { cwd: project.directory });
  assert.equal(code, 5);
  assert.match(stderr, /bad: "kill_timeout" takes a number, not "3s"\n {2}bad: "exec_mode" is cluster or fork/);
  assert.deepEqual(await project.apps(), []);
});

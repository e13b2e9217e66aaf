/** pm2-runtime's command line: apps in the foreground, for containers. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { repository } from '../support/paths.ts';
import { Pm2 } from '../support/pm2.ts';
import { collect, type Result } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const bin = join(repository, 'bin/stead-pm2-runtime.cjs');

interface Runtime {
  readonly child: ChildProcess;
  readonly done: Promise<Result>;
  readonly output: { text: string };
}

function watched(t: TestContext, child: ChildProcess): Runtime {
  t.after(() => child.kill('SIGKILL'));
  const done = collect(child, 'stead-pm2-runtime', 60_000);
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: string) => {
      output.text += text;
    });
  return { child, done, output };
}

const begun = (t: TestContext, { stead }: Pm2, words: readonly string[]): Runtime =>
  watched(t, spawn(process.execPath, [bin, ...words], { stdio: 'pipe', cwd: stead.directory, env: stead.env }));

/** Ends on SIGINT, as programs for pm2 do. */
const server = `
console.log(process.env.name ?? '', 'up', process.env.NODE_APP_INSTANCE ?? '', ...process.argv.slice(2));
process.on('SIGINT', () => { console.log('bye'); process.exit(0); });
setInterval(() => {}, 1e6);
`;
const twoApps = `module.exports = { apps: [
  { name: 'web', script: 'server.js', exec_mode: 'fork', env: { name: 'plain' }, env_production: { name: 'production' } },
  { name: 'worker', script: 'server.js', exec_mode: 'fork', args: 'a b' },
  { name: 'third', script: 'server.js', exec_mode: 'fork' },
] };
`;

test('a file: a part of its apps in the foreground, and TERM ends them', async (t) => {
  const pm2 = new Pm2(t);
  pm2.write({ 'server.js': server, 'ecosystem.config.js': twoApps });
  const words = ['start', 'ecosystem.config.js', '--only', 'web,worker', '--env', 'production', '--deep-monitoring'];
  const { child, done, output } = begun(t, pm2, words);
  await waitFor(
    'both',
    () => /^web \| production up/m.test(output.text) && /^worker \| {2}up \d? a b/m.test(output.text),
  );
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await done;
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.match(/^\w+ \| bye$/gm)?.toSorted(), ['web | bye', 'worker | bye']);
  assert.match(stderr, /--deep-monitoring has no effect/);
  assert.doesNotMatch(stdout, /third/);
  assert.deepEqual((await pm2.stead.list()).map(({ name, state }) => `${name} ${state}`).toSorted(), [
    'web stopped',
    'worker stopped',
  ]);
});

test('it ends by itself with the exit code of what failed; lines are raw, pairs or JSON', async (t) => {
  const pm2 = new Pm2(t);
  pm2.write({
    'ok.sh': 'echo fine; echo bad >&2',
    'fails.sh': 'sleep 0.3; exit 42',
    'ecosystem.config.js': "module.exports = [{ script: './ok.sh' }, { script: './fails.sh' }]",
  });
  const { code, stdout, stderr } = await begun(t, pm2, ['ecosystem.config.js', '--no-autorestart', '--raw']).done;
  assert.equal(code, 42, stderr);
  assert.equal(stdout, 'fine\n');
  assert.match(stderr, /^bad$/m);
  const pairs = await begun(t, pm2, ['ok.sh', '-n', 'lines', '--no-autorestart', '--format', '-s']).done;
  assert.match(pairs.stdout, /^timestamp=\d{4}-\S+Z app=lines id=0 type=out message=fine\n$/);
  assert.match(pairs.stderr, /^timestamp=\S+ app=lines id=0 type=err message=bad\n$/);
  assert.equal(pairs.code, 0);
  const json = await begun(t, pm2, ['start', 'ok.sh', '-n', 'lines', '--no-autorestart', '--json']).done;
  const { name, stream, line } = JSON.parse(json.stdout);
  assert.deepEqual([name, stream, line], ['lines', 'out', 'fine']);
});

test('a script with two instances and its words; a command in PATH', async (t) => {
  const pm2 = new Pm2(t);
  pm2.write({ 'server.js': server });
  const two = begun(t, pm2, ['server.js', '-i', '2', '--name', 'api', '--', '--port', '80']);
  await waitFor('both', () => [0, 1].every((at) => two.output.text.includes(`api:${at} |  up ${at} --port 80`)));
  two.child.kill('SIGINT');
  const { code, stdout } = await two.done;
  assert.equal(code, 0);
  assert.equal(stdout.match(/^api:[01] \| bye$/gm)?.length, 2);
  const command = await begun(t, pm2, ['start', 'echo', '--no-autorestart', '--', 'start', '-n']).done;
  assert.equal(command.stdout, 'echo | start -n\n', command.stderr);
});

test('with --no-auto-exit it waits for a signal, which also ends --delay', async (t) => {
  const pm2 = new Pm2(t);
  const stays = begun(t, pm2, ['false', '--name', 'short', '--no-autorestart', '--no-auto-exit']);
  await pm2.stead.until('short', 'ended', ({ state }) => state === 'failed');
  assert.equal(stays.child.exitCode, null);
  stays.child.kill('SIGTERM');
  assert.equal((await stays.done).code, 0);
  // What it says about the flag says that it has begun.
  const late = begun(t, pm2, ['true', '--name', 'late', '--delay', '3600', '--secret', 'x']);
  await waitFor('it to begin', () => late.output.text.includes('--secret has no effect'));
  late.child.kill('SIGTERM');
  await late.done;
  assert.deepEqual(
    (await pm2.stead.list()).map(({ name }) => name),
    ['short'],
  );
});

test('what is wrong is said, with 1; stead-pm2 runtime is the same', async (t) => {
  const pm2 = new Pm2(t);
  pm2.write({ 'ecosystem.config.js': twoApps });
  const lines = [
    [],
    ['gone.config.js'],
    ['ecosystem.config.js', 'b.js'],
    ['true', '--delay', 'x'],
    ['true', '--nonsense'],
  ];
  const results = await Promise.all(lines.map((words) => begun(t, pm2, words).done));
  assert.deepEqual(
    results.map(({ code }) => code),
    lines.map(() => 1),
  );
  const ran = await pm2.run(['runtime', 'echo', '--no-autorestart', '--raw', '--', 'hello']);
  assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'hello\n', '']);
});

const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount', '--mount-proc', 'true']).status === 0;
const skip = canUnshare ? false : 'no pid namespace to be had: not root';

test('as PID 1 it keeps the daemon itself, and TERM ends all', { skip }, async (t) => {
  const pm2 = new Pm2(t);
  pm2.write({ 'server.js': server });
  const script = 'mount -t tmpfs tmpfs /mnt && STEAD_HOME=/mnt/stead exec "$0" "$@"';
  const flags = ['--pid', '--fork', '--kill-child', '--mount', '--mount-proc', 'sh', '-c', script];
  const words = [...flags, process.execPath, bin, 'start', 'server.js', '--name', 'boxed'];
  const options = { stdio: 'pipe', cwd: pm2.stead.directory, env: { PATH: process.env.PATH } } as const;
  const { child, done, output } = watched(t, spawn('unshare', words, options));
  await waitFor('it to begin', () => /^boxed \| {2}up/m.test(output.text));
  const init = childrenOf(child.pid!)[0]!;
  assert.ok(childrenOf(init.pid).every(({ command }) => !/guardian/.test(command)));
  process.kill(init.pid, 'SIGTERM');
  const { code, stdout } = await done;
  assert.equal(code, 0);
  assert.match(stdout, /^boxed \| bye$/m);
});

function childrenOf(parent: number): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [, command, ppid] = /^\d+ \((.*)\) \S (\d+)/s.exec(stat)!;
        return Number(ppid) === parent ? [{ pid: Number(name), command: command! }] : [];
      } catch {
        return [];
      }
    });
}

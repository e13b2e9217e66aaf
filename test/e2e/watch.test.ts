/** `start --watch`: restarted once when what it is made of changes, and only when that makes sense. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { failed, Load } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const server = (port: number, version: string) =>
  `require('http').createServer((q, r) => r.end('${version}')).listen(${port}, '127.0.0.1');`;

interface Project {
  readonly stead: Stead;
  readonly port: number;
  readonly script: string;
  write(version: string): void;
  version(): Promise<string>;
}

async function project(t: TestContext): Promise<Project> {
  const stead = new Stead(t);
  const port = await freePort();
  const script = join(stead.folder('src'), 'web.cjs');
  const write = (version: string) => writeFileSync(script, server(port, version));
  write('v1');
  const version = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
  return { stead, port, script, write, version };
}

const answers = ({ version }: Project, wanted: string) =>
  waitFor(wanted, async () => (await version().catch(() => '')) === wanted);

const restartsOf = async (stead: Stead) => (await stead.show('web')).exits.length;

test('a save restarts it once, with the reason; the same bytes, swap files and what is ignored do not', async (t) => {
  const web = await project(t);
  const { stead, script, write } = web;
  const options = ['--watch', '--watch-delay', '100ms', '--ignore', 'cache/**', '--name', 'web'];
  await stead.ok(['start', script, '--cwd', stead.folder('src'), ...options]);
  await answers(web, 'v1');
  write('v1');
  const folder = stead.folder('src');
  mkdirSync(join(folder, 'node_modules'));
  mkdirSync(join(folder, 'cache'));
  for (const name of ['web.cjs.swp', '.web.cjs.swx', 'node_modules/x.js', 'cache/a.js', 'notes.txt'])
    writeFileSync(join(folder, name), 'x');
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(await restartsOf(stead), 0);
  for (const version of ['v2', 'v3', 'v4']) write(version);
  await answers(web, 'v4');
  const { exits } = await stead.show('web');
  assert.equal(exits.length, 1);
  assert.equal(exits[0]!.cause, 'a change: web.cjs');
  // By rename, as editors save.
  writeFileSync(join(folder, 'next'), server(web.port, 'v5'));
  renameSync(join(folder, 'next'), script);
  await answers(web, 'v5');
  const { pid: daemon } = await stead.daemon();
  process.kill(daemon!, 'SIGKILL');
  await waitFor('another daemon', async () => (await stead.daemon()).pid !== daemon && (await stead.daemon()).running);
  await new Promise((resolve) => setTimeout(resolve, 500));
  write('v6');
  await answers(web, 'v6');
  await stead.ok(['stop', 'web']);
  write('v7');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal((await stead.show('web')).state, 'stopped');
});

test('what crashed is started again by the change that mends it', async (t) => {
  const web = await project(t);
  const { stead, script, write } = web;
  writeFileSync(script, "throw new Error('no good')");
  await stead.run(['start', script, '--cwd', stead.folder('src'), '--watch', '--name', 'web', '--max-restarts', '1']);
  await stead.until('web', 'its end', ({ state }) => state === 'failed' || state === 'backoff');
  write('v2');
  await answers(web, 'v2');
});

test('a command that fails keeps the old one answering, and what it said is told', async (t) => {
  const web = await project(t);
  const { stead, script, write } = web;
  const build = 'echo building; test ! -e broken || { echo it does not build; exit 2; }';
  const cwd = stead.folder('src');
  await stead.ok(['start', script, '--cwd', cwd, '--watch', '--before', build, '--name', 'web']);
  await answers(web, 'v1');
  const load = new Load(web.port, { concurrency: 2 });
  writeFileSync(join(cwd, 'broken'), '');
  write('v2');
  const reason = /not restarted though web\.cjs changed: .*exit code 2: building \| it does not build/;
  await waitFor('the reason', async () => reason.test((await stead.ok(['why', 'web'])).stdout));
  assert.equal(await web.version(), 'v1');
  assert.equal(failed(await load.stop()), 0);
  assert.match(
    (await stead.ok(['events'])).stdout,
    /web\s+watch\s+.*not restarted though web\.cjs changed: .*exit code 2/,
  );
  rmSync(join(cwd, 'broken'));
  write('v3');
  await answers(web, 'v3');
});

test('several instances are reloaded, and no request is lost', async (t) => {
  const web = await project(t);
  const { stead, script, write } = web;
  await stead.ok(['start', script, '--cwd', stead.folder('src'), '--watch', '-i', '2', '--name', 'web']);
  await answers(web, 'v1');
  const load = new Load(web.port, { concurrency: 4 });
  write('v2');
  await answers(web, 'v2');
  await stead.until('web', 'no reload', ({ reload }) => !reload);
  assert.equal(failed(await load.stop()), 0);
});

test('what writes into what is watched has its watch suspended, with the path', async (t) => {
  const stead = new Stead(t);
  const script = join(stead.folder('src'), 'web.cjs');
  writeFileSync(
    script,
    "setTimeout(() => require('fs').writeFileSync('state.json', String(Date.now())), 200); setInterval(() => {}, 1e3);",
  );
  const options = ['--watch', '--watch-delay', '50ms', '--name', 'web', '--cwd', stead.folder('src')];
  await stead.ok(['start', script, ...options]);
  await waitFor('the watch to be suspended', async () =>
    /watch suspended: the program itself writes what it is restarted for: state\.json/.test(
      readFileSync(join(stead.home, 'daemon.log'), 'utf8'),
    ),
  );
  assert.equal(await restartsOf(stead), 5);
  assert.match((await stead.ok(['why', 'web'])).stdout, /watch suspended: .*state\.json/);
  assert.match((await stead.ok(['list'])).stdout, /watch suspended: .*state\.json/);
  await stead.ok(['restart', 'web']);
  assert.doesNotMatch((await stead.ok(['why', 'web'])).stdout, /watch suspended/);
});

test('while it runs a change signals it, waits for its end, or does nothing, as it was said', async (t) => {
  const stead = new Stead(t);
  const cwd = stead.folder('src');
  const program = 'trap "echo got it" HUP; echo begun; while [ ! -e end ]; do sleep 0.05; done; rm -f end';
  const common = ['--watch', '--watch-delay', '50ms', '--cwd', cwd, '--ext', 'txt'];
  await stead.ok(['start', '--name', 'sig', ...common, '--on-busy', 'signal', '--', 'sh', '-c', program]);
  const log = async (name: string) => readFileSync((await stead.show(name)).logs.out, 'utf8');
  await waitFor('it to begin', async () => (await log('sig')).includes('begun'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  writeFileSync(join(cwd, 'a.txt'), 'one');
  await waitFor('the signal', async () => (await log('sig')).includes('got it'));
  assert.equal((await stead.show('sig')).exits.length, 0);
  await stead.ok(['delete', 'sig']);
});

test('--graph: what it has imported restarts it, before and after a restart of the daemon, and nothing else does', async (t) => {
  const stead = new Stead(t);
  const cwd = stead.folder('src');
  const at = (name: string) => join(cwd, name);
  writeFileSync(at('answer.cjs'), 'module.exports = 1');
  writeFileSync(at('late.mjs'), 'export default 1');
  writeFileSync(at('other.cjs'), 'not imported');
  writeFileSync(
    at('web.cjs'),
    "console.log('answer', require('./answer.cjs')); import('./late.mjs').then((m) => console.log('late', m.default, process.env.NODE_OPTIONS, process.env.STEAD_GRAPH)); setInterval(() => {}, 1e3)",
  );
  await stead.ok(['start', at('web.cjs'), '--graph', '--watch-delay', '50ms', '--cwd', cwd, '--name', 'web']);
  const log = async () => readFileSync((await stead.show('web')).logs.out, 'utf8');
  const says = (line: string) => waitFor(line, async () => (await log()).includes(line));
  const save = async (name: string, text: string, line: string) => {
    await waitFor('the imports to be read', async () => {
      writeFileSync(at(name), `${text} // ${Date.now()}`);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return (await log()).includes(line);
    });
  };
  await says('late 1 undefined undefined');
  writeFileSync(at('other.cjs'), 'still not');
  await save('answer.cjs', 'module.exports = 2', 'answer 2');
  const { exits } = await stead.show('web');
  assert.ok(
    exits.every(({ cause }) => cause === 'a change: answer.cjs'),
    JSON.stringify(exits),
  );
  const { pid: daemon } = await stead.daemon();
  process.kill(daemon!, 'SIGKILL');
  await waitFor('another daemon', async () => (await stead.daemon()).pid !== daemon && (await stead.daemon()).running);
  await save('late.mjs', 'export default 2', 'late 2');
  writeFileSync(at('other.cjs'), 'no');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok((await stead.show('web')).exits.every(({ cause }) => !/other/.test(cause ?? '')));
});

test('what --ignore-watch and a .foreverignore name is ignored as pm2 and forever ignore it', async (t) => {
  const web = await project(t);
  const { stead, script, write } = web;
  const cwd = stead.folder('src');
  for (const name of ['uploads', 'tmp']) mkdirSync(join(cwd, name));
  writeFileSync(join(cwd, '.foreverignore'), '# what it writes\n*.log.js\n');
  const ignored = ['--ignore-watch', 'uploads', '--ignore-watch', './tmp/*.js'];
  await stead.ok(['start', script, '--cwd', cwd, '--watch', '--watch-delay', '50ms', ...ignored, '--name', 'web']);
  await answers(web, 'v1');
  for (const name of ['uploads/a.js', 'tmp/b.js', 'x.log.js']) writeFileSync(join(cwd, name), 'x');
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(await restartsOf(stead), 0);
  write('v2');
  await answers(web, 'v2');
});

test('saves by hand, however many, suspend nothing', async (t) => {
  const web = await project(t);
  const { stead, script, write } = web;
  await stead.ok(['start', script, '--cwd', stead.folder('src'), '--watch', '--watch-delay', '50ms', '--name', 'web']);
  for (let save = 2; save <= 9; save++) {
    write(`v${save}`);
    await answers(web, `v${save}`);
  }
  assert.equal(await restartsOf(stead), 8);
  assert.equal((await stead.show('web')).reason, null);
});

test('several of what shares nothing are restarted', async (t) => {
  const stead = new Stead(t);
  const cwd = stead.folder('src');
  const save = (version: number) =>
    writeFileSync(join(cwd, 'w.js'), `console.log('v${version}'); setInterval(() => {}, 1e3)`);
  save(1);
  await stead.ok(['start', 'w.js', '--watch', '--watch-delay', '50ms', '-i', '2'], { cwd });
  const logs = async () => (await stead.ok(['logs', 'w'])).stdout;
  await waitFor('both', async () => (await logs()).match(/v1/g)?.length === 2);
  save(2);
  await waitFor('both anew', async () => (await logs()).match(/v2/g)?.length === 2);
});

test('a gate goes with its watch, and all that it has started; one at a time', async (t) => {
  const stead = new Stead(t);
  const cwd = stead.folder('src');
  writeFileSync(join(cwd, 'w.js'), 'setInterval(() => {}, 1e3)');
  const gate = 'echo $$ >> ../gates; setsid sleep 1000 & echo $! >> ../gates; sleep 1000';
  await stead.ok(['start', 'w.js', '--watch', '--watch-delay', '50ms', '--before', gate], { cwd });
  const pids = () =>
    existsSync(join(cwd, '../gates')) ? readFileSync(join(cwd, '../gates'), 'utf8').trim().split('\n').map(Number) : [];
  writeFileSync(join(cwd, 'w.js'), 'setInterval(() => {}, 2e3)');
  await waitFor('the gate', () => pids().length === 2 && pids().every(isRunning));
  const first = pids();
  await stead.ok(['stop', 'w']);
  await waitFor('its end', () => !first.some(isRunning));
  await stead.ok(['start', 'w']);
  writeFileSync(join(cwd, 'w.js'), 'setInterval(() => {}, 3e3)');
  await waitFor('another', () => pids().length === 4 && pids().slice(2).every(isRunning));
  await stead.ok(['delete', 'w']);
  await waitFor('its end', () => !pids().some(isRunning));
});

test('unset watch takes what was said of it along; a problem that was solved is told no more', async (t) => {
  const web = await project(t);
  const { stead, script, write } = web;
  const cwd = stead.folder('src');
  await stead.ok([
    'start',
    script,
    '--cwd',
    cwd,
    '--watch',
    '--watch-delay',
    '50ms',
    '--before',
    'test ! -e broken',
    '--name',
    'web',
  ]);
  writeFileSync(join(cwd, 'broken'), '');
  write('v2');
  await waitFor('the reason', async () => /not restarted though/.test((await stead.ok(['list'])).stdout));
  rmSync(join(cwd, 'broken'));
  write('v3');
  await answers(web, 'v3');
  assert.doesNotMatch((await stead.ok(['why', 'web'])).stdout, /not restarted/);
  assert.match((await stead.ok(['show', 'web'])).stdout, /killed by SIGTERM after .* \(a change: web\.cjs\)/);
  await stead.ok(['unset', 'web', 'watch']);
  const { spec } = await stead.show('web');
  assert.equal(spec.watch, null);
  assert.equal(spec.options.before, undefined);
});

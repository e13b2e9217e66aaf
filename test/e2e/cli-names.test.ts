/** Names and selectors that must be refused, and how. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stead } from '../support/stead.ts';

const badNames = [
  '../../x',
  '-rf',
  '--help',
  '0',
  '1e3',
  'all',
  'a/b',
  '.',
  '..',
  'n'.repeat(300),
  'ünï',
  '😀',
  'a b',
  'a\nb',
  '\x1b]0;x\x07',
  '@x',
  'a:0',
];

test('a name that does not pass is refused with the rule, in words that are safe to show, and nothing is made', async (t) => {
  const stead = new Stead(t);
  for (const name of badNames) {
    const { code, stderr } = await stead.run(['start', `--name=${name}`, '--', 'sleep', '100']);
    assert.equal(code, 5, `${JSON.stringify(name)}: ${stderr}`);
    assert.match(stderr, /letters|name/i);
    assert.match(stderr, /^Hint: /m);
    assert.ok(!/[\x00-\x09\x0b-\x1f]/.test(stderr), JSON.stringify(stderr));
  }
  const apps = join(stead.home, 'apps');
  assert.deepEqual(existsSync(apps) ? readdirSync(apps) : [], []);
  assert.ok(!existsSync(join(stead.directory, 'x')));
});

test('names that look odd but pass are kept apart', async (t) => {
  const stead = new Stead(t);
  for (const name of ['__proto__', 'constructor', 'null', 'A', 'a', 'x-1', '2fast']) {
    const { code } = await stead.run(['start', `--name=${name}`, '--', 'sleep', '100']);
    const isPassing = name !== '__proto__';
    assert.equal(code, isPassing ? 0 : 5, name);
  }
  const apps = await stead.list();
  assert.deepEqual(apps.map(({ name }) => name).sort(), ['2fast', 'A', 'a', 'constructor', 'null', 'x-1']);
  await stead.ok(['stop', 'all']);
});

test('a selector of nothing there is exit code 3 and names the nearest', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'worker', '--', 'sleep', '100']);
  for (const verb of ['stop', 'restart', 'delete', 'reset', 'show', 'logs', 'pid']) {
    const { code, stderr } = await stead.run([verb, 'wroker']);
    assert.equal(code, 3, verb);
    assert.match(stderr, /There is no app "wroker"/);
    assert.match(stderr, /did you mean worker\?/);
  }
  for (const selector of ['../worker', '__proto__', '99', '@none', 'worker:7', '-1', '--all', '']) {
    assert.equal((await stead.run(['stop', '--', selector])).code, 3, JSON.stringify(selector));
  }
  assert.match((await stead.run(['stop', 'worker', 'none'])).stderr, /There is no app "none"\. Nothing was stopped\./);
  assert.match((await stead.run(['delete', 'none', 'all'])).stderr, /Nothing was deleted/);
  assert.equal((await stead.show('worker')).state, 'running');
});

test('an app named by its script is told by its name', async (t) => {
  const stead = new Stead(t);
  const script = join(stead.folder('shop'), 'server.sh');
  writeFileSync(script, 'sleep 100');
  await stead.ok(['start', script]);
  await stead.ok(['start', '--name', 'api', '--', 'sleep', '100']);
  for (const verb of ['stop', 'restart', 'show'])
    assert.match((await stead.run([verb, 'api.js'])).stderr, /^Hint: did you mean api\?$/m, verb);
  for (const selector of ['server.sh', './shop/server.sh', script])
    assert.match((await stead.run(['stop', selector])).stderr, /^Hint: did you mean shop\?$/m, selector);
});

test('a mistyped command or option gets the nearest, and a word of another tool what to say instead', async (t) => {
  const stead = new Stead(t);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['strat', 'x'], /did you mean stead start\?/],
    [['list', '--jsno'], /did you mean --json\?/],
    [['start', 'x.js', '--port', '80'], /come after --/],
    [['kill', 'x'], /stead signal KILL.*stead delete.*stead daemon stop/],
    [['save'], /kept when the command returns/],
    [['monit', 'x'], /stead events -f/],
    [['stopall'], /^Hint: stead stop all$/m],
    [['restartall'], /^Hint: stead restart all$/m],
    [['version'], /^Hint: stead --version$/m],
    [['jlist'], /^Hint: stead list --json$/m],
    [['cleanlogs'], /^Hint: stead flush all$/m],
    [['help', 'save'], /kept when the command returns/],
    [['run', '--watch', 'x.js'], /"--watch" is not there yet\nHint: .*stead start --watch/],
    [['start', 'x.js', '-i', 'two'], /-i takes a number from 1 to 200, max/],
    [['run', '--instances=2', 'x'], /^stead: There is no option "--instances"$/m],
    [['start', 'x.js', '--listen', 'localhost:80'], /^Hint: --listen 127\.0\.0\.1:80$/m],
    [['scale', 'x'], /^Hint: stead scale web 4$/m],
    [['scale', 'x', '0'], /^Hint: stead stop <name> ends it$/m],
    [['reload', 'x', '--continue', '--abort'], /--abort does not go with it/],
    [['start', 'x', '-e', '=y'], /^Hint: -e NAME=y$/m],
    [['__proto__'], /all commands: stead help/],
    [['start'], /stead start server\.js/],
    [['stop'], /stead stop <name>/],
    [['start', 'x', '-e', 'err.log'], /logs are kept by themselves/],
    [['run', '--restart', 'sometimes', 'x'], /always, on-failure, no/],
  ];
  for (const [args, hint] of cases) {
    const { code, stderr, stdout } = await stead.run(args);
    assert.ok(code === 2 || args[0] === 'run', `${args}: ${code}`);
    assert.match(stderr, hint);
    assert.equal(stdout, '');
  }
  assert.ok(!existsSync(stead.home), 'a wrong line makes no home');
});

test('where nothing was ever started no daemon is started to say so', async (t) => {
  const stead = new Stead(t);
  assert.equal((await stead.run(['stop', 'web'])).code, 3);
  assert.equal((await stead.ok(['stop', 'all', '--json'])).stdout, '[]\n');
  assert.ok(!existsSync(stead.home));
});

test('a command line without -- gets the line to copy, and nothing of it is started', async (t) => {
  const stead = new Stead(t);
  writeFileSync(join(stead.directory, 'job.sh'), 'sleep 100');
  const cases: readonly (readonly [string, string])[] = [
    ['npm run dev', 'stead start -- npm run dev'],
    ['sh job.sh', 'stead start -- sh job.sh'],
    ['sleep 100s', 'stead start -- sleep 100s'],
    ['sleep 100', 'stead start -- sleep 100'],
    ['sh job.sh --name x', 'stead start -- sh job.sh, with the options before --'],
    ['npm run dev -- --port 80', 'stead start -- npm run dev -- --port 80'],
  ];
  for (const [line, hint] of cases) {
    const { code, stderr } = await stead.run(['start', ...line.split(' ')]);
    assert.notEqual(code, 0, line);
    assert.ok(stderr.endsWith(`\nHint: ${hint}\n`), stderr);
  }
  assert.deepEqual(await stead.list(), []);
  await stead.ok(['start', './job.sh', 'sleep', '--no-wait']);
  assert.deepEqual((await stead.list()).map(({ name }) => name).sort(), ['job', 'sleep']);
});

test('a name that is taken says by what, and by the same command what differs', async (t) => {
  const stead = new Stead(t);
  const other = stead.folder('other');
  await stead.ok(['start', '--', 'sleep', '100']);
  const refused = async (args: readonly string[], cwd = stead.directory) => {
    const { code, stderr } = await stead.run(['start', ...args], { cwd });
    assert.equal(code, 5, stderr);
    return stderr;
  };
  const elsewhere = await refused(['--', 'sleep', '100'], other);
  assert.match(elsewhere, /same command, but its directory is ".*", not ".*\/other"\.\n/);
  assert.match(elsewhere, /^Hint: for that one: stead start sleep; for one more: --name sleep-2$/m);
  assert.match(await refused(['-e', 'A=1', '--', 'sleep', '100'], other), /, its environment differs in A\./);
  const words = await refused(['--name', 'sleep', '--', 'sleep', '50']);
  assert.match(
    words,
    /taken by another program \(sleep 100\)\.\nHint: choose another: --name sleep-2; or: stead delete/,
  );
});

test('list takes names, too', async (t) => {
  const stead = new Stead(t);
  for (const name of ['a', 'b']) await stead.ok(['start', '--name', name, '--group', 'g', '--', 'sleep', '100']);
  const names = async (...args: string[]) =>
    (await stead.json<{ name: string }[]>(['list', ...args])).map(({ name }) => name);
  assert.deepEqual([await names('b'), await names('@g'), await names()], [['b'], ['a', 'b'], ['a', 'b']]);
  assert.match((await stead.ok(['list', 'b'])).stdout, /\n1 app\n$/, 'what was not asked for is no older job');
  assert.equal((await stead.run(['list', 'c'])).code, 3);
});

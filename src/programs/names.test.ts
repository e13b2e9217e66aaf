import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { SteadError } from '../protocol/errors.ts';
import { wordThatNames, wordThatNamesInShell } from './command-words.ts';
import { checkName, countOn, isName, nameOfCommand, nameOfScript, passingName } from './names.ts';

const folder = mkdtempSync(join(tmpdir(), 'stead-names-'));
after(() => rmSync(folder, { recursive: true }));

test('names that obey the rule pass as they are', () => {
  for (const name of ['a', 'api', 'API-2', 'x.y_z', '0a', 'a'.repeat(64), 'constructor', 'null', '1.2.3', 'All']) {
    assert.equal(checkName(name), name);
  }
});

test('a name that is too long is said to be so', () => {
  const message = /: it is too long \(65 characters\); a name has 1 to 64 letters/;
  assert.throws(() => checkName('a'.repeat(65)), { code: 'NAME_INVALID', message });
});

test('every other name is refused with the rule and a name that would pass', () => {
  const bad = [
    '',
    '-rf',
    '--all',
    '../../x',
    'a/b',
    '.',
    '..',
    'all',
    '0',
    '455',
    '1e3',
    '0x10',
    '5.',
    '0b1',
    'Infinity',
  ];
  const worse = [
    '__proto__',
    'con stru',
    'a\nb',
    'a\0b',
    'a'.repeat(65),
    'é',
    'e\u0301',
    '😀',
    '\u202eabc',
    '名前',
    'a\x1b[31m',
  ];
  for (const name of [...bad, ...worse]) {
    assert.throws(
      () => checkName(name),
      (error: SteadError) => {
        assert.equal(error.code, 'NAME_INVALID');
        assert.match(error.message, /1 to 64/);
        assert.doesNotMatch(error.message, /[\x00-\x1f\u202e]/);
        assert.ok(isName(String(error.details?.suggestion)), name);
        assert.equal(error.hint, `--name ${error.details?.suggestion}`);
        return true;
      },
    );
  }
});

test('any text becomes a name that passes, and a name that passes stays', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.double().map(String),
    fc.string({ minLength: 60, maxLength: 80 }),
  );
  fc.assert(fc.property(texts, (text) => isName(passingName(text))));
  assert.equal(passingName('455'), 'app-455');
  assert.equal(passingName('all'), 'app-all');
  assert.equal(passingName('../../x'), 'x');
  assert.equal(passingName('Café au lait'), 'Cafe-au-lait');
});

test('counting on gives names that pass and are not taken, also for the longest', () => {
  assert.equal(
    countOn('sleep', () => false),
    'sleep',
  );
  assert.equal(
    countOn('sleep', (name) => ['sleep', 'sleep-2'].includes(name)),
    'sleep-3',
  );
  const long = 'a'.repeat(64);
  const next = countOn(long, (name) => name === long);
  assert.equal(next, `${'a'.repeat(62)}-2`);
});

test('a command line is named by its first word that is no interpreter or runner', () => {
  const cases: readonly [string, string][] = [
    ['npm run api', 'api'],
    ['npm run dev:web -- --port 1', 'dev:web'],
    ['npm --prefix sub run api', 'api'],
    ['pnpm -F web run worker', 'worker'],
    ['pnpm exec vite', 'vite'],
    ['yarn worker', 'worker'],
    ['npx -y http-server -p 80', 'http-server'],
    ['bun run jobs.ts', 'jobs'],
    ['bun jobs.ts', 'jobs'],
    ['deno run -A main_loop.ts', 'main_loop'],
    ['python3 -m http.server 8000', 'http.server'],
    ['python3.11 -u worker.py', 'worker'],
    ['python3 -c pass', 'python3'],
    ['env A=1 node x.js', 'x'],
    ['env -u A -i B=2 node --import tsx x.mjs', 'x'],
    ['sudo -u www nice -n 5 /usr/sbin/nginx -g daemon', 'nginx'],
    ['timeout 5 sleep 10', 'sleep'],
    ['java -Xmx1g -jar /opt/app-1.2.jar', 'app-1.2'],
    ['node', 'node'],
    ['node -e 1', 'node'],
    ['/usr/bin/node /srv/web/queue.cjs --x', 'queue'],
    ['sleep 100', 'sleep'],
    ['./run.d/thing.sh', 'thing'],
    ['nodemon -w src -x sleep x', 'sleep'],
    ['sh', 'sh'],
    ['env', 'env'],
    ['flask run', 'flask'],
    ['constructor x', 'constructor'],
  ];
  for (const [line, name] of cases) assert.equal(wordThatNames(line.split(' ')), name, line);
  assert.equal(wordThatNames(['sh', '-c', 'cd /srv && PORT=1 exec node web.js > log']), 'web');
  assert.equal(wordThatNames(['bash', '-lc', 'npm run api']), 'api');
  assert.equal(wordThatNamesInShell('while true; do date; sleep 1; done'), 'date');
  assert.equal(wordThatNamesInShell('"/opt/my app/thing.sh" -x | tee y'), 'thing');
  assert.equal(wordThatNamesInShell('cd /x'), 'cd');
  assert.equal(wordThatNames(['sh', '-c', 'exit 7']), 'sh');
  assert.equal(wordThatNames(['bash', '-lc', 'sleep 1; exit 7']), 'sleep');
  assert.equal(wordThatNamesInShell('  '), 'command');
});

test('no command line, however strange, is without a name that passes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('env', 'sh', '-c', 'npm', 'run', '--', 'sudo'))),
      async (words) => isName(await nameOfCommand(words, folder)),
    ),
  );
  assert.ok(isName(await nameOfCommand(Array(1000).fill('env'), folder)));
});

test('index, main, app, server and start are named after their package, or else their folder', async () => {
  mkdirSync(join(folder, 'shop/src/deep'), { recursive: true });
  mkdirSync(join(folder, 'plain/src'), { recursive: true });
  mkdirSync(join(folder, 'shop/.git'));
  writeFileSync(join(folder, 'shop/package.json'), '{"name": "@acme/web-shop"}');
  assert.equal(await nameOfScript(join(folder, 'shop/src/deep/index.js')), 'web-shop');
  assert.equal(await nameOfScript(join(folder, 'shop/worker.js')), 'worker');
  assert.equal(await nameOfScript(join(folder, 'shop/test-server.min.js')), 'test-server.min');
  assert.equal(await nameOfCommand(['npm', 'start'], join(folder, 'shop')), 'web-shop');
  assert.equal(await nameOfScript(join(folder, 'plain/src/main.py')), 'plain');
  writeFileSync(join(folder, 'plain/package.json'), 'not json');
  assert.equal(await nameOfScript(join(folder, 'plain/server.js')), 'plain');
});

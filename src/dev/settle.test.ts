import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Cleanup, temporaryDirectory } from '../../test/support/temporary.ts';
import { extensionsOf, launchFor } from './dev.ts';
import { parseDevLine } from './line.ts';
import { delayOfLine } from './nodemon-config.ts';
import { settle } from './settle.ts';

interface Place {
  readonly directory: string;
  settings(...argv: string[]): ReturnType<typeof settle>;
  /** What is executed, as a person would type it, and the extensions that count. */
  launch(...argv: string[]): Promise<{ readonly shown: string; readonly ext: string }>;
}

function place(cleanup: Cleanup, files: Readonly<Record<string, string | object>>): Place {
  const directory = temporaryDirectory(cleanup, 'settle');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content), {
      mode: 0o755,
    });
  }
  const cwd = join(directory, 'app');
  mkdirSync(cwd, { recursive: true });
  const env = { PATH: `${join(directory, 'bin')}:${process.env.PATH}`, HOME: directory };
  const settings = (...argv: string[]) => settle({ line: parseDevLine(argv, [], cwd), env, cwd });
  return {
    directory,
    settings,
    async launch(...argv) {
      const asked = settings(...argv);
      const launch = await launchFor(asked, env);
      return { shown: launch.shown, ext: extensionsOf(asked, launch) };
    },
  };
}

const js = { 'app/app.js': '' };

test('words before the script are for node, words behind it for the script; nodemon takes its own from both', async (t) => {
  const { launch, settings } = place(t, { ...js, 'app/lib/mod.js': '' });
  const cases: readonly (readonly [string[], string])[] = [
    [['app.js'], 'node app.js'],
    [['app'], 'node app.js'],
    [['--inspect=0', '-r', 'mod', 'app.js', '--port', '80'], 'node --inspect=0 -r mod app.js --port 80'],
    [['app.js', '-w', 'lib', '--port', '80', '-e', 'js'], 'node app.js --port 80'],
    [['app.js', '--', '-w', 'lib', '--', 'x'], 'node app.js -w lib -- x'],
    [['app.js', '--before', 'x', '-w4', '--restart'], 'node app.js --before x -w4 --restart'],
    [['-x', 'python3 -u', 'app.js', 'x y'], "python3 -u app.js 'x y'"],
    [['-x', 'echo {{filename}} in {{pwd}}', 'app.js', 'z'], `echo app.js in ${settings().cwd} z`],
    [['--exec', 'sh', '-e', 'x'], 'sh'],
    [['sh', '-c', ':'], 'sh -c :'],
    [['.'], 'node .'],
  ];
  for (const [argv, shown] of cases) assert.equal((await launch(...argv)).shown, shown, argv.join(' '));
  assert.deepEqual(settings('app.js', '-w', 'lib', '-w', 'src').watch.roots, ['lib', 'src']);
});

test('without a script package.json says what runs', async (t) => {
  const main = place(t, { 'app/package.json': { main: 'lib/main.js' }, 'app/lib/main.js': '' });
  assert.equal((await main.launch('--inspect=0')).shown, 'node --inspect=0 lib/main.js');
  const index = place(t, { 'app/index.js': '' });
  assert.equal((await index.launch()).shown, 'node index.js');
  const start = place(t, { 'app/package.json': { scripts: { start: 'node x.js' } } });
  assert.equal((await start.launch()).shown, 'node x.js');
  const self = place(t, { 'app/package.json': { scripts: { start: 'nodemon' } } });
  await assert.rejects(self.launch(), { code: 'USAGE' });
  await assert.rejects(self.launch('--befor=x'), { message: /no option "--befor=x"/, hint: 'did you mean --before?' });
  await assert.rejects(self.launch('--bogus'), {
    message: /no option "--bogus"/,
    hint: /stead dev --bogus server\.js/,
  });
});

test('what is missing is named with the options of stead dev', async (t) => {
  const { launch } = place(t, { 'app/run': '#!/usr/bin/env no-such-interpreter' });
  await assert.rejects(launch('run'), { hint: /-x <program>, or .* execMap/ });
});

test('extensions are those that were asked for, however they are written; else those of the script, and json', async (t) => {
  const { launch } = place(t, { ...js, 'app/app.py': '', 'app/app.rb': '', 'bin/ruby': '#!/bin/sh' });
  for (const list of ['js,css', 'js css', '.js,.css', '*.js *.css', 'js|css'])
    assert.equal((await launch('-e', list, 'app.js')).ext, 'js,css', list);
  assert.equal((await launch('app.js')).ext, 'js,mjs,cjs,json');
  assert.equal((await launch('app.py')).ext, 'py,json');
  assert.equal((await launch('-x', 'python3', 'app.py')).ext, 'py,json');
  assert.match((await launch('app.py')).shown, /^python3 app\.py$/);
  assert.equal((await launch('app.rb')).shown, 'ruby app.rb');
});

test('what runs an extension can be said in a file', async (t) => {
  const { launch } = place(t, { 'app/nodemon.json': { execMap: { py: 'sh -e' }, execArgs: ['-u'] }, 'app/app.py': '' });
  assert.equal((await launch('app.py', 'x')).shown, 'sh -e -u app.py x');
});

test('a script without an extension is for node, unless its #! line says otherwise', async (t) => {
  const files = { 'app/www': '#!/usr/bin/env node\n', 'app/plain': 'x', 'app/job': '#!/bin/sh\n' };
  const { launch } = place(t, files);
  assert.equal((await launch('--inspect=0', 'www')).shown, 'node --inspect=0 www');
  assert.equal((await launch('./plain')).shown, 'node ./plain');
  assert.equal((await launch('./job')).shown, './job');
});

test('TypeScript runs with what the project has', async (t) => {
  const { launch } = place(t, {
    'app/main.ts': '',
    'app/package.json': {},
    'app/node_modules/.bin/ts-node': '#!/bin/sh',
  });
  assert.deepEqual(await launch('main.ts'), { shown: 'ts-node main.ts', ext: 'ts,json' });
});

test('the delay means the same however it is written', (t) => {
  for (const text of ['2.5', '2.5s', '2500ms']) assert.equal(delayOfLine(text), 2500, text);
  const { settings } = place(t, { ...js, 'app/nodemon.json': { delay: 2500 } });
  assert.equal(settings().watch.quietMs, 2500);
  assert.ok(settings().watch.mostMs >= 5000);
  assert.equal(settings('-d', '1').watch.quietMs, 1000);
  assert.equal(settings('--delay', '0').watch.quietMs, 0);
  assert.throws(() => settings('--delay', 'soon'), { code: 'OPTION_INVALID' });
});

test('the command line goes before nodemon.json, that before nodemonConfig, that before the one at home', (t) => {
  const home = { ext: 'home', signal: 'SIGHUP', env: { A: 'home', B: 'home' }, ignore: ['home'] };
  const local = { ext: 'local', env: { A: 'local' }, ignore: [], verbose: true };
  const pack = { nodemonConfig: { ext: 'package', verbose: false } };
  const both = place(t, { ...js, 'nodemon.json': home, 'app/nodemon.json': local, 'app/package.json': pack });
  const settings = both.settings('-e', 'line', 'app.js');
  assert.equal(settings.watch.ext, 'line');
  assert.equal(settings.signal, 'SIGHUP');
  assert.equal(settings.isVerbose, true);
  assert.deepEqual(settings.program.env, { A: 'local', B: 'home' });
  assert.deepEqual(settings.watch.ignore, ['home']);
  assert.equal(both.settings('app.js').watch.ext, 'local');
  const packaged = place(t, {
    ...js,
    'nodemon.json': home,
    'app/package.json': pack,
    'app/other.json': { ext: 'other' },
  });
  assert.equal(packaged.settings('app.js').watch.ext, 'package');
  assert.equal(packaged.settings('--config', 'other.json', 'app.js').watch.ext, 'other');
  assert.throws(() => packaged.settings('--config', 'none.json'), { code: 'CONFIG_NOT_FOUND' });
});

test('a file that makes no sense is refused with its name and the key', (t) => {
  const wrong = place(t, { 'app/nodemon.json': { ext: 1 } });
  assert.throws(() => wrong.settings(), { code: 'CONFIG_INVALID', message: /nodemon\.json: "ext" must be/ });
  const broken = place(t, { 'app/nodemon.json': '{' });
  assert.throws(() => broken.settings(), { code: 'CONFIG_INVALID', message: /no JSON/ });
  const unknown = place(t, {
    'app/nodemon.json': { watchOptions: { x: 1 }, ignoreRoot: ['.git'], watch: false, restartable: false },
  });
  const settings = unknown.settings();
  assert.deepEqual([settings.watch.roots, settings.watch.ignoreRoot, settings.restartWord], [null, ['.git'], null]);
});

test('what is asked for and is not there is said at once', async (t) => {
  const { launch, settings } = place(t, js);
  await assert.rejects(launch('nothing.js'), { code: 'PROGRAM_NOT_FOUND' });
  await assert.rejects(launch('-x', 'no-such-command', 'app.js'), { code: 'PROGRAM_NOT_FOUND' });
  assert.throws(() => settings('--cwd', 'nowhere'), { code: 'CWD_MISSING' });
  assert.throws(() => settings('-s', 'NOPE', 'app.js'), { code: 'OPTION_INVALID' });
});

/** `stead dev`: a program is restarted when its files change, once, and for a reason that is told. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { Dev, filesIn, quietTime } from '../support/dev.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const stead = new Stead({ after });

/** Says its version and goes on; ends at TERM. */
const server = (version: string) => `echo "up ${version} $$"; exec sleep 1000`;

// They wait for most of their time.
describe('stead dev', { concurrency: 4 }, () => {
  test('a save restarts it once and says why; what does not count does not', async () => {
    const files = filesIn(stead, {
      'app.sh': server('1'),
      'style.css': '',
      'node_modules/a/index.sh': '',
      '.git/x.sh': '',
    });
    const dev = new Dev(stead, files, ['app.sh']);
    await dev.says(/watching .*sh,json/);
    const [, old] = await dev.says(/up 1 (\d+)/);
    files.write('style.css', 'a {}');
    files.write('node_modules/a/index.sh', '1');
    files.write('.git/x.sh', '1');
    files.write('app.sh', server('1'));
    await quietTime();
    assert.equal(dev.count(/: starting \S/), 1);
    files.write('app.sh', server('2'));
    await dev.says(/restarting: app\.sh changed\n/);
    await dev.says(/up 2/);
    assert.ok(!isRunning(Number(old)));
    // All in one burst.
    for (const name of ['a', 'b', 'c', 'd']) files.write(`lib/${name}.sh`, '1');
    await dev.says(/restarting: lib\/\w\.sh changed \(\+3 more\)/);
    await dev.saysTimes(/up 2/, 2);
    for (let time = 1; time <= 5; time++) {
      files.save('app.sh', server(`save${time}`));
      await dev.says(new RegExp(`up save${time}`));
    }
    mkdirSync(files.at('new/a/b'), { recursive: true });
    files.write('new/a/b/x.sh', '');
    await dev.says(/restarting: new\/a\/b\/x\.sh changed/);
    await dev.saysTimes(/up save5/, 2);
    await quietTime();
    assert.equal(dev.count(/: starting \S/), 9);
    assert.equal(await dev.end(), 143);
  });

  test('a crash is told, and a change or rs starts it again; so with a clean exit', async () => {
    const files = filesIn(stead, { 'app.sh': 'exit 3' });
    const dev = new Dev(stead, files, ['app.sh'], { stdin: 'pipe' });
    await dev.says(/app crashed \(exit code 3\), waiting for a change/);
    files.write('app.sh', 'echo done; exit 0');
    await dev.says(/starting: app\.sh changed/);
    await dev.says(/done\n.*clean exit, waiting for a change/);
    dev.type('rs\n');
    await dev.saysTimes(/clean exit/, 2);
    files.write('app.sh', 'kill -SEGV $$');
    await dev.says(/app crashed \(SIGSEGV\)/);
    files.write('app.sh', server('3'));
    await dev.says(/up 3/);
    dev.type('rs\n');
    await dev.says(/restarting: asked for/);
    await dev.saysTimes(/up 3/, 2);
    assert.equal(await dev.end('SIGINT'), 130);
  });

  test('--exitcrash ends with the code of the program; a command that is not there is 127', async () => {
    const files = filesIn(stead, { 'app.sh': 'sleep 0.1; exit 2' });
    const crash = new Dev(stead, files, ['--exitcrash', 'app.sh']);
    assert.equal(await crash.ended, 2);
    assert.match(crash.said, /app crashed \(exit code 2\)/);
    const missing = new Dev(stead, files, ['-x', 'no-such-command', 'app.sh']);
    assert.equal(await missing.ended, 127);
    const hidden = new Dev(stead, files, ['-x', ': ; no-such-command', 'app.sh']);
    assert.equal(await hidden.ended, 127);
    assert.equal(await new Dev(stead, files, ['no-such-file.js']).ended, 127);
  });

  test('--restart starts it again after a crash by itself, later each time', async () => {
    const files = filesIn(stead, { 'app.sh': 'exit 1' });
    const dev = new Dev(stead, files, ['--restart', 'app.sh']);
    await dev.says(/starts again in 0\.5 s[\s\S]*starts again in 1 s[\s\S]*starts again in 2 s/);
    files.write('app.sh', server('1'));
    await dev.says(/up 1/);
    await dev.end();
  });

  test('with -C the first start waits for a change', async () => {
    const files = filesIn(stead, { 'app.sh': server('1') });
    const dev = new Dev(stead, files, ['-C', 'app.sh']);
    await dev.says(/waiting for a change/);
    await quietTime();
    assert.equal(dev.count(/: starting \S/), 0);
    files.write('app.sh', server('2'));
    await dev.says(/up 2/);
    await dev.end();
  });

  test('--delay waits until it is quiet for so long', async () => {
    const files = filesIn(stead, { 'app.sh': server('1') });
    const dev = new Dev(stead, files, ['--delay', '1.2', 'app.sh']);
    await dev.says(/up 1/);
    for (let time = 2; time <= 5; time++) {
      files.write('app.sh', server(String(time)));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await dev.says(/up 5/);
    assert.equal(dev.count(/: starting \S/), 2);
    await dev.end();
  });

  test('the signal comes once, and what ignores it is killed', async () => {
    const counts = 'trap "echo got HUP" HUP; trap "echo got TERM" TERM; echo "ready $$"; while :; do sleep 0.05; done';
    const files = filesIn(stead, { 'app.sh': counts });
    const dev = new Dev(stead, files, ['-s', 'SIGHUP', '--stop-timeout', '1s', 'app.sh']);
    const [, old] = await dev.says(/ready (\d+)/);
    files.write('app.sh', server('2'));
    await dev.says(/not ended after 1 s, killed: pid \d+/);
    await dev.says(/up 2/);
    assert.ok(!isRunning(Number(old)));
    assert.equal(dev.count(/got HUP/), 1);
    assert.equal(dev.count(/got TERM/), 0);
    await dev.end();
  });

  test('all that it started is ended with it, also what has a session of its own', async () => {
    const files = filesIn(stead, {
      'app.sh': 'setsid sleep 1001 & echo "child $!"; (sleep 1002 & echo "grandchild $!"); echo up; sleep 1003',
    });
    const dev = new Dev(stead, files, ['app.sh']);
    await dev.says(/up/);
    const pids = [...dev.said.matchAll(/child (\d+)/g)].map(([, pid]) => Number(pid));
    assert.equal(pids.length, 2);
    files.write('app.sh', server('2'));
    await dev.says(/up 2/);
    assert.deepEqual(pids.filter(isRunning), []);
    files.write('app.sh', 'setsid sleep 1001 & echo "left $!"; exit 1');
    const [, left] = await dev.says(/left (\d+)/);
    await dev.says(/app crashed/);
    await dev.end();
    assert.ok(!isRunning(Number(left)));
  });

  test('commands of nodemon.json are run when something happens, in order', async () => {
    const events = Object.fromEntries(
      ['start', 'restart', 'crash', 'exit', 'quit'].map((name) => [name, `echo ${name} $FILENAME >> events.log`]),
    );
    const files = filesIn(stead, {
      'app.sh': server('1'),
      'nodemon.json': JSON.stringify({ events, env: { GREETING: 'hello' } }),
    });
    const dev = new Dev(stead, files, ['app.sh']);
    const logged = (pattern: RegExp) => waitFor(`${pattern}`, () => pattern.test(files.read('events.log')));
    await dev.says(/up 1/);
    await logged(/start/);
    files.write('app.sh', 'echo "$GREETING"; exit 1');
    await dev.says(/hello[\s\S]*app crashed/);
    await logged(/crash/);
    files.write('app.sh', 'exit 0');
    await dev.says(/clean exit/);
    await logged(/start\nexit/);
    await dev.end();
    await logged(/quit/);
    const lines = files
      .read('events.log')
      .split('\n')
      .map((line) => line.replace(files.directory, '').trim());
    assert.deepEqual(lines, [
      'start',
      ...['restart /app.sh', 'exit SIGTERM', 'start', 'crash'],
      ...['restart /app.sh', 'start', 'exit'],
      'quit',
      '',
    ]);
  });

  test('with -L it polls, and has no inotify watch', async () => {
    const files = filesIn(stead, { 'app.sh': server('1') });
    const dev = new Dev(stead, files, ['-L', '-P', '200', 'app.sh']);
    await dev.says(/up 1/);
    const fds = readdirSync(`/proc/${dev.child.pid}/fdinfo`).map((fd) =>
      readFileSync(`/proc/${dev.child.pid}/fdinfo/${fd}`, 'utf8'),
    );
    assert.equal(fds.join('').match(/^inotify/gm), null);
    files.write('app.sh', server('2'));
    await dev.says(/up 2/);
    await dev.end();
  });

  test('what nodemon does not know is for the program, or for node before the script', async () => {
    const files = filesIn(stead, {
      'app.js': 'console.log(JSON.stringify([process.execArgv, process.argv.slice(2)]))',
      'mod.js': 'console.log("mod")',
    });
    const dev = new Dev(stead, files, [
      '-r',
      './mod.js',
      '--no-warnings',
      'app.js',
      '-x1',
      '-e',
      'js',
      '--',
      '--config',
      'x',
    ]);
    await dev.says(/mod\n\[\["-r",".*mod\.js","--no-warnings"\],\["-x1","--config","x"\]\]/);
    await dev.end();
  });

  test('a program that writes into what is watched is left alone after five restarts for it; other changes restart it', async () => {
    const files = filesIn(stead, {
      'app.sh': 'date +%N > generated.json; exec 3>>app.json; echo "up $$"; while :; do date +%N >&3; sleep 0.2; done',
    });
    const dev = new Dev(stead, files, ['--delay', '50ms', 'app.sh']);
    await dev.says(/the program itself writes what it is restarted for \((?:app|generated)\.json/);
    await quietTime();
    const before = dev.count(/: starting \S/);
    assert.ok(before >= 6 && before <= 20, `${before}`);
    await quietTime();
    assert.equal(dev.count(/: starting \S/), before);
    files.save('other.json', '{}');
    await dev.says(/restarting: (?:other\.json changed|.*\(\+\d more\))/);
    await dev.end();
  });

  test('--graph watches what is imported, and nothing else', async () => {
    const files = filesIn(stead, {
      'app.js': 'const { say } = require("./lib/used"); say("up"); setInterval(() => {}, 1000);',
      'lib/used.js': 'exports.say = (text) => console.log(text, 1);',
      'lib/unused.js': '',
    });
    const dev = new Dev(stead, files, ['--graph', 'app.js']);
    await dev.says(/watching what it imports/);
    await dev.says(/up 1/);
    files.write('lib/unused.js', '1');
    files.write('lib/used.js', 'exports.say = (text) => console.log(text, 2);');
    await dev.says(/restarting: lib\/used\.js changed\n/);
    await dev.says(/up 2/);
    files.write('.env', 'A=1');
    await dev.says(/restarting: \.env changed/);
    await dev.end();
  });
});

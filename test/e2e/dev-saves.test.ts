/** Servers under `stead dev` that take their time to close their port, and builds that have to succeed before a restart. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Dev, filesIn } from '../support/dev.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { answerOf } from '../support/programs.ts';
import { Stead } from '../support/stead.ts';

const stead = new Stead({ after });
const saves = 20;
const closesInMs = Number(process.env.STEAD_TEST_CLOSE_MS ?? 1000);

/** Keeps its port for a while when it is told to end. */
const server = (version: number | string) => `
const { createServer } = require('node:http');
const server = createServer((_, answer) => answer.end('v${version}'));
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('up ${version}'));
process.on('SIGTERM', () => setTimeout(() => process.exit(0), ${closesInMs}));
`;

const ways = [
  { what: 'directly', args: ['server.js'] },
  { what: 'through sh -c', args: ['-x', 'echo begin; node server.js; echo over'] },
  { what: 'through npm run', args: ['-x', 'npm run --silent serve'] },
];

// They wait for most of their time.
describe('stead dev', { concurrency: 2 }, () => {
  test('twenty saves in a row of a server that is slow to close: no port is taken, and the last version answers', async (t) => {
    await Promise.all(
      ways.map(({ what, args }) =>
        t.test(what, async () => {
          const port = await freePort();
          const files = filesIn(stead, {
            'server.js': server(0),
            'package.json': JSON.stringify({ scripts: { serve: 'node server.js' } }),
          });
          const dev = new Dev(stead, files, args, { env: { PORT: String(port) } });
          await dev.says(/up 0/);
          for (let save = 1; save <= saves; save++) {
            files.save('server.js', server(save));
            // Some in one burst, some not.
            await pause(((save % 4 === 0 ? 450 : 100) * closesInMs) / 1000);
          }
          await dev.says(new RegExp(`up ${saves}\\b`), 30_000);
          assert.equal(await answerOf(port), `v${saves}`);
          assert.doesNotMatch(dev.said, /EADDRINUSE|killed|still held/);
          assert.ok(dev.count(/restarting/) >= 2, dev.said);
          await dev.end();
        }),
      ),
    );
  });

  test('a build that fails keeps the old server answering; one that succeeds is followed by one restart', async () => {
    const port = await freePort();
    const files = filesIn(stead, { 'src/app.js': server('one'), '.gitignore': 'dist\n' });
    const build = 'mkdir -p dist && ! grep -q BROKEN src/app.js && cp src/app.js dist/app.js';
    const dev = new Dev(stead, files, ['--before', build, '-w', 'src', 'dist/app.js'], { env: { PORT: String(port) } });
    await dev.says(/up one/);
    const answers: string[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) answers.push(await answerOf(port).catch((error) => String(error)));
    })();
    files.save('src/app.js', `BROKEN ${server('two')}`);
    await dev.says(/src\/app\.js changed: mkdir/);
    await dev.says(/failed \(exit code 1\): the program goes on as it is/);
    files.save('src/app.js', `STILL BROKEN ${server('three')}`);
    await dev.saysTimes(/goes on as it is/, 2);
    isOver = true;
    await asking;
    assert.ok(answers.length > 10);
    assert.deepEqual(new Set(answers), new Set(['vone']));
    assert.equal(dev.count(/: starting \S/), 1);
    files.save('src/app.js', server('four'));
    await dev.says(/restarting: src\/app\.js changed/);
    await dev.says(/up four/);
    assert.equal(await answerOf(port), 'vfour');
    assert.equal(dev.count(/: starting \S/), 2);
    await dev.end();
  });

  test('a change during a build is built as well, and there is one restart', async () => {
    const files = filesIn(stead, {
      'app.sh': 'echo up 0; exec sleep 1000',
      'build.sh': 'echo building; while [ ! -e go ]; do sleep 0.05; done',
    });
    files.write('go', '');
    const dev = new Dev(stead, files, ['--before', 'sh build.sh', '-i', 'go', 'app.sh']);
    await dev.says(/up 0/);
    rmSync(files.at('go'));
    files.write('app.sh', 'echo up 1; exec sleep 1000');
    await dev.saysTimes(/building/, 2);
    files.write('app.sh', 'echo up 2; exec sleep 1000');
    await pause(700);
    files.write('go', '');
    await dev.says(/up 2/);
    assert.equal(dev.count(/building/), 3);
    assert.equal(dev.count(/: starting \S/), 2);
    await dev.end();
  });

  test('when it is busy a change may wait for its end, be a signal, or be ignored', async () => {
    const waits = 'trap "echo reloaded" HUP; echo "up $(cat version)"; while [ ! -e go ]; do sleep 0.05; done; exit 0';
    const start = (policy: string, more: readonly string[] = []) => {
      const files = filesIn(stead, { 'app.sh': waits, version: '1' });
      return { files, dev: new Dev(stead, files, ['--on-busy', policy, ...more, '-e', 'sh,txt', 'app.sh']) };
    };
    const queue = start('queue');
    const signal = start('signal', ['-s', 'HUP']);
    const ignore = start('ignore');
    for (const { dev, files } of [queue, signal, ignore]) {
      await dev.says(/up 1/);
      files.write('version', '2');
      files.write('a.txt', 'a');
    }
    await queue.dev.says(/a\.txt changed: starts again when it has ended/);
    queue.files.write('go', '');
    await queue.dev.says(/up 2/);
    await signal.dev.says(/a\.txt changed: SIGHUP sent[\s\S]*reloaded/);
    await ignore.dev.says(/a\.txt changed: ignored while it runs/);
    ignore.files.write('go', '');
    await ignore.dev.says(/clean exit, waiting for a change/);
    assert.equal(ignore.dev.count(/: starting \S/), 1);
    for (const { dev } of [queue, signal, ignore]) await dev.end();
  });

  test('a build that goes on is ended with all the rest', async () => {
    const files = filesIn(stead, { 'app.sh': 'echo "up $$"; exec sleep 1000' });
    const build = 'if [ -e built ]; then setsid sleep 1001 & echo "builds $!"; sleep 1002; else : > built; fi';
    const dev = new Dev(stead, files, ['--before', build, 'app.sh']);
    const [, app] = await dev.says(/up (\d+)/);
    files.write('other.sh', '');
    const [, builder] = await dev.says(/builds (\d+)/);
    assert.equal(await dev.end(), 143);
    assert.deepEqual([app, builder].map(Number).filter(isRunning), []);
  });
});

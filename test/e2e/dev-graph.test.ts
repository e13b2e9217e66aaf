/** `stead dev --graph`: what counts is what the program imports, or would. */
import { after, describe, test } from 'node:test';
import { Dev, filesIn } from '../support/dev.ts';
import { Stead } from '../support/stead.ts';

const stead = new Stead({ after });
const stays = 'setInterval(() => {}, 1000);';

describe('--graph', { concurrency: 4 }, () => {
  for (const [kind, ending, load] of [
    ['require', 'js', 'require("./lib/dep")'],
    ['import', 'mjs', 'import "./lib/dep.mjs"'],
  ] as const) {
    test(`what ${kind} can't parse, or doesn't find, counts from the first run on`, async () => {
      const [script, dep] = [`app.${ending}`, `lib/dep.${ending}`];
      const files = filesIn(stead, { [script]: `${load}; ${stays}` });
      const dev = new Dev(stead, files, ['--graph', script]);
      await dev.says(/Cannot find module[\s\S]*app crashed/);
      files.write(dep, 'let let = 1;');
      await dev.says(new RegExp(`starting: lib/dep\\.${ending} changed[\\s\\S]*SyntaxError[\\s\\S]*app crashed`));
      files.write(dep, 'console.log("up");');
      await dev.says(/up\n/);
      await dev.end();
    });
  }

  test('so with a package, and with what a forked child or a thread imports', async () => {
    const files = filesIn(stead, {
      'app.js': `require("pkg"); require("child_process").fork("./child.js"); new (require("worker_threads").Worker)("./thread.js"); ${stays}`,
      'child.js': `console.log("child", require("./of-child")); ${stays}`,
      'of-child.js': 'module.exports = 1',
      'thread.js': `console.log("thread", require("./of-thread")); ${stays}`,
      'of-thread.js': 'module.exports = 1',
    });
    const dev = new Dev(stead, files, ['--graph', 'app.js']);
    await dev.says(/Cannot find module 'pkg'[\s\S]*app crashed/);
    files.write('node_modules/pkg/index.js', '');
    files.write('node_modules/pkg/package.json', '{}');
    await dev.saysTimes(/(?:child|thread) 1/, 2);
    files.write('of-child.js', 'module.exports = 2');
    await dev.says(/restarting: of-child\.js changed[\s\S]*child 2/);
    await dev.saysTimes(/thread 1/, 2);
    files.write('of-thread.js', 'module.exports = 2');
    await dev.says(/restarting: of-thread\.js changed[\s\S]*thread 2/);
    await dev.end();
  });
});

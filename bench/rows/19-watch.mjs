import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { cpuOf, inTurn, mb, median, memoryOf, ms, sleep, times, until } from '../support/measure.mjs';
import { ownProcess } from '../support/tools.mjs';

const directories = 1050;
const perDirectory = 19;
const files = 20_000;
const ignoredDirectories = 10_000;
const idleMs = 60_000;
const deadlineMs = 120_000;
const limits = { ready: 0.15, memory: 0.25, watches: 1100, cpuMs: 50 };

/** 20,000 files of a few hundred bytes in 1,050 directories, with a program that only sleeps. */
function makeTree(root) {
  let left = files;
  const write = (path) => left-- > 0 && writeFileSync(path, `module.exports = '${path}';\n`.repeat(8));
  for (let n = 0; n < directories; n++) {
    const directory = join(root, `part${n % 30}`, `module${n}`);
    mkdirSync(directory, { recursive: true });
    for (let file = 0; file < perDirectory; file++) write(join(directory, `file${file}.js`));
  }
  for (let n = 0; left > 0; n++) write(join(root, `part${n % 30}`, `more${n}.js`));
  makeSmall(root);
}

function makeSmall(root) {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'app.js'), 'setInterval(() => {}, 1e6);\n');
}

function makeIgnored(root) {
  for (let n = 0; n < ignoredDirectories; n++)
    mkdirSync(join(root, 'node_modules', `p${n % 500}`, `d${n}`), { recursive: true });
}

/** A watcher as a process: `until(pattern)` resolves with the milliseconds from its start to a line of its output. */
function start(context, words, cwd) {
  const began = performance.now();
  const child = ownProcess(
    context,
    spawn(process.execPath, words, { cwd, stdio: ['pipe', 'pipe', 'inherit'] }),
    'SIGTERM',
  );
  const lines = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop();
    for (const text of parts) lines.push({ text, at: performance.now() - began });
  });
  const line = (pattern) =>
    until(() => lines.find(({ text }) => pattern.test(text)), `${pattern} of ${words[0]}`, deadlineMs).then(
      ({ at }) => at,
    );
  // nodemon ends its program when it is asked to end.
  const end = () => {
    child.kill('SIGTERM');
    return until(() => child.exitCode !== null || child.signalCode !== null, `the end of ${words[0]}`);
  };
  return { pid: child.pid, until: line, end };
}

const inotifyWatches = (pid) =>
  readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === 'anon_inode:inotify')
    .map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').match(/^inotify /gm)?.length ?? 0)
    .reduce((sum, one) => sum + one, 0);

export const row = {
  name: 'watch',
  title: `Watching ${files} files in ${directories} directories`,
  target: `ready ≤ ${limits.ready} × nodemon, memory ≤ ${limits.memory} × its growth, ≤ ${limits.watches} inotify watches, idle CPU ≤ ${limits.cpuMs} ms a minute`,
  runs: 5,
  async run(context) {
    const program = join(context.scratch, 'watch-tree.mjs');
    await build({
      entryPoints: [join(context.root, 'bench/programs/watch-tree.mjs')],
      ...{ outfile: program, bundle: true, platform: 'node', format: 'esm', minify: true, logLevel: 'warning' },
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    const nodemon = join(context.root, 'bench/node_modules/nodemon/bin/nodemon.js');
    const [large, small] = [join(context.scratch, 'large'), join(context.scratch, 'small')];
    makeTree(large);
    makeSmall(small);
    const tools = {
      stead: (root) => start(context, [program, root], root),
      nodemon: (root) => start(context, [nodemon, '-V', '--no-update-notifier', 'app.js'], root),
    };
    const ready = /watching [\d,]+ files?\b/;
    const readyIn = (name, root) => async () => {
      const one = tools[name](root);
      const took = await one.until(ready);
      await one.end();
      return took;
    };
    const took = await inTurn(context.runs, {
      stead: readyIn('stead', large),
      'stead, small': readyIn('stead', small),
      nodemon: readyIn('nodemon', large),
    });
    const rss = {};
    for (const name of ['stead', 'nodemon']) {
      for (const root of [large, small]) {
        const one = tools[name](root);
        await one.until(ready);
        // After the files were read as well.
        if (name === 'stead') await one.until(/^read$/);
        await sleep(3000);
        rss[`${name} ${root}`] = memoryOf(one.pid).rss;
        await one.end();
      }
    }
    const growth = (name) => rss[`${name} ${large}`] - rss[`${name} ${small}`];
    makeIgnored(large);
    const idle = tools.stead(large);
    await idle.until(/^read$/);
    await sleep(3000);
    const watches = inotifyWatches(idle.pid);
    const before = cpuOf(idle.pid);
    await sleep(idleMs);
    const cpu = cpuOf(idle.pid) - before;
    const saved = performance.now();
    writeFileSync(join(large, 'part3/module3/file3.js'), 'changed');
    await idle.until(/changed 1 part3\/module3\/file3.js/);
    const told = performance.now() - saved;
    await idle.end();
    rmSync(large, { recursive: true });
    const readyRatio = median(took.stead) / median(took.nodemon);
    const memoryRatio = growth('stead') / growth('nodemon');
    return {
      how: 'stead is its library alone, as a process. Ready is from the start of the process; memory is RSS over that with one file.',
      values: {
        'ready, stead': `${ms(median(took.stead))}, ${ms(median(took['stead, small']))} of it for one file`,
        'ready, nodemon': ms(median(took.nodemon)),
        'memory, stead': mb(growth('stead')),
        'memory, nodemon': mb(growth('nodemon')),
        [`inotify watches beside ${ignoredDirectories} directories in node_modules`]: String(watches),
        'CPU in 60 s without a change': ms(cpu),
        'a save is told after (no debounce)': ms(told),
      },
      checks: [
        { text: `ready ≤ ${limits.ready} × nodemon: ${times(readyRatio)}`, met: readyRatio <= limits.ready },
        { text: `memory ≤ ${limits.memory} × nodemon's: ${times(memoryRatio)}`, met: memoryRatio <= limits.memory },
        { text: `inotify watches ≤ ${limits.watches}: ${watches}`, met: watches <= limits.watches },
        { text: `idle CPU ≤ ${limits.cpuMs} ms: ${ms(cpu)}`, met: cpu <= limits.cpuMs },
      ],
    };
  },
};

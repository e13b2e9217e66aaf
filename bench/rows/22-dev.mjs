import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, inTurn, median, ms, sleep, times, until } from '../support/measure.mjs';
import { ownProcess } from '../support/tools.mjs';

const saves = 5;
const limits = { signalled: 1, answers: 1.2 };

/** A server that says when it was told to end, and when it listens. */
const server = (version) => `// ${version}
const now = () => performance.timeOrigin + performance.now();
require('node:http').createServer((_, answer) => answer.end()).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('up ' + now()));
process.on('SIGTERM', () => { require('node:fs').writeSync(1, 'told ' + now() + '\\n'); process.exit(0); });
`;

const now = () => performance.timeOrigin + performance.now();

/** Medians of the milliseconds from a save to the signal, and to the new server listening. */
async function session(context, words, name) {
  const cwd = join(context.scratch, `dev-${name}`);
  mkdirSync(cwd, { recursive: true });
  const save = (version) => writeFileSync(join(cwd, 'app.js'), server(version));
  save(0);
  const env = { ...process.env, PORT: String(await freePort()), STEAD_HOME: join(context.scratch, 'dev-home') };
  const child = ownProcess(
    context,
    spawn(process.execPath, words, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] }),
    'SIGTERM',
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const said = (word, count) =>
    until(() => [...output.matchAll(new RegExp(`^${word} ([\\d.]+)\\n`, 'gm'))][count - 1], `${word} of ${name}`).then(
      ([, at]) => Number(at),
    );
  await said('up', 1);
  // nodemon begins to watch when the program runs already.
  await sleep(1500);
  const told = [];
  const up = [];
  for (let number = 1; number <= saves; number++) {
    const began = now();
    save(`${number} ${began}`);
    told.push((await said('told', number)) - began);
    up.push((await said('up', number + 1)) - began);
    await sleep(500);
  }
  child.kill('SIGTERM');
  await until(() => child.exitCode !== null || child.signalCode !== null, `the end of ${name}`);
  return { told: median(told), up: median(up) };
}

export const row = {
  name: 'dev',
  title: 'From a save to the new program',
  target: `signalled ≤ ${limits.signalled} × nodemon, both without a debounce; the new server listens ≤ ${limits.answers} × nodemon, with 50 ms`,
  runs: 5,
  async run(context) {
    const stead = [join(context.root, 'bin/stead.cjs'), 'dev', '-q'];
    const nodemon = join(context.root, 'bench/node_modules/nodemon/bin/nodemon.js');
    const took = await inTurn(context.runs, {
      'stead, no debounce': () => session(context, [...stead, '--delay', '0', 'app.js'], 'stead-0'),
      'stead, 50 ms': () => session(context, [...stead, '--delay', '50ms', 'app.js'], 'stead-50'),
      nodemon: () =>
        session(context, [nodemon, '-q', '--no-update-notifier', '--signal', 'SIGTERM', 'app.js'], 'nodemon'),
    });
    const medianOf = (name, what) => median(took[name].map((one) => one[what]));
    const told = medianOf('stead, no debounce', 'told') / medianOf('nodemon', 'told');
    const up = medianOf('stead, 50 ms', 'up') / medianOf('nodemon', 'up');
    return {
      how: 'a server of one file, which ends at once when it is told to.',
      values: {
        'save to signal, stead': ms(medianOf('stead, no debounce', 'told')),
        'save to signal, nodemon': ms(medianOf('nodemon', 'told')),
        'save to the new server, stead with 50 ms': ms(medianOf('stead, 50 ms', 'up')),
        'save to the new server, stead without': ms(medianOf('stead, no debounce', 'up')),
        'save to the new server, nodemon without': ms(medianOf('nodemon', 'up')),
      },
      checks: [
        { text: `signalled ≤ ${limits.signalled} × nodemon: ${times(told)}`, met: told <= limits.signalled },
        { text: `new server ≤ ${limits.answers} × nodemon: ${times(up)}`, met: up <= limits.answers },
      ],
    };
  },
};

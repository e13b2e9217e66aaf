/** A real pm2 with ten apps under load: they are moved one after the other, and no request is lost by that. It is installed from npm when STEAD_TEST_FRAMEWORKS=1 asks for it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { failed, Load } from '../support/load.ts';
import { repository } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';

const version = '7.0.4';
const noRegistry = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/;

/** The folder of its command, installed once; null where npm has no registry. */
async function installed(): Promise<string | null> {
  const place = join(repository, '.build', `pm2-${version}`);
  const bin = join(place, 'node_modules/.bin');
  if (existsSync(join(bin, 'pm2'))) return bin;
  const scratch = `${place}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  writeFileSync(join(scratch, 'package.json'), '{ "private": true }');
  const words = ['install', `pm2@${version}`, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { code, stderr } = await execute('npm', words, { cwd: scratch, timeoutMs: 100_000 });
  if (code === 0) renameSync(scratch, place);
  else rmSync(scratch, { recursive: true, force: true });
  if (code !== 0 && !noRegistry.test(stderr)) throw new Error(stderr);
  return code === 0 ? bin : null;
}

test('ten apps of a real pm2 are moved under load, and no request is lost', async (t) => {
  if (!process.env.STEAD_TEST_FRAMEWORKS)
    return t.skip('STEAD_TEST_FRAMEWORKS=1 npm test -- pm2-take-over installs pm2');
  const bin = await installed();
  if (bin === null) return t.skip('npm has no registry to install it from');
  // pm2 is ended by what lies in the directory, which goes last.
  const ends: (() => unknown)[] = [];
  const stead = new Stead({ after: (end) => void ends.push(end) });
  const env = { PM2_HOME: stead.folder('.pm2'), PM2_DISABLE_VERSION_CHECK: '1', PATH: `${bin}:${stead.env.PATH}` };
  const pm2 = (words: string) =>
    execute(join(bin, 'pm2'), words.split(' '), { cwd: stead.directory, env: { ...stead.env, ...env } });
  t.after(async () => {
    await pm2('kill');
    for (const end of ends) await end();
  });
  const write = (name: string, text: string) => writeFileSync(join(stead.directory, name), text);
  write(
    'web.js',
    `const server = require('http').createServer((q, r) => r.end('' + process.pid)).listen(process.env.PORT, () => process.send?.('ready'));
     process.on('SIGINT', () => server.close(() => process.exit(0)));`,
  );
  write('worker.js', 'setInterval(() => {}, 1e6);');
  const ports = await Promise.all(Array.from({ length: 6 }, freePort));
  const web = (at: number, more: object) => ({
    name: `web${at}`,
    script: './web.js',
    env: { PORT: ports[at] },
    ...more,
  });
  const apps = [
    web(0, {}),
    web(1, { wait_ready: true }),
    web(2, { instances: 2, exec_mode: 'cluster' }),
    web(3, { instances: 1 }),
    web(4, { max_memory_restart: '300M', kill_timeout: 5000 }),
    web(5, { namespace: 'shop' }),
    { name: 'worker', script: './worker.js' },
    { name: 'stopped', script: './worker.js' },
    { name: 'line', script: 'exec sleep 1000' },
    { name: 'nightly', script: './worker.js', autorestart: false, cron_restart: '0 3 * * *' },
  ];
  const isCluster = (at: number) => 'instances' in apps[at]!;
  write('ecosystem.config.js', `module.exports = { apps: ${JSON.stringify(apps)} };`);
  assert.equal((await pm2('start ecosystem.config.js')).code, 0);
  await pm2('stop stopped');
  const before = JSON.parse((await pm2('jlist --silent')).stdout) as readonly { readonly pid: number }[];
  const loads = ports.map((port) => new Load(port, { concurrency: 2, pauseMs: 5 }));
  await Promise.all(loads.map((load) => load.more(20)));
  const { code, stdout, stderr } = await stead.run(['import', 'pm2', '--take-over'], { env, timeoutMs: 120_000 });
  await Promise.all(loads.map((load) => load.more(20)));
  const results = await Promise.all(loads.map((load) => load.stop()));
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /10 of 10 moved/);
  for (const [at, result] of results.entries()) {
    // What pm2's daemon has accepted for a worker of a cluster that ends, it may lose, as in each delete and reload of its own.
    const most = isCluster(at) ? 2 : 0;
    assert.ok(failed(result) <= most, `web${at}: ${JSON.stringify(result.failures)}\n${stdout}`);
    assert.ok(Object.keys(result.bodies).length > 1);
  }
  assert.ok(before.every(({ pid }) => pid === 0 || !isRunning(pid)));
  assert.deepEqual(JSON.parse((await pm2('jlist --silent')).stdout), []);
  const now = Object.fromEntries(
    (await stead.list()).map(({ name, state, instances }) => [name, `${state} ${instances.length}`]),
  );
  assert.deepEqual(now, {
    ...{
      web0: 'running 1',
      web1: 'running 1',
      web2: 'running 2',
      web3: 'running 1',
      web4: 'running 1',
      web5: 'running 1',
    },
    ...{ worker: 'running 1', stopped: 'stopped 1', line: 'running 1', nightly: 'waiting 1' },
  });
});

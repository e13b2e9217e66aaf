/** stead and its peers as commands, each with a home of its own in the scratch directory. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { command, until } from './measure.mjs';

/** stead with a home of its own. `end` deletes every app and stops the daemon. */
export function stead({ root, scratch }, env = {}, name = 'stead') {
  const home = join(scratch, name);
  const bin = [process.execPath, join(root, 'bin/stead.cjs')];
  const all = { ...process.env, STEAD_HOME: home, ...env };
  const run = (words, options = {}) => command([...bin, ...words], { env: all, ...options });
  return {
    home,
    bin,
    env: all,
    run,
    json: async (...words) => JSON.parse((await run([...words, '--json'])).output),
    end: async () => {
      await run(['delete', 'all'], { allowFailure: true });
      await run(['daemon', 'stop'], { allowFailure: true });
    },
  };
}

/** pm2 with a home of its own. `end` kills its daemon and its apps. */
export function pm2({ root, scratch }) {
  const env = {
    ...process.env,
    PM2_HOME: join(scratch, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
    PM2_PROGRAMMATIC: 'true',
  };
  const run = (words, options = {}) =>
    command([process.execPath, join(root, 'bench/node_modules/pm2/bin/pm2'), ...words], { env, ...options });
  const startOne = (script, word) => run(['start', script, '--interpreter', 'sh', '--name', 'one', '--', word]);
  return { env, run, startOne, end: () => run(['kill'], { allowFailure: true }) };
}

/** forever with a root of its own. */
export function forever({ root, scratch }) {
  const env = { ...process.env, FOREVER_ROOT: join(scratch, 'forever') };
  mkdirSync(env.FOREVER_ROOT, { recursive: true });
  const run = (words, options = {}) =>
    command([process.execPath, join(root, 'bench/node_modules/forever/bin/forever'), ...words], { env, ...options });
  const startOne = (script, word) =>
    run(['start', '--uid', 'one', '--minUptime', '1', '--spinSleepTime', '1', '-a', '-c', 'sh', script, word]);
  return { env, run, startOne, end: () => run(['stopall'], { allowFailure: true }) };
}

/** The shells that can run a launcher, by name: path to give as STEAD_SHELL; null where it is not installed. */
export function shells({ scratch }) {
  const place = (path, name) => {
    if (!existsSync(path)) return null;
    const link = join(scratch, name);
    if (!existsSync(link)) symlinkSync(path, link);
    return link;
  };
  return { dash: place('/bin/dash', 'dash'), busybox: place('/bin/busybox', 'ash'), bash: place('/bin/bash', 'sh') };
}

/** Ends a process that this run started, and waits for it. */
export async function endProcess(pid) {
  process.kill(pid, 'SIGKILL');
  await until(() => !existsSync(`/proc/${pid}/exe`), `the end of ${pid}`);
}

/** Makes so many apps that sleep, named app0, app1, …, a few at a time. */
export async function manyApps(tool, count) {
  let next = 0;
  const worker = async () => {
    while (next < count) await tool.run(['start', '--no-wait', '--name', `app${next++}`, '--', 'sleep', '100000']);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  await until(
    async () => {
      const pids = Object.values(await pidsByName(tool));
      return pids.length === count && pids.every((pid) => pid > 0);
    },
    `${count} running apps`,
    60_000,
  );
}

/** The pid of each running app of stead, null for one that does not run. */
export async function pidsByName(tool) {
  const list = await tool.json('list');
  return Object.fromEntries(
    list.map(({ name, state, instances }) => [name, state === 'running' ? instances[0].pid : null]),
  );
}

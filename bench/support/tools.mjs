/** stead and its peers as commands, each with a home of its own in the scratch directory. What they started is ended by `end`, or by `endAll` on an interrupt. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { command, pidsWith, until } from './measure.mjs';

/** Makes a tool of how to run it and how to end all that it started, and enters it into the context. */
function tool(context, { run, end, ...rest }) {
  const { tools, running } = context;
  const tracked = (words, options) => {
    // A row that goes on while it is being interrupted starts nothing more.
    if (context.isInterrupted) return new Promise(() => {});
    const one = run(words, options);
    running.add(one);
    return one.finally(() => running.delete(one));
  };
  tools.push({ end });
  return { ...rest, run: tracked, end };
}

/** A process that a row started itself, ended when the run is interrupted, too; with SIGTERM if it has to end others. */
export function ownProcess(context, child, signal = 'SIGKILL') {
  context.tools.push({ end: () => child.kill(signal) });
  return child;
}

/** For an interrupted run: waits for the commands under way, then ends what every tool started. */
export async function endAll(context) {
  context.isInterrupted = true;
  await Promise.allSettled(context.running);
  await Promise.allSettled(context.tools.map(({ end }) => end()));
}

/** stead with a home of its own. `end` deletes every app and stops the daemon. */
export function stead(context, env = {}, name = 'stead') {
  const home = join(context.scratch, name);
  const bin = [process.execPath, join(context.root, 'bin/stead.cjs')];
  const all = { ...process.env, STEAD_HOME: home, ...env };
  const run = (words, options = {}) => command([...bin, ...words], { env: all, ...options });
  const end = async () => {
    // A command that acts would start a daemon where none was.
    if (!existsSync(home)) return;
    await run(['delete', 'all'], { allowFailure: true });
    await run(['daemon', 'stop'], { allowFailure: true });
  };
  const made = tool(context, { run, end, home, bin, env: all });
  return { ...made, json: async (...words) => JSON.parse((await made.run([...words, '--json'])).output) };
}

/** pm2 with a home of its own. `end` kills its daemon and its apps. */
export function pm2(context) {
  const env = {
    ...process.env,
    PM2_HOME: join(context.scratch, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
    PM2_PROGRAMMATIC: 'true',
  };
  const run = (words, options = {}) =>
    command([process.execPath, join(context.root, 'bench/node_modules/pm2/bin/pm2'), ...words], { env, ...options });
  const end = async () => {
    await run(['kill'], { allowFailure: true });
    // One that an interrupted command had just begun to start was not there yet to be asked.
    for (const pid of pidsWith(`God Daemon (${env.PM2_HOME})`)) await endProcess(pid);
  };
  const made = tool(context, { run, end, env });
  const startOne = (script, word) => made.run(['start', script, '--interpreter', 'sh', '--name', 'one', '--', word]);
  return { ...made, startOne };
}

/** forever with a root of its own. */
export function forever(context) {
  const env = { ...process.env, FOREVER_ROOT: join(context.scratch, 'forever') };
  mkdirSync(env.FOREVER_ROOT, { recursive: true });
  const bin = join(context.root, 'bench/node_modules/forever/bin/forever');
  const run = (words, options = {}) => command([process.execPath, bin, ...words], { env, ...options });
  const end = () => run(['stopall'], { allowFailure: true });
  const made = tool(context, { run, end, env });
  const quickly = ['--minUptime', '1', '--spinSleepTime', '1'];
  const startOne = (script, word) => made.run(['start', '--uid', 'one', ...quickly, '-a', '-c', 'sh', script, word]);
  return { ...made, startOne };
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

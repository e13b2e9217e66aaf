/** Loads on a server of this machine: wrk for speed, outcome-load.cjs where each request counts. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { command } from './measure.mjs';
import { ownProcess } from './tools.mjs';

const units = { us: 1e-3, ms: 1, s: 1e3, m: 6e4 };

/**
 * wrk for some seconds: requests, and how many per second, the 99th of a hundred latencies in milliseconds, and how many requests failed. One thread, as the machine has two
 * cores and the servers need them; `isFresh` asks for one connection per request.
 */
export async function wrk({ port, seconds, connections, isFresh }) {
  const words = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '5s'];
  if (isFresh) words.push('-H', 'Connection: close');
  const { output } = await command(['wrk', ...words, `http://127.0.0.1:${port}/`]).catch((error) => {
    throw error.code === 'ENOENT' ? new Error('wrk is not installed: apt-get install wrk') : error;
  });
  const [, number, unit] = /99%\s+([\d.]+)(us|ms|s|m)\b/.exec(output);
  const failures = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1) ?? [];
  return {
    requests: Number(/(\d+) requests in /.exec(output)[1]),
    rate: Number(/Requests\/sec: +([\d.]+)/.exec(output)[1]),
    p99: Number(number) * units[unit],
    failed: failures.reduce((sum, one) => sum + Number(one), Number(/Non-2xx[^:]*: (\d+)/.exec(output)?.[1] ?? 0)),
  };
}

/**
 * A new connection for each of so many requests a second, however slow the answers are (wrk waits for them, so that its own standing still hides a server's);
 * resolves with what rate-load.cjs prints.
 */
export async function steadyLoad(context, { port, perSecond, seconds }) {
  const program = join(context.root, 'bench/programs/rate-load.cjs');
  const { output } = await command([process.execPath, program, String(port), String(perSecond), String(seconds)]);
  return JSON.parse(output);
}

/**
 * Asks until it is told to stop, half of the clients on kept connections. `count()` resolves with the totals so far, `kill(pid)` sends SIGKILL from among the
 * clients, which know what was in flight; `stop()` resolves with the totals, as outcome-load.cjs describes them; `end()` is for when something went wrong.
 */
export function outcomeLoad(context, port, clients = 16) {
  const child = ownProcess(
    context,
    spawn(process.execPath, [join(context.root, 'bench/programs/outcome-load.cjs'), String(port), String(clients)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const waiting = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) waiting.shift()?.(JSON.parse(line));
  });
  const ask = (word) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${word}\n`);
    });
  return {
    count: () => ask('count'),
    stop: () => ask('stop'),
    kill: (pid) => child.stdin.write(`kill ${pid}\n`),
    end: () => child.kill('SIGKILL'),
  };
}

const entries = (totals) =>
  ['fresh', 'kept'].flatMap((kind) => Object.entries(totals[kind]).map(([what, count]) => ({ kind, what, count })));
const sum = (list) => list.reduce((total, { count }) => total + count, 0);

export const answeredIn = (totals) => sum(entries(totals).filter(({ what }) => what === 'answered'));
export const lostIn = (totals) => sum(entries(totals).filter(({ what }) => what !== 'answered'));
export const refusedIn = (totals) => sum(entries(totals).filter(({ what }) => what === 'refused'));

/** What was lost in words: `3 of a new connection refused, 2 of a kept one reset before a byte`. */
export const lossesOf = (totals) =>
  entries(totals)
    .filter(({ what }) => what !== 'answered')
    .map(({ kind, what, count }) => `${count} ${kind === 'kept' ? 'on kept' : 'on new'} connections: ${what}`)
    .join(', ');

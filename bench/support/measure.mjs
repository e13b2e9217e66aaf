/** Numbers of runs, and waiting for what a run waits for. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
export const ms = (number) => `${number.toFixed(1)} ms`;
export const mb = (bytes, digits = 1) => `${(bytes / 2 ** 20).toFixed(digits)} MB`;
export const times = (ratio) => `${ratio.toFixed(2)} ×`;
export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A command as a whole process; resolves with its milliseconds and what it printed. Throws if it fails. */
export async function command([file, ...words], { env = process.env, cwd, allowFailure = false } = {}) {
  const began = performance.now();
  const child = spawn(file, words, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  const took = performance.now() - began;
  if (code !== 0 && !allowFailure)
    throw new Error(`${file} ${words.join(' ')} ended with ${code}: ${output.slice(-2000)}`);
  return { took, output, code };
}

/** Runs each of the named measurements in turn, `runs` times; resolves with their numbers by name. The first round is not counted. */
export async function inTurn(runs, measurements) {
  const numbers = Object.fromEntries(Object.keys(measurements).map((name) => [name, []]));
  for (let round = -1; round < runs; round++) {
    for (const [name, measure] of Object.entries(measurements)) {
      const number = await measure(round);
      if (round >= 0) numbers[name].push(number);
    }
  }
  return numbers;
}

/** A port that nobody listens on now. */
export const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Resolves when an HTTP server on a port of this machine has answered; asks every millisecond. */
export async function untilAnswers(port, deadlineMs = 20_000) {
  const until = performance.now() + deadlineMs;
  while (performance.now() < until) {
    const isUp = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
      socket.once('data', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isUp) return;
    await sleep(1);
  }
  throw new Error(`nothing answered on ${port}`);
}

/** Resolves with the first truthy answer of `look`; throws after the deadline. */
export async function until(look, what, deadlineMs = 20_000) {
  const end = performance.now() + deadlineMs;
  while (performance.now() < end) {
    const answer = await look();
    if (answer) return answer;
    await sleep(5);
  }
  throw new Error(`waited ${deadlineMs} ms for ${what}`);
}

/** RSS and private memory of a process in bytes. */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { rss: field('Rss'), private: field('Private_Clean') + field('Private_Dirty') };
}

/** CPU time that the threads of a process have used, in milliseconds (to the nanosecond, where stat counts hundredths). */
export const cpuOf = (pid) =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, one) => sum + one, 0);

/** How often the threads of a process went to sleep, which is how often they woke up. */
export const switchesOf = (pid) =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) =>
      Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))[1]),
    )
    .reduce((sum, one) => sum + one, 0);

/** Processes whose command line holds a text. */
export const pidsWith = (text) =>
  readdirSync('/proc')
    .filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);

const established = '01';

/** How many connections to a port of this machine a process has in its hands: accepted, and not ended by the client. */
export function connectionsOf(pid, port) {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = ['tcp', 'tcp6']
    .flatMap((family) => readFileSync(`/proc/net/${family}`, 'utf8').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1].endsWith(local) && fields[3] === established)
    .map((fields) => `socket:[${fields[9]}]`);
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)));
  return inodes.filter((inode) => own.has(inode)).length;
}

/** Stops a process as SIGSTOP does, and resolves when all of its threads stand still. */
export function standStill(pid) {
  process.kill(pid, 'SIGSTOP');
  const stateOf = (thread) => /\) (.)/.exec(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))[1];
  return until(() => readdirSync(`/proc/${pid}/task`).every((thread) => stateOf(thread) === 'T'), `${pid} to stop`);
}

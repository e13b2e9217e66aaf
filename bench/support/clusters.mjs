/** One server as several processes on one port, by stead and those it is measured beside. Each: `start(count)` resolves with its port, `end()` ends it. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, sleep, until } from './measure.mjs';
import { ownProcess, pm2, stead } from './tools.mjs';

const serverOf = ({ root }) => join(root, 'bench/programs/cluster-server.cjs');

const atOnce = 8;
const deadlineMs = 60_000;

/** What a server says to a connection of its own; empty when it says nothing. */
const answerOf = (port) =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.on('error', () => {}).once('close', () => resolve(text.split('\r\n\r\n')[1] ?? ''));
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
  });

/** Resolves with the pids of so many workers when each has answered: who measures fewer than there should be measures something else. */
export async function untilAllAnswer(port, count) {
  const seen = new Set();
  const look = async () => {
    for (const answer of await Promise.all(Array.from({ length: atOnce }, () => answerOf(port)))) seen.add(answer);
    seen.delete('');
    await sleep(10);
    return seen.size >= count && [...seen].map(Number);
  };
  return until(look, `answers of ${count} workers on ${port}`, deadlineMs);
}

/** stead: `start -i`. `pids()` resolves with those of its instances, once all are ready. */
export function steadCluster(context) {
  const tool = stead(context);
  const instances = async () => (await tool.json('list')).find(({ name }) => name === 'web')?.instances ?? [];
  return {
    tool,
    end: tool.end,
    async start(count) {
      const port = await freePort();
      await tool.run(['start', serverOf(context), '-i', String(count), '--name', 'web', '-e', `PORT=${port}`]);
      await untilAllAnswer(port, count);
      return port;
    },
    reload: () => tool.run(['reload', 'web']),
    pids: (count) =>
      until(
        async () => {
          const ready = (await instances()).filter(({ state, ready }) => state === 'running' && ready !== false);
          return ready.length === count && ready.map(({ pid }) => pid);
        },
        `${count} instances of stead`,
        deadlineMs,
      ),
  };
}

/** pm2: `start -i`, which is its cluster mode. */
export function pm2Cluster(context) {
  const tool = pm2(context);
  const list = async () => JSON.parse((await tool.run(['jlist'])).output.replace(/^[^[]*/, ''));
  return {
    tool,
    end: tool.end,
    async start(count) {
      const port = await freePort();
      const env = { ...tool.env, PORT: String(port) };
      await tool.run(['start', serverOf(context), '-i', String(count), '--name', 'web'], { env });
      await untilAllAnswer(port, count);
      return port;
    },
    reload: () => tool.run(['reload', 'web']),
    pids: (count) =>
      until(
        async () => {
          const online = (await list()).filter(({ pm2_env }) => pm2_env.status === 'online');
          return online.length === count && online.map(({ pid }) => pid);
        },
        `${count} instances of pm2`,
        deadlineMs,
      ),
  };
}

/**
 * Processes that a row starts itself: `words` are what node is given for so many workers. They end by SIGTERM, and have a session of
 * their own, as the kernel shares the CPU out by session, and who is supervised has one.
 */
function bare(context, words) {
  const started = [];
  return {
    async start(count) {
      const port = await freePort();
      const env = { ...process.env, PORT: String(port) };
      started.push(
        ownProcess(context, spawn(process.execPath, words(count), { env, stdio: 'ignore', detached: true }), 'SIGTERM'),
      );
      await untilAllAnswer(port, count);
      return port;
    },
    async end() {
      for (const child of started.splice(0)) child.kill('SIGTERM');
    },
  };
}

const programOf = (context, program) => (count) => [
  join(context.root, 'bench/programs', program),
  serverOf(context),
  String(count),
];

/** The server alone: one process that opens its port itself. */
export const bareServer = (context) => bare(context, () => [serverOf(context)]);
/** Node's own cluster, without a supervisor. */
export const nodeCluster = (context) => bare(context, programOf(context, 'node-cluster.cjs'));
/** Processes that inherited one socket and know nothing of each other: what the kernel can do. */
export const inheritedSocket = (context) => bare(context, programOf(context, 'inherited-socket.cjs'));

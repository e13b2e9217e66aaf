/** What a sharing program starts itself: its children, threads and cluster workers listen as they would without stead. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../support/asks.ts';
import { freePort } from '../support/ports.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** Each kind listens on a port of its own, and on one that is the kernel's choice. */
const program = `
const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const { appendFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { isMainThread, threadId, Worker } = require('node:worker_threads');

const [shared, ...ports] = process.argv[2].split(',').map(Number);
const index = Number(process.env.NODE_APP_INSTANCE);
const leftOver = Object.keys(process.env).filter((name) => /^(?:STEAD_(?:SHARE|PID)|NODE_OPTIONS)$/.test(name));
function serve(kind, port) {
  const who = [kind, process.pid, threadId].join(' ');
  const server = createServer((_, response) => response.end(who));
  server.listen(port, () => {
    const { port: real } = server.address();
    appendFileSync('listening', JSON.stringify({ kind, index, real, leftOver }) + '\\n');
  });
}
const [forked, thread, clustered] = ports.slice(index * 3);
if (!isMainThread) {
  serve('thread', thread);
  serve('thread', 0);
} else if (cluster.isWorker) {
  serve('worker', clustered);
} else if (process.argv[3] === 'forked') {
  serve('forked', forked);
  serve('forked', 0);
} else {
  serve('main', shared);
  fork(__filename, [process.argv[2], 'forked']);
  new Worker(__filename, { argv: [process.argv[2]] });
  for (let nth = 0; nth < 2; nth++) cluster.fork();
}
`;

/** Of one instance. */
const lines = { main: 1, forked: 2, thread: 2, worker: 2 };

interface Listening {
  readonly kind: keyof typeof lines;
  readonly index: number;
  readonly real: number;
  readonly leftOver: readonly string[];
}

test('children, threads and cluster workers of two instances listen on ports of their own, before and after a restart', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.directory, 'family.cjs');
  const listening = join(stead.directory, 'listening');
  writeFileSync(file, program);
  const ports: number[] = [];
  while (ports.length < 7) ports.push(await differentPort(ports));

  await stead.ok(['start', '--name', 'family', '-i', '2', file, '--', ports.join(',')]);
  for (const round of ['started', 'restarted']) {
    if (round === 'restarted') {
      writeFileSync(listening, '');
      await stead.ok(['restart', 'family']);
    }
    const all = await everybody(listening);
    for (const { kind, leftOver } of all) assert.deepEqual(leftOver, [], kind);
    await answersOfOne(all, { ports, kinds: ['forked', 'thread'] });
    await bothWorkersAnswer(all);
  }
  const { held } = await stead.show('family');
  const keys = held!.map(({ key }) => key);
  assert.ok(keys.includes(`tcp:*:${ports[0]}`), keys.join());
  const own = ports.slice(1).filter((port, nth) => nth % 3 !== 2 && keys.includes(`tcp:*:${port}`));
  assert.deepEqual(own, []);
});

async function differentPort(others: readonly number[]): Promise<number> {
  const port = await freePort();
  return others.includes(port) ? differentPort(others) : port;
}

function everybody(file: string): Promise<Listening[]> {
  return waitFor('all of two instances to listen', () => {
    const all = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line): Listening => JSON.parse(line));
    const isWhole = Object.entries(lines).every(
      ([kind, count]) => all.filter((one) => one.kind === kind).length === 2 * count,
    );
    return isWhole && all;
  });
}

/** By each of its ports always the same process answers. */
async function answersOfOne(
  all: readonly Listening[],
  { ports, kinds }: { readonly ports: readonly number[]; readonly kinds: readonly string[] },
): Promise<void> {
  for (const { kind, real } of all.filter((one) => kinds.includes(one.kind))) {
    const answers = new Set(await Promise.all([1, 2, 3, 4].map(() => ask('http', { port: real }))));
    assert.equal(answers.size, 1, `${kind} ${real}`);
    assert.match([...answers][0]!, new RegExp(`^${kind} `));
  }
  const chosen = all.filter(({ kind, real }) => kinds.includes(kind) && !ports.includes(real)).map(({ real }) => real);
  assert.equal(new Set(chosen).size, 4, 'by port 0 each has one of its own');
}

/** A cluster's two workers take turns, and are those of one instance. */
async function bothWorkersAnswer(all: readonly Listening[]): Promise<void> {
  const workers = all.filter(({ kind }) => kind === 'worker');
  const ports = [...new Set(workers.map(({ real }) => real))];
  assert.equal(ports.length, 2);
  const seen = await Promise.all(
    ports.map(async (port) => {
      const answers = new Set<string>();
      await waitFor(`both workers at ${port}`, async () => answers.add(await ask('http', { port })).size === 2);
      for (let nth = 0; nth < 6; nth++) answers.add(await ask('http', { port }));
      return [...answers];
    }),
  );
  assert.equal(new Set(seen.flat()).size, 4);
}

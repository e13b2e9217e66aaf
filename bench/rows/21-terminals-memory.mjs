import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mb, median, memoryOf, sleep, standStill, until } from '../support/measure.mjs';
import { contenders, user } from '../support/terminals.mjs';

const sessions = 20;
const limitsMb = { fresh: 75, full: 115, stopped: 1 };
// Garbage is collected some 10 s after the last work.
const restMs = 15_000;
const floodMb = 10;
/** Lines of the terminal's width, so many that all are full which are kept: 24 and 1,000 above. */
const lines = 1100;
const filling =
  'read -r word <>"$0"; for ((i = 0; i < $1; i++)); do printf "%080d" $i; done; echo; echo full; exec sleep 100000';
const flooding =
  'echo ready; while read -r word; do yes "a line of some words" | head -c $1; echo; echo over $word; done <>"$0"';

function fifoAt(context, name) {
  const path = join(context.scratch, `${name}.fifo`);
  spawnSync('mkfifo', [path]);
  return path;
}

const shows = (terminals, name, text) =>
  until(async () => (await terminals.capture(name)).includes(text), `${text} in ${name}`, 120_000);

const rssAtRest = async (terminals) => {
  await sleep(restMs);
  return memoryOf(await terminals.host()).rss;
};

/** RSS in bytes of the process that has all sessions: new ones, and with all lines full. */
async function rssOfMany(context, who, terminals) {
  const names = Array.from({ length: sessions }, (_, at) => `${who}${at}`);
  const fifos = names.map((name) => fifoAt(context, name));
  for (const [at, name] of names.entries())
    await terminals.open(name, ['bash', '-c', filling, fifos[at], String(lines)]);
  const fresh = await rssAtRest(terminals);
  for (const fifo of fifos) appendFileSync(fifo, 'now\n');
  for (const name of names) await shows(terminals, name, 'full');
  return { fresh, full: await rssAtRest(terminals) };
}

/** RSS in bytes after streams that a client has read, before and after those that went by it while it was stopped; and after those. */
async function rssByClient(context, terminals) {
  const fifo = fifoAt(context, 'flood');
  await terminals.open('flood', ['bash', '-c', flooding, fifo, String(floodMb * 1e6)]);
  const watcher = user(context, 'read', 'ready', terminals.attach('flood'), terminals.env);
  await watcher.shown();
  const flood = async (word) => {
    appendFileSync(fifo, `${word}\n`);
    await shows(terminals, 'flood', `over ${word}`);
    return rssAtRest(terminals);
  };
  const several = async (words) => {
    const found = [];
    for (const word of words) found.push(await flood(word));
    return median(found);
  };
  await flood('zero');
  const [client] = childrenOf(watcher.pid);
  const before = await several(['one', 'two']);
  await standStill(client);
  const stopped = await several(['three', 'four', 'five']);
  process.kill(client, 'SIGCONT');
  const after = await several(['six', 'seven']);
  await watcher.close();
  // What grows with every stream, or no more, is not the client's.
  return { reading: (before + after) / 2, stopped };
}

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

export const row = {
  name: 'terminals-memory',
  title: `Memory of ${sessions} terminal sessions`,
  target: `new ≤ ${limitsMb.fresh} MB, with all lines full ≤ ${limitsMb.full} MB; a stopped client ≤ ${limitsMb.stopped} MB`,
  runs: 1,
  async run(context) {
    const { all, lacking } = contenders(context, ['stead', 'tmux']);
    const values = {};
    try {
      const { reading, stopped } = await rssByClient(context, all.stead);
      // In a host of its own: what twenty full screens take goes up and down by more.
      await all.stead.end();
      const found = {};
      for (const [who, terminals] of Object.entries(all)) {
        found[who] = await rssOfMany(context, who, terminals);
        values[`${who}: new; with ${lines} full lines printed in each`] =
          `${mb(found[who].fresh)}; ${mb(found[who].full)}`;
      }
      values[`stead: after ${floodMb} MB that a client read; with the client stopped`] =
        `${mb(reading)}; ${mb(stopped)}`;
      const { fresh, full } = found.stead;
      const check = (text, bytes, limit) => ({
        text: `${text} ≤ ${limit} MB: ${mb(bytes)}`,
        met: bytes <= limit * 2 ** 20,
      });
      return {
        how: `RSS of the one process that has all sessions, each of 80×24, ${restMs / 1000} s after the last output. stead keeps 1,000 lines above a screen, tmux 2,000.${lacking}`,
        values,
        checks: [
          check('new', fresh, limitsMb.fresh),
          check('full', full, limitsMb.full),
          check('a stopped client, more', stopped - reading, limitsMb.stopped),
        ],
      };
    } finally {
      await Promise.all(Object.values(all).map(({ end }) => end()));
    }
  },
};

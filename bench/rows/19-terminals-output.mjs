import { spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median, ms, times, until } from '../support/measure.mjs';
import { contenders, user } from '../support/terminals.mjs';

const megabytes = 100;
const limitsOf = { alone: { tmux: 0.8, screen: 0.75 }, watched: { tmux: 1.2 } };
const labels = { alone: 'detached', watched: 'a client attached' };
const patienceMs = 300_000;
const lastLine = 'the last line of all';

/** What is printed, line by line. */
const kinds = {
  'short lines': (at) => `${at}`,
  'lines of 80 columns': (at) =>
    `${String(at).padStart(9, '0')} the quick brown fox jumps over the lazy dog and finds a log file there`,
  'coloured lines': (at) =>
    `\x1b[1;3${at % 8}m${String(at).padStart(9, '0')}\x1b[0m \x1b[38;5;${at % 256}mthe quick brown fox\x1b[39m jumps \x1b[4mover\x1b[24m the \x1b[48;2;10;${at % 256};30mlazy\x1b[0m dog`,
};

/** A file of one kind; gives its bytes, and how many there are once each line feed is two characters. */
function makeFile(path, lineOf) {
  const fd = openSync(path, 'w');
  let [bytes, lines] = [0, 0];
  while (bytes < megabytes * 1e6) {
    const block = Array.from({ length: 5000 }, (_, at) => `${lineOf(lines + at + 1)}\n`).join('');
    bytes += writeSync(fd, block);
    lines += 5000;
  }
  bytes += writeSync(fd, `${lastLine}\n`);
  closeSync(fd);
  return { path, printed: bytes + lines + 1 };
}

/** One run of the program in a new session. Milliseconds: until it has ended and all is in the log, where there is one; until the last line was seen. */
async function throughOne(context, terminals, { file, round, isWatched }) {
  const name = `out${round + 1}`;
  const [fifo, note] = ['fifo', 'note'].map((what) => join(context.scratch, what));
  spawnSync('mkfifo', [fifo]);
  await terminals.open(name, ['bash', join(context.root, 'bench/programs/prints-when-told.sh'), fifo]);
  const watcher = isWatched ? user(context, 'read', 'ready', terminals.attach(name), terminals.env) : null;
  try {
    await shows(terminals, name, 'ready');
    await watcher?.shown();
    appendFileSync(fifo, `${file.path} ${note}\n`);
    const logged = terminals.log
      ? until(() => statSync(terminals.log(name)).size >= file.printed && now(), 'the log', patienceMs)
      : 0;
    const [began, ended] = await until(() => noted(note), 'the program', patienceMs);
    await shows(terminals, name, lastLine);
    const seen = now();
    return { printed: Math.max(ended, await logged) - began, seen: seen - began };
  } finally {
    await watcher?.close();
    await terminals.close(name);
    for (const path of [fifo, note]) rmSync(path, { force: true });
  }
}

const shows = (terminals, name, text) =>
  until(async () => (await terminals.capture(name)).includes(text), `"${text}" in ${name}`, patienceMs);

const now = () => performance.timeOrigin + performance.now();

function noted(path) {
  try {
    return readFileSync(path, 'utf8')
      .trim()
      .split(' ')
      .map((microseconds) => Number(microseconds) / 1000);
  } catch {
    return null;
  }
}

/** What each took, round by round, in turn; the first round is not counted. */
async function measure(context, contestants, { file, isWatched }) {
  const found = Object.fromEntries(Object.keys(contestants).map((who) => [who, []]));
  for (let round = -1; round < context.runs; round++)
    for (const [who, terminals] of Object.entries(contestants)) {
      const took = await throughOne(context, terminals, { file, round, isWatched });
      if (round >= 0) found[who].push(took);
    }
  return found;
}

/** How long stead took beside another, in the middle of all rounds. */
const besides = (found, who) => median(found.stead.map(({ printed }, at) => printed / found[who][at].printed));

function figures(label, found, limits) {
  const middle = (who, what) => ms(median(found[who].map((took) => took[what])));
  const values = Object.keys(found).map((who) => {
    const ratio = who === 'stead' ? '' : `; stead ${times(besides(found, who))}`;
    return [`${label}: ${who}`, `${middle(who, 'printed')}${ratio}; seen after ${middle(who, 'seen')}`];
  });
  const checks = Object.entries(limits)
    .filter(([who]) => who in found)
    .map(([who, limit]) => {
      const ratio = besides(found, who);
      return { text: `${label} ≤ ${limit} × ${who}: ${times(ratio)}`, met: ratio <= limit };
    });
  return { values, checks };
}

export const row = {
  name: 'terminals-output',
  title: `${megabytes} MB through a terminal session`,
  target: '≤ 0.8 × tmux, ≤ 0.75 × screen; with a client attached ≤ 1.2 × tmux',
  runs: 3,
  async run(context) {
    const { all, lacking } = contenders(context, ['stead', 'tmux', 'screen']);
    const results = [];
    try {
      for (const [kind, lineOf] of Object.entries(kinds)) {
        const file = makeFile(join(context.scratch, 'printed'), lineOf);
        for (const [how, limits] of Object.entries(limitsOf)) {
          const names = Object.keys(all).filter((who) => who === 'stead' || who in limits);
          const contestants = Object.fromEntries(names.map((who) => [who, all[who]]));
          const found = await measure(context, contestants, { file, isWatched: how === 'watched' });
          results.push(figures(`${kind}, ${labels[how]}`, found, limits));
        }
      }
      return {
        how: `\`cat\` of a file, until it has ended and, with stead, all is in the log; then until a capture has shown the last line, the command for it included. Who is attached reads all at full speed: stead sends every byte, tmux what its screen shows in the end.${lacking}`,
        values: Object.fromEntries(results.flatMap(({ values }) => values)),
        checks: results.flatMap(({ checks }) => checks),
      };
    } finally {
      await Promise.all(Object.values(all).map(({ end }) => end()));
    }
  },
};

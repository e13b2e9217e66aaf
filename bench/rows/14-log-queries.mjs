import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { command, inTurn, mb, median, ms, times } from '../support/measure.mjs';
import { stead } from '../support/tools.mjs';

const gigabyte = 1024 ** 3;
const limit = 1.5;
const patterns = {
  literal: { pattern: 'timeout of upstream', least: 0.4 },
  regex: { pattern: 'ERROR t[a-z]+ of \\w+', least: 0.5 },
};
const mostMemory = 100 * 1024 ** 2;

/** A log of so many bytes, with times as if it had been written over a day up to now. */
function makeLog(home, name, bytes) {
  const directory = join(home, 'logs', name);
  mkdirSync(join(directory, '.state'), { recursive: true, mode: 0o700 });
  const block = [];
  for (let line = 0; block.join('').length < 1024 * 1024 - 200; line++)
    block.push(
      `2026-11-23T10:00:00 INFO request ${line} served in ${line % 977}ms from 10.0.0.${line % 255}${line % 9973 === 1 ? ' ERROR timeout of upstream' : ''}\n`,
    );
  const text = Buffer.from(block.join('').padEnd(1024 * 1024 - 1, '.') + '\n');
  const fd = openSync(join(directory, '0.out.log'), 'w', 0o600);
  for (let at = 0; at < bytes; at += text.length) writeSync(fd, text);
  closeSync(fd);
  const pairs = 345_600;
  const times = Buffer.alloc(pairs * 16);
  const now = Date.now();
  for (let at = 0; at < pairs; at++) {
    times.writeDoubleLE(Math.floor((bytes / pairs) * at), at * 16);
    times.writeDoubleLE(now - (pairs - at) * 250, at * 16 + 8);
  }
  const index = openSync(join(directory, '.state', '0.out.times'), 'w', 0o600);
  writeSync(index, times);
  closeSync(index);
  return join(directory, '0.out.log');
}

export const row = {
  name: 'log-queries',
  title: 'Queries of a log of 2 GB, and a search in one of 1 GB',
  target: `--since 1m and -n 100 ≤ ${limit} × node -e 0; --grep ≥ 0.4 × grep (literal), ≥ 0.5 × (regex), ≤ 100 MB`,
  runs: 7,
  async run(context) {
    const ours = stead(context);
    try {
      await ours.run(['start', '--name', 'big', '--log-max-size', '0', '--', 'sleep', '100000']);
      await ours.run(['start', '--name', 'one', '--log-max-size', '0', '--', 'sleep', '100000']);
      await ours.run(['stop', 'all']);
      await ours.run(['daemon', 'stop']);
      makeLog(ours.home, 'big', 2 * gigabyte);
      const file = makeLog(ours.home, 'one', gigabyte);
      const timed = (words) => async () => (await command(words, { env: ours.env })).took;
      const shell = (text) => timed(['sh', '-c', text]);
      const own = `${process.execPath} ${join(context.root, 'bin/stead.cjs')}`;
      await ours.run(['daemon', 'restart']);
      const numbers = await inTurn(context.runs, {
        node: timed([process.execPath, '-e', '0']),
        since: shell(`${own} logs big --since 1m > ${context.scratch}/out`),
        last: shell(`${own} logs big -n 100 > ${context.scratch}/out`),
        grepLiteral: shell(`LC_ALL=C.UTF-8 grep '${patterns.literal.pattern}' ${file} > ${context.scratch}/out`),
        ownLiteral: shell(`${own} logs one --grep '${patterns.literal.pattern}' > ${context.scratch}/out`),
        grepRegex: shell(`LC_ALL=C.UTF-8 grep -E '${patterns.regex.pattern}' ${file} > ${context.scratch}/out`),
        ownRegex: shell(`${own} logs one --grep '${patterns.regex.pattern}' > ${context.scratch}/out`),
      });
      const { stderr } = spawnSync(
        '/usr/bin/time',
        ['-f', '%M', ...ours.bin, 'logs', 'one', '--grep', patterns.literal.pattern],
        {
          env: ours.env,
          encoding: 'utf8',
          maxBuffer: gigabyte,
        },
      );
      const memory = Number(stderr.trim().split('\n').at(-1)) * 1024;
      const ratio = (name, other) => median(numbers[name].map((took, at) => took / numbers[other][at]));
      const [since, last] = [ratio('since', 'node'), ratio('last', 'node')];
      const [literal, regex] = [ratio('grepLiteral', 'ownLiteral'), ratio('grepRegex', 'ownRegex')];
      return {
        values: {
          'node -e 0': ms(median(numbers.node)),
          'logs --since 1m, 2 GB (1.5 MB of output)': `${ms(median(numbers.since))}, ${times(since)}`,
          'logs -n 100, 2 GB': `${ms(median(numbers.last))}, ${times(last)}`,
          'grep, literal, 1 GB': ms(median(numbers.grepLiteral)),
          'logs --grep, literal': `${ms(median(numbers.ownLiteral))}, ${times(literal)} its speed`,
          'grep -E, 1 GB': ms(median(numbers.grepRegex)),
          'logs --grep, regex': `${ms(median(numbers.ownRegex))}, ${times(regex)} its speed`,
          'memory of the search': mb(memory),
        },
        checks: [
          { text: `--since 1m ≤ ${limit} × node -e 0: ${times(since)}`, met: since <= limit },
          { text: `-n 100 ≤ ${limit} × node -e 0: ${times(last)}`, met: last <= limit },
          { text: `literal ≥ 0.4 × grep: ${times(literal)}`, met: literal >= 0.4 },
          { text: `regex ≥ 0.5 × grep: ${times(regex)}`, met: regex >= 0.5 },
          { text: `memory ≤ 100 MB: ${mb(memory)}`, met: memory <= mostMemory },
        ],
      };
    } finally {
      await ours.end();
    }
  },
};

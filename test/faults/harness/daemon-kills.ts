/** The daemon is killed again and again at random moments, under a program that writes and one that crashes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { AppView } from '../../../src/protocol/api.ts';
import type { Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';
import { assertOneRunEach, checkInvariants } from './invariants.ts';
import { randomFrom } from './random.ts';

const writer = `let n = 0; setInterval(() => { let s = ''; for (let i = 0; i < 10; i++) s += ++n + ' ' + process.pid + '\\n'; require('fs').writeSync(1, s) }, 10)`;
/** Notes each of its runs and how it will end, and ends so a while later. */
const crasher = `const fs = require('fs'); const n = fs.existsSync('runs') ? fs.readFileSync('runs', 'utf8').trim().split('\\n').length : 0; const code = 10 + n % 50; fs.appendFileSync('runs', code + '\\n'); setTimeout(() => process.exit(code), 150 + n * 37 % 400)`;

export async function daemonKills(
  stead: Stead,
  { kills, seed, say = () => {} }: { kills: number; seed: number; say?: (text: string) => void },
): Promise<void> {
  const random = randomFrom(seed);
  const cwd = stead.directory;
  await stead.ok(['start', '--name', 'writer', '--', process.execPath, '-e', writer], { cwd });
  // Never so stable that its crashes are forgotten, never so tired that it waits long.
  await stead.ok(
    ['start', '--no-wait', '--name', 'crasher', '--stable-after', '100ms', '--', process.execPath, '-e', crasher],
    {
      cwd,
    },
  );
  const pid = await stead.pid('writer');
  const took: number[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    await pause(random() * 300);
    const { pid: daemon } = JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8'));
    try {
      process.kill(daemon, 'SIGKILL');
    } catch {
      // Between two of them.
    }
    const began = performance.now();
    const list = await waitFor('the daemon to be back', async () => {
      const { stdout, stderr, code } = await stead.run(['list', '--json']);
      return code === 0 && !stderr.includes('not running') ? (JSON.parse(stdout) as AppView[]) : null;
    });
    took.push(performance.now() - began);
    if (kill % 20 === 0) say(`${kill} kills, back after ${Math.round(took.at(-1)!)} ms`);
    assert.equal(list.find(({ name }) => name === 'writer')?.instances[0]?.pid, pid, `kill ${kill}: the writer's pid`);
    assertOneRunEach(stead.home);
  }
  const [median, most] = [took.sort((a, b) => a - b)[Math.floor(kills / 2)]!, took.at(-1)!];
  say(`back after ${Math.round(median)} ms (median), ${Math.round(most)} ms at most`);
  await stead.ok(['stop', 'all']);
  assertNumbered(readFileSync(join(stead.home, 'logs/writer/0.out.log'), 'utf8'));
  const wrote = readFileSync(join(cwd, 'runs'), 'utf8').trim().split('\n').map(Number);
  const { exits, instances } = await stead.show('crasher');
  // One end per run, in order; the last run may have been ended by the stop, or not have noted itself yet.
  const ends = exits.map(({ code }) => code).filter((code) => code !== null && code !== 143);
  // The last 100 are kept; the very last run may still be to come in either list.
  const tails = [0, 1].map((without) => wrote.slice(0, wrote.length - without).slice(-ends.length));
  assert.ok(
    tails.some((tail) => JSON.stringify(tail) === JSON.stringify(ends)),
    JSON.stringify({ ends, wrote }),
  );
  assert.ok(exits.length - ends.length <= 1, JSON.stringify(exits.slice(-3)));
  // A run that the daemon died over before its launcher was there never happened: its number is left out.
  assert.ok(
    exits.every(({ run }, at) => at === 0 || run > exits[at - 1]!.run),
    'each run ended once',
  );
  assert.ok(instances[0]!.restarts >= wrote.length - 1, 'each end was followed by a start');
  await checkInvariants(stead);
}

function assertNumbered(text: string): void {
  const lines = text.split('\n').slice(0, -1);
  for (const [at, line] of lines.entries())
    assert.equal(Number(line.split(' ')[0]), at + 1, `line ${at + 1} is "${line}"`);
  assert.ok(lines.length > 100, 'the writer wrote');
}

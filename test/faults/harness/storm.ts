/** Many clients at once, and a daemon that is killed under them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execute, type Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';
import { assertOneRunEach, checkInvariants, daemonsOf, liveRuns } from './invariants.ts';
import { randomFrom } from './random.ts';

const clients = 20;

/**
 * Each client has an app of its own and starts, stops, restarts, deletes it at random, one command after the other; daemon and guardian are killed meanwhile. What the
 * last acknowledged command asked for is what is there in the end.
 */
export async function storm(
  stead: Stead,
  {
    seconds,
    kills,
    seed,
    say = () => {},
  }: { seconds: number; kills: number; seed: number; say?: (text: string) => void },
): Promise<void> {
  await stead.ok(['start', '--name', 'bystander', '--', 'sleep', '10000']);
  const bystander = await stead.pid('bystander');
  const until = performance.now() + seconds * 1000;
  const killer = kill(stead, { kills, until, random: randomFrom(seed) });
  const wanted = await Promise.all(
    Array.from({ length: clients }, (_, at) =>
      client(stead, { name: `app${at}`, until, random: randomFrom(seed * 1000 + at) }),
    ),
  );
  await killer;
  say(`${wanted.reduce((sum, { commands }) => sum + commands, 0)} commands, ${kills} kills`);
  await waitFor('the daemon to be back', async () => (await stead.daemon()).running);
  for (const [at, { up }] of wanted.entries()) {
    if (up === null) continue;
    const name = `app${at}`;
    await waitFor(
      `${name} to be ${up ? 'up' : 'down'}`,
      () => (liveRuns(stead.home).get(`${name}.0`)?.size ?? 0) === (up ? 1 : 0),
    );
  }
  assert.equal(await stead.pid('bystander'), bystander);
  await checkInvariants(stead);
}

/** What is there for sure: null if the last command was not acknowledged. */
async function client(
  stead: Stead,
  { name, until, random }: { name: string; until: number; random: () => number },
): Promise<{ up: boolean | null; commands: number }> {
  let up: boolean | null = null;
  let commands = 0;
  while (performance.now() < until) {
    const verb = (['start', 'start', 'stop', 'restart', 'delete'] as const)[Math.floor(random() * 5)]!;
    const words = verb === 'start' ? ['start', '--name', name, '--', 'sleep', '10000'] : [verb, name];
    const { code, stderr } = await stead.run(words);
    commands += 1;
    if (code === 0) up = verb === 'start' || verb === 'restart';
    else if (code === 3) up = false;
    else {
      assert.match(stderr, /daemon|deleted|starting|Launcher|stopped/i, `${words.join(' ')} → ${code}: ${stderr}`);
      up = null;
    }
  }
  // The last word is one that is heard.
  if (up === null) {
    await waitFor('an acknowledged stop', async () => [0, 3].includes((await stead.run(['stop', name])).code ?? -1));
    up = false;
  }
  return { up, commands };
}

async function kill(
  stead: Stead,
  { kills, until, random }: { kills: number; until: number; random: () => number },
): Promise<void> {
  const pauseMs = (until - performance.now()) / (kills + 1);
  for (let kill = 0; kill < kills; kill++) {
    await pause(pauseMs * (0.5 + random()));
    try {
      const { pid, guardian } = JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8'));
      if (random() < 0.2 && guardian !== null) process.kill(guardian, 'SIGKILL');
      process.kill(pid, 'SIGKILL');
    } catch {
      // Between two of them.
    }
    assertOneRunEach(stead.home);
  }
}

/** First commands at once make one daemon; starts of one name at once make one app. */
export async function concurrent(
  stead: Stead,
  { rounds, say = () => {} }: { rounds: number; say?: (text: string) => void },
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    await stead.run(['daemon', 'stop']);
    const words = ['start', '--name', `one${round}`, '--no-wait', '--', 'sleep', '10000'];
    const results = await Promise.all(
      Array.from({ length: 50 }, () =>
        execute(process.execPath, [join(process.cwd(), 'bin/stead.cjs'), ...words], { env: stead.env }),
      ),
    );
    assert.deepEqual([...new Set(results.map(({ code }) => code))], [0], results.map(({ stderr }) => stderr).join(''));
    await waitFor('the app to run', async () => (await stead.show(`one${round}`)).state === 'running');
    assert.equal(daemonsOf(stead.home).length, 1);
    await checkInvariants(stead);
    await stead.ok(['delete', 'all', '--purge']);
    if (round % 10 === 0) say(`${round} rounds`);
  }
}

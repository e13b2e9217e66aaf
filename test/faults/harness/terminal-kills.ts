/** The pty host is killed again and again under a program that counts, every fifth time together with daemon and guardian. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from '../../../src/client/http.ts';
import { Onlooker } from '../../support/onlooker.ts';
import { clientOf, hostPid, logOf, openScript } from '../../support/sessions.ts';
import { execute, type Stead } from '../../support/stead.ts';
import type { TerminalClient } from '../../support/terminal-client.ts';
import { waitFor } from '../../support/wait.ts';
import { randomFrom } from './random.ts';

/** Prints numbers until the file `stop` is there: some by themselves, some in a burst. */
const counting =
  'i=0; until [ -e stop ]; do i=$((i+1)); echo "n $i"; [ $((i % 50)) = 0 ] || continue; sleep 0.02; done; echo "last $i"; read line';
/**
 * From the kill to a client that is attached and shows something, in the middle of all; on a busy machine as many starts of Node as make up that time on one
 * that is not.
 */
const mostMs = { host: 1000, all: 2000 } as const;
const mostStarts = { host: 8, all: 16 } as const;
/** A host that was started just before is replaced after a second only: how long that takes says nothing. */
const settledMs = 1200;

export interface KillsOptions {
  readonly kills: number;
  readonly seed: number;
  readonly say?: (text: string) => void;
}

export async function terminalKills(stead: Stead, { kills, seed, say = () => {} }: KillsOptions): Promise<void> {
  const random = randomFrom(seed);
  await stead.ok(['daemon', 'restart']);
  await openScript(stead, { name: 'count', script: counting, options: { logMaxSize: 2 ** 30, ttyScrollback: 5000 } });
  const pid = await stead.pid('count');
  const stays = new Onlooker(stead, ['attach', 'count']);
  await stays.sees(/n \d+/);
  const took: Record<'host' | 'all', number[]> = { host: [], all: [] };
  const starts: number[] = [];
  let backAt = Number.NEGATIVE_INFINITY;
  for (let kill = 1; kill <= kills; kill++) {
    await pause(random() * 1500);
    const kind = kill % 5 === 0 ? 'all' : 'host';
    const began = await killOne(stead, kind);
    const client = await attachAgain(stead);
    if (began - backAt > settledMs) took[kind].push(performance.now() - began);
    backAt = performance.now();
    starts.push((await execute(process.execPath, ['-e', '0'])).tookMs);
    await showsMore(client);
    await client.close();
    assert.equal(await stead.pid('count'), pid, `kill ${kill}: the program's pid`);
    if (kill % 10 === 0)
      say(
        `${kill} kills; attached after ${words(took.host)}, with the daemon ${words(took.all)}; node -e 0: ${words(starts)}`,
      );
  }
  writeFileSync(join(stead.directory, 'stop'), '');
  await stays.sees(/last \d+/);
  assertCounted(await logOf(stead, 'count'));
  const client = await clientOf(stead, 'count');
  const screen = await client.ask({ session: 'count:0', what: 'capture', ansi: false, lines: 4000 });
  assert.ok(screen.what === 'capture');
  assertCounted(screen.text);
  assert.equal(stays.eye.lines().join('\n').trimEnd(), (await client.shown()).trimEnd());
  await Promise.all([client.close(), stays.leaves()]);
  for (const kind of ['host', 'all'] as const)
    assert.ok(
      median(took[kind]) <= Math.max(mostMs[kind], mostStarts[kind] * median(starts)),
      `${kind}: attached after ${words(took[kind])}`,
    );
}

/** Gives when. */
async function killOne(stead: Stead, kind: 'host' | 'all'): Promise<number> {
  const host = await hostPid(stead);
  const daemon = kind === 'all' ? await waitFor('the daemon', () => stead.daemon()) : null;
  const began = performance.now();
  for (const victim of [daemon?.guardian, daemon?.pid, host]) {
    try {
      if (victim) process.kill(victim, 'SIGKILL');
    } catch {
      // It ends by itself just now.
    }
  }
  // Nobody restarts a daemon whose guardian is gone but the next command.
  if (daemon !== null) await stead.run(['list']);
  return began;
}

async function attachAgain(stead: Stead): Promise<TerminalClient> {
  return waitFor('a client to be attached', async () => {
    await request(stead.home, 'attach', { body: { select: ['count'] } });
    return clientOf(stead, 'count');
  });
}

/** What it shows goes on. */
async function showsMore(client: TerminalClient): Promise<void> {
  const lastNumber = async () => Number(/n (\d+)\n*$/.exec(await client.shown())?.[1] ?? 0);
  const first = await lastNumber();
  await waitFor('more numbers', async () => (await lastNumber()) > first);
}

/** Each number once, in order, from the first that is there up to the last one that was printed. */
function assertCounted(text: string): void {
  const numbers = [...text.matchAll(/^n (\d+)\r?$/gm)].map(([, number]) => Number(number));
  const at = numbers.findIndex((number, index) => number !== numbers[0]! + index);
  assert.ok(at < 0, `after ${numbers[at - 1]} comes ${numbers[at]}`);
  assert.equal(Number(/^last (\d+)/m.exec(text)?.[1]), numbers.at(-1));
  assert.ok(numbers.length > 100, `${numbers.length} numbers`);
}

const median = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const words = (values: readonly number[]): string =>
  `${Math.round(median(values))} ms (median), ${Math.round(Math.max(0, ...values))} ms at most`;

/** An app is reloaded again and again under load, its daemon and its holder are killed now and then: no request is lost, and nothing is left of what was. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failed, Load } from '../../support/load.ts';
import { freePort } from '../../support/ports.ts';
import type { Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';
import { randomFrom } from './random.ts';

export interface ReloadsOptions {
  readonly reloads: number;
  readonly seed: number;
  readonly instances?: number;
  /** One reload in so many is followed by a SIGKILL of the daemon, and one of the holder. */
  readonly killEvery?: number;
  readonly say?: (text: string) => void;
}

/** What may grow from one reload to the next if something leaks. */
interface Footprint {
  readonly fds: number;
  readonly kilobytes: number;
  readonly files: number;
}

const settleAfter = 20;

export async function reloads(
  stead: Stead,
  { reloads: count, seed, instances = 2, killEvery = 25, say = () => {} }: ReloadsOptions,
): Promise<void> {
  const random = randomFrom(seed);
  const port = await freePort();
  const script = join(stead.directory, 'web.js');
  writeFileSync(
    script,
    `require('http').createServer((q, r) => r.end(String(process.pid))).listen(${port}, '127.0.0.1');`,
  );
  await stead.ok(['start', script, '--name', 'web', '-i', String(instances)]);
  // Enough to have requests under way all the time, and to leave the machine to the reloads.
  const steady = { concurrency: 3, pauseMs: 5 };
  const loads = [new Load(port, steady), new Load(port, { ...steady, keepAlive: true })];
  let before: Footprint | null = null;
  let kills = 0;
  for (let done = 1; done <= count; done++) {
    await stead.ok(['reload', 'web']);
    if (random() < 1 / killEvery) {
      await (random() < 0.5 ? killDaemon(stead) : killHolder(stead));
      kills += 1;
      before = null;
    } else if (before === null && done >= settleAfter) before = await footprint(stead);
    if (done % 100 === 0) say(`${done} reloads, ${kills} kills, ${loads.map(({ ok }) => ok).join(' + ')} answers`);
  }
  const results = await Promise.all(loads.map((load) => load.stop()));
  for (const result of results) assert.equal(failed(result), 0, JSON.stringify(result.failures));
  const after = await footprint(stead);
  say(
    `daemon ${JSON.stringify(before)} → ${JSON.stringify(after)}; ${results.map(({ ok }) => ok).join(' + ')} answers, none lost`,
  );
  if (before !== null) {
    assert.ok(after.fds <= before.fds + 2, `fds: ${before.fds} → ${after.fds}`);
    assert.ok(after.files <= before.files + 2, `files: ${before.files} → ${after.files}`);
    assert.ok(after.kilobytes <= before.kilobytes * 1.3, `memory: ${before.kilobytes} → ${after.kilobytes} KB`);
  }
  const [app] = await stead.list();
  assert.equal(app!.instances.length, instances);
  await stead.ok(['delete', 'web']);
}

async function footprint(stead: Stead): Promise<Footprint> {
  const { pid } = await stead.daemon();
  const memory = /^Private_Dirty: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return {
    fds: readdirSync(`/proc/${pid}/fd`).length,
    kilobytes: Number(memory),
    files: readdirSync(join(stead.home, 'apps', 'web'), { recursive: true }).length,
  };
}

async function killDaemon(stead: Stead): Promise<void> {
  const { pid } = await stead.daemon();
  process.kill(pid!, 'SIGKILL');
  await waitFor('another daemon', async () => {
    const now = await stead.daemon();
    return now.running && now.pid !== pid;
  });
}

async function killHolder(stead: Stead): Promise<void> {
  const holder = await waitFor('a holder', () => holderOf(stead.home, 'web'));
  process.kill(holder, 'SIGKILL');
  await waitFor('another holder', () => (holderOf(stead.home, 'web') ?? holder) !== holder);
}

/** The holder of an app's sockets by its record in the app's directory, `holder.GENERATION.PID.START`: the newest. */
export function holderOf(home: string, name: string): number | null {
  const records = readdirSync(join(home, 'apps', name)).flatMap((entry) => {
    const match = /^holder\.(\d+)\.(\d+)\.\d+$/.exec(entry);
    return match === null ? [] : [{ generation: Number(match[1]), pid: Number(match[2]) }];
  });
  return records.sort((a, b) => b.generation - a.generation)[0]?.pid ?? null;
}

/** Launchers are killed in their first milliseconds while the daemon is killed and recovers: no double run, and no run that is not on record. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';
import { assertOneRunEach, checkInvariants, liveRuns } from './invariants.ts';
import { randomFrom } from './random.ts';

export async function launcherKills(
  stead: Stead,
  { starts, seed, say = () => {} }: { starts: number; seed: number; say?: (text: string) => void },
): Promise<void> {
  const random = randomFrom(seed);
  let killed = 0;
  await stead.ok(['start', '--name', 'victim', '--no-wait', '--', 'sleep', '10000']);
  for (let at = 1; at <= starts; at++) {
    const restart = stead.run(['restart', 'victim', '--no-wait']);
    // The command takes a while to get there; then its launcher has milliseconds to live.
    const found = await newLauncher(stead, 400);
    if (found !== null) {
      await pause(random() * 5);
      try {
        process.kill(found, 'SIGKILL');
        killed += 1;
      } catch {
        // It was faster.
      }
    }
    if (random() < 0.3) killDaemon(stead);
    await restart;
    assertOneRunEach(stead.home);
    assertOnRecord(stead.home);
    if (at % 50 === 0) say(`${at} starts, ${killed} launchers killed`);
  }
  await waitFor('the daemon to be back', async () => (await stead.daemon()).running);
  await stead.until('victim', 'it to run', ({ state }) => state === 'running');
  await checkInvariants(stead);
}

/**
 * The same on a full disk, where no command is taken any more: a program that ends at once is started again and again while its launchers and the daemon
 * are killed. The home must be a file system of its own.
 */
export async function launcherKillsOnFullDisk(
  stead: Stead,
  { starts, seed, say = () => {} }: { starts: number; seed: number; say?: (text: string) => void },
): Promise<void> {
  const random = randomFrom(seed);
  const loop = ['--backoff-min', '10ms', '--backoff-max', '20ms', '--', 'sleep', '0.03'];
  await stead.ok(['start', '--name', 'victim', '--no-wait', ...loop]);
  const fill = join(stead.home, 'fill');
  const refill = () => spawnSync('sh', ['-c', 'cat /dev/zero >>"$0" 2>/dev/null', fill]);
  refill();
  let killed = 0;
  for (let at = 1; at <= starts; at++) {
    const found = await newLauncher(stead, 1000);
    if (found !== null) {
      await pause(random() * 5);
      try {
        process.kill(found, 'SIGKILL');
        killed += 1;
      } catch {
        // It was faster.
      }
    }
    if (random() < 0.3) killDaemon(stead);
    if (at % 20 === 0) refill();
    assertOneRunEach(stead.home);
    assertOnRecord(stead.home);
    if (at % 50 === 0) say(`${at} starts, ${killed} launchers killed`);
  }
  rmSync(fill);
  await waitFor('the daemon to be back', async () => (await stead.daemon()).running);
  await waitFor('its next run', async () => (await newLauncher(stead, 1000)) !== null);
  await stead.ok(['stop', 'victim']);
  await checkInvariants(stead);
}

/** The pid of a launcher that was not there before. */
async function newLauncher(stead: Stead, waitMs: number): Promise<number | null> {
  const known = new Set(launchersOf(stead.home));
  for (const end = performance.now() + waitMs; performance.now() < end; ) {
    const fresh = launchersOf(stead.home).find((pid) => !known.has(pid));
    if (fresh !== undefined) return fresh;
    await pause(1);
  }
  return null;
}

function launchersOf(home: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) > 1000)
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0');
        return words[1]?.endsWith('/launcher.sh') === true && words[2]?.startsWith(home) === true;
      } catch {
        return false;
      }
    })
    .map(Number);
}

function killDaemon(stead: Stead): void {
  try {
    process.kill(JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8')).pid, 'SIGKILL');
  } catch {
    // Between two of them.
  }
}

/** A program that runs has its record. */
function assertOnRecord(home: string): void {
  for (const [instance, runs] of liveRuns(home)) {
    for (const [run, pids] of runs) {
      const [, name, index] = /^(.*)\.(\d+)$/.exec(instance)!;
      const directory = join(home, 'apps', name!, index!, 'runs', run);
      const isThere = () => existsSync(directory) && readdirSync(directory).some((file) => file.startsWith('run.'));
      // It may end, and its directory go, while it is looked at.
      if (!isThere())
        assert.ok(
          pids.every((pid) => !existsSync(`/proc/${pid}/exe`)) || isThere() || !liveRuns(home).get(instance)?.has(run),
          `${instance} run ${run} lives without a record`,
        );
    }
  }
}

/** What must always hold, as one function that every fault test ends with. */
import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeId } from '../../../src/storage/home.ts';
import type { Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';

/** Pids by `<app>.<index>` and run, of everything that carries a cookie of this home, launchers apart. */
export function liveRuns(home: string): Map<string, Map<string, number[]>> {
  const prefix = `STEAD_RUN_ID=${homeId(home)}.`;
  const runs = new Map<string, Map<string, number[]>>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const cookie = read(`/proc/${name}/environ`)
      .split('\0')
      .find((entry) => entry.startsWith(prefix));
    const isLauncher = read(`/proc/${name}/cmdline`).includes('launcher.sh');
    if (cookie === undefined || isLauncher || / Z /.test(read(`/proc/${name}/stat`))) continue;
    const [, instance, run] = /^(.*)\.(\d+)$/.exec(cookie.slice(prefix.length))!;
    const byRun = runs.get(instance!) ?? new Map<string, number[]>();
    byRun.set(run!, [...(byRun.get(run!) ?? []), Number(name)]);
    runs.set(instance!, byRun);
  }
  return runs;
}

/** Never two runs of one instance at once. May be asked at any moment. */
export function assertOneRunEach(home: string): void {
  for (const [instance, runs] of liveRuns(home)) {
    // Between the two looks of this function a run may have ended and the next begun: look again before it counts.
    if (runs.size > 1)
      assert.ok(
        (liveRuns(home).get(instance)?.size ?? 0) <= 1,
        `${instance} has runs ${[...runs.keys()]} alive at once`,
      );
  }
}

/** At rest: the list is what /proc says, what is wanted stopped is gone, one daemon, nothing that others may read. */
export async function checkInvariants(stead: Stead): Promise<void> {
  assertOneRunEach(stead.home);
  await waitFor('the list to be what /proc says', async () => {
    const live = liveRuns(stead.home);
    return (await stead.list()).every(({ name, want, state, instances }) => {
      const pids = [...(live.get(`${name}.0`)?.values() ?? [])].flat();
      if (want !== 'running' || ['stopped', 'failed', 'completed', 'backoff'].includes(state)) return pids.length === 0;
      return state === 'running' && pids.includes(instances[0]!.pid!);
    });
  });
  const known = new Set((await stead.list()).map(({ name }) => `${name}.0`));
  for (const instance of liveRuns(stead.home).keys())
    assert.ok(known.has(instance), `${instance} lives and is not known`);
  assert.equal(daemonsOf(stead.home).length, 1, 'one daemon');
  assertPrivate(stead.home);
}

/** Pids of the daemons of a home. */
export function daemonsOf(home: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const words = read(`/proc/${name}/cmdline`).split('\0');
      const at = words.findIndex((word) => word.endsWith('/daemon.cjs'));
      return at > 0 && words[at + 1] === home && !/ Z /.test(read(`/proc/${name}/stat`));
    })
    .map(Number);
}

function assertPrivate(directory: string): void {
  for (const name of ['.', ...readdirSync(directory, { recursive: true })] as string[]) {
    const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
    assert.ok(stat === undefined || (stat.mode & 0o077) === 0, `${name} has mode ${stat?.mode.toString(8)}`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

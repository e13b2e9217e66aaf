/**
 * The daemon dies at its n-th system call of a kind, by strace's fault injection, for each n of a start, a stop and a restart. The state always loads, what was
 * acknowledged is done, and no second copy ever runs.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';
import { assertOneRunEach, checkInvariants } from './invariants.ts';

const calls = ['rename', 'fsync', 'write', 'clone', 'kill', 'mkdir'] as const;

export const hasStrace = (): boolean => existsSync('/usr/bin/strace');

export async function syscalls(
  stead: Stead,
  { most, say = () => {} }: { most: number; say?: (text: string) => void },
): Promise<void> {
  await stead.ok(['start', '--name', 'bystander', '--', 'sleep', '10000']);
  const bystander = await stead.pid('bystander');
  for (const call of calls) {
    for (let n = 1; n <= most; n++) {
      let deaths = 0;
      for (const verb of ['start', 'restart', 'stop'] as const) {
        const isDead = await injectInto(stead, { call, n });
        const words =
          verb === 'start' ? ['start', '--name', 'app', '--no-wait', '--', 'sleep', '10000'] : [verb, 'app'];
        const { code } = await stead.run(words);
        if (isDead()) deaths += 1;
        await waitFor('the daemon to be back', async () => (await stead.daemon()).running);
        assertOneRunEach(stead.home);
        const app = (await stead.list()).find(({ name }) => name === 'app');
        if (code === 0 && verb !== 'stop') assert.equal(app?.want, 'running', `${call} ${n}: ${verb} was acknowledged`);
        if (code === 0 && verb === 'stop') assert.equal(app?.want, 'stopped', `${call} ${n}: stop was acknowledged`);
        assert.ok(
          app !== undefined || (verb === 'start' && code !== 0),
          `${call} ${n}: the app is known after ${verb}`,
        );
        if (app === undefined) break;
      }
      await stead.run(['start', 'app', '--no-wait']);
      await stead.run(['delete', 'app']);
      assert.equal(await stead.pid('bystander'), bystander, `${call} ${n}`);
      await checkInvariants(stead);
      if (deaths === 0) {
        say(`${call}: up to ${n - 1}`);
        break;
      }
    }
  }
}

/** Attaches strace to the daemon's main thread; the returned question is whether it has died of it. */
async function injectInto(stead: Stead, { call, n }: { call: string; n: number }): Promise<() => boolean> {
  const { pid } = JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8'));
  const names =
    { rename: 'rename,renameat,renameat2', clone: 'clone,clone3,vfork', mkdir: 'mkdir,mkdirat' }[call] ?? call;
  const tracer = spawn(
    '/usr/bin/strace',
    [
      '-qq',
      '-o',
      '/dev/null',
      '-p',
      String(pid),
      '-e',
      `trace=${names}`,
      '-e',
      `inject=${names}:signal=KILL:when=${n}`,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  tracer.once('error', () => {});
  await waitFor('strace to be attached', () =>
    /TracerPid:\s+[1-9]/.test(execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' })),
  );
  return () => {
    const isDead = !existsSync(`/proc/${pid}/exe`);
    tracer.kill('SIGTERM');
    return isDead;
  };
}

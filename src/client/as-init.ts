/**
 * As PID 1 of a container: the daemon is this process's child, without a guardian (this one is it), and orphans are reaped here. Whoever ends PID 1 ends the
 * container, so there is nothing to come back to: what runs is ended before.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { reapOrphans } from '../host/reap.ts';
import { prepareHome } from '../storage/home.ts';
import { daemonEnvironment, ensureDaemon, installLibrary, isKeptByUs } from './ensure-daemon.ts';

export const isInit = (): boolean => process.pid === 1;

/** A daemon that dies young is not started hot. */
const pauseMs = 1000;

export interface OwnDaemon {
  /** It is started no more, and what there is may go. */
  end(): Promise<void>;
}

/** Resolves when it answers. `note` is told what can't be had. */
export async function startOwnDaemon(home: string, note: (text: string) => void): Promise<OwnDaemon> {
  prepareHome(home);
  const library = installLibrary(home);
  const log = openSync(join(home, 'daemon.log'), 'a', 0o600);
  let child: ChildProcess;
  let isEnding = false;
  const start = () => {
    const words = [join(library, 'guardian.sh'), 'run', home, process.execPath, join(library, 'daemon.cjs')];
    child = spawn('/bin/sh', words, { stdio: ['ignore', log, log], env: daemonEnvironment(home), detached: true });
    const began = Date.now();
    child.once('error', (error) => note(`the daemon can't be started: ${error.message}`));
    child.once('exit', () => {
      if (!isEnding) setTimeout(start, Date.now() - began < pauseMs ? pauseMs : 0);
    });
  };
  start();
  try {
    reapOrphans((pid) => pid === child.pid);
  } catch (error) {
    note(`what programs leave behind is not reaped: ${(error as Error).message}`);
  }
  isKeptByUs.current = true;
  await ensureDaemon(home);
  return {
    async end() {
      isEnding = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

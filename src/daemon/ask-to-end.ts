/** Asking a program to end in other ways than by a signal. What can't be done is logged: the next step of the sequence follows all the same. */
import { appendFileSync, closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from './instance.ts';
import { runCommand } from './probe.ts';
import { reachDirectory } from './reach.ts';
import { steadVariables } from './stead-variables.ts';

export function askToEnd(instance: Instance, how: 'command' | 'stdin' | 'message'): void {
  const { app } = instance;
  try {
    if (how === 'command') void runStopCommand(instance);
    else if (how === 'stdin') writeToStdin(instance);
    else appendFileSync(join(reachDirectory(instance), 'heard'), '"shutdown"\n');
  } catch (error) {
    app.daemon.log(`${app.name}: not asked to end by ${how}: ${(error as Error).message}`);
  }
}

async function runStopCommand(instance: Instance): Promise<void> {
  const { app } = instance;
  const { stopCommand, stopTimeoutMs } = app.spec;
  const env = steadVariables(instance);
  const result = await runCommand(app, stopCommand!, { timeoutMs: stopTimeoutMs, env });
  if (result !== 0)
    app.daemon.log(`${app.name}: stop_command: ${typeof result === 'number' ? `exit code ${result}` : result}`);
}

/** Its stdin is a FIFO that it holds open itself: writing never blocks for want of a reader. */
function writeToStdin(instance: Instance): void {
  const fd = openSync(join(instance.runDirectory(), 'stdin'), constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(fd, `${instance.app.spec.stopStdin}\n`);
  } finally {
    closeSync(fd);
  }
}

/** Asking a program to end in other ways than by a signal. What can't be done is logged, and the next step comes at once. */
import { appendFileSync, closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from './instance.ts';
import { runCommand } from './probe.ts';
import { reachDirectory } from './reach.ts';
import { steadVariables } from './stead-variables.ts';

export function askToEnd(instance: Instance, how: 'drain' | 'command' | 'stdin' | 'message'): void {
  try {
    if (how === 'drain') instance.app.sharing?.tellings.askToDrain(instance);
    else if (how === 'command') void runStopCommand(instance);
    else if (how === 'stdin') writeToStdin(instance);
    else appendFileSync(join(reachDirectory(instance), 'heard'), '"shutdown"\n');
  } catch (error) {
    notAsked(instance, `by ${how}: ${(error as Error).message}`);
  }
}

function notAsked(instance: Instance, why: string, run = instance.model.run): void {
  instance.app.daemon.log(`${instance.app.name}: not asked to end: ${why}`);
  instance.dispatch({ type: 'notAsked', run });
}

async function runStopCommand(instance: Instance): Promise<void> {
  const { app } = instance;
  const { run } = instance.model;
  const { stopCommand, stopTimeoutMs } = app.spec;
  const env = steadVariables(instance);
  const result = await runCommand(app, stopCommand!, { timeoutMs: stopTimeoutMs, env });
  if (result !== 0)
    notAsked(instance, `stop_command: ${typeof result === 'number' ? `exit code ${result}` : result}`, run);
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

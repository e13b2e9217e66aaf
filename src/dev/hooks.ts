/** nodemon's `events`: a command for a shell when something happens, told the first file by FILENAME. The program doesn't wait for it. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { EventName, Settings } from './settings.ts';

export interface Hooks {
  fire(name: EventName, filename?: string): void;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The next one waits for the one before, so that what they do has their order; for a while, as one may stay. */
const mostWaitMs = 1000;

export function makeHooks(events: Settings['events'], { cwd, env }: Surroundings, warn: (text: string) => void): Hooks {
  const waiting: (() => ChildProcess)[] = [];
  let isBusy = false;
  const next = () => {
    isBusy = false;
    const child = waiting.shift()?.();
    if (child === undefined) return;
    isBusy = true;
    let timer: NodeJS.Timeout | null = setTimeout(goOn, mostWaitMs);
    child.once('exit', goOn).once('error', goOn);
    function goOn(): void {
      if (timer === null) return;
      clearTimeout(timer);
      timer = null;
      next();
    }
  };
  const run = (name: EventName, command: string, filename: string) => {
    const stdio: StdioOptions = ['ignore', 'inherit', 'inherit'];
    const child = spawn('/bin/sh', ['-c', command], { cwd, env: { ...env, FILENAME: filename }, stdio });
    return child.once('error', (error) => warn(`the command for ${name} cannot be run: ${error.message}`));
  };
  return {
    fire(name, filename = '') {
      const command = events[name];
      if (command !== undefined) waiting.push(() => run(name, command, filename));
      // After it nothing is waited for any more.
      if (name === 'quit') for (const start of waiting.splice(0)) start();
      else if (!isBusy) next();
    },
  };
}

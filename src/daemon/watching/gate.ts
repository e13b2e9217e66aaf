/** `before`: the command that must succeed before a restart for a change. Ended with the watch, and all that it started with it. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readIfThere } from '../../host/files.ts';
import { signalProcess } from '../../host/process.ts';
import { readProcTable } from '../../metrics/proc-table.ts';
import { hasCookie } from '../../metrics/tree.ts';
import { appDirectory } from '../../storage/layout.ts';
import type { App } from '../app.ts';
import { spawnFor } from '../spawn-for.ts';

/** One that goes on for longer is ended: what runs goes on. */
const timeoutMs = 10 * 60_000;
/** Lines of a command that failed. */
const mostSaid = 5;

export class Gate {
  readonly #cookie = `gate.${randomBytes(8).toString('hex')}`;
  readonly #file: string;
  readonly #child: ChildProcess | null = null;
  readonly #end: Promise<string | null>;
  #why: string | null = null;

  /** Runs it, by `sh -c` in the app's directory, environment and user. */
  constructor(app: App, command: string, reason: string) {
    this.#file = join(appDirectory(app.daemon.home, app.name), 'before.log');
    const output = app.spec.user === null ? this.#file : '/dev/null';
    const env = { STEAD_CHANGED: reason, STEAD_OUTPUT: output, STEAD_RUN_ID: this.#cookie };
    try {
      this.#child = spawnFor(app, ['/bin/sh', '-c', `exec >"$STEAD_OUTPUT" 2>&1\n${command}`], env);
      this.#end = this.#awaited(this.#child);
    } catch (error) {
      this.#end = Promise.resolve((error as Error).message);
    }
  }

  /** Null: it has passed. Else why not, with what it said last. */
  async result(): Promise<string | null> {
    const failure = await this.#end;
    if (failure === null) return null;
    const said = (readIfThere(this.#file) ?? '').trimEnd().split('\n').slice(-mostSaid).join(' | ');
    return `${failure}${said === '' ? '' : `: ${said}`}`;
  }

  /** Resolves when nothing of it is alive. */
  get over(): Promise<void> {
    return this.#end.then(() => {});
  }

  end(why = 'it was ended'): void {
    this.#why = why;
    this.#killAll();
  }

  #awaited(child: ChildProcess): Promise<string | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.end('no answer in time'), timeoutMs);
      child.once('error', (error) => {
        clearTimeout(timer);
        resolve(error.message);
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        // What it has left running, in whatever session: a build is over when it says so.
        this.#killAll();
        if (this.#why !== null) resolve(this.#why);
        else if (code === 0) resolve(null);
        else resolve(code === null ? `killed by ${signal}` : `exit code ${code}`);
      });
    });
  }

  /** Its session, and by its mark what has left that. */
  #killAll(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    for (const [other, entry] of readProcTable()) {
      if (other === process.pid || (entry.session !== pid && !hasCookie(other, this.#cookie))) continue;
      try {
        signalProcess(entry, 'SIGKILL');
      } catch {
        // Another user's by now.
      }
    }
  }
}

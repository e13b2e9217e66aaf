/** A program on a pseudoterminal, as a person's shell is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './paths.ts';
import { waitFor } from './wait.ts';

/** Python has the one pseudoterminal that is installed about everywhere. */
export const hasTerminals: boolean = existsSync('/usr/bin/python3');

export class Terminal {
  readonly #child: ChildProcess;
  #shown = '';
  readonly #ended: Promise<void>;

  /** `argv0` with a leading dash makes a shell a login shell. */
  constructor(
    file: string,
    argv: readonly [argv0: string, ...string[]],
    { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
  ) {
    const script = join(repository, 'test/support/on-terminal.py');
    this.#child = spawn('/usr/bin/python3', [script, file, ...argv], { env, cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text;
    });
    this.#child.stdin!.on('error', () => {});
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** All that it showed so far, escape sequences and echo included. */
  get shown(): string {
    return this.#shown;
  }

  /** The pid of the program. */
  async pid(): Promise<number> {
    const [, pid] = await this.shows(/^pid (\d+)/);
    return Number(pid);
  }

  type(text: string): void {
    this.#child.stdin!.write(text);
  }

  /** Waits until what it showed matches. */
  shows(pattern: RegExp): Promise<RegExpExecArray> {
    return waitFor(`the terminal to show ${pattern}; it shows:\n${this.#shown}`, () => pattern.exec(this.#shown));
  }

  /** Takes the terminal away, as closing its window does; waits until the program has ended. */
  async close(): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
  }

  /** Waits until the program has ended, and with it the terminal. */
  ended(): Promise<void> {
    return this.#ended;
  }
}

/** A program on a pseudoterminal, as a person's shell is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setSize, type TerminalSize } from '../../src/host/pty.ts';
import { repository } from './paths.ts';
import { waitFor } from './wait.ts';

/** Python has the one pseudoterminal that is installed about everywhere. */
export const hasTerminals: boolean = existsSync('/usr/bin/python3');

/** Enough for what a test looks for; one that prints for long is not kept whole. */
const mostKept = 16 * 1024 * 1024;

export interface TerminalOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Without it the terminal doesn't know its size. */
  readonly size?: TerminalSize;
  /** What the terminal shows, as it comes. */
  readonly onShown?: (text: string) => void;
}

export class Terminal {
  readonly #child: ChildProcess;
  #shown = '';
  #pid: number | null = null;
  /** The program's, 128+n after signal n; once it has ended. */
  readonly exitCode: Promise<number>;

  /** `argv0` with a leading dash makes a shell a login shell. */
  constructor(
    file: string,
    argv: readonly [argv0: string, ...string[]],
    { env, cwd, size = { cols: 0, rows: 0 }, onShown = () => {} }: TerminalOptions,
  ) {
    const script = join(repository, 'test/support/on-terminal.py');
    const words = [script, `${size.cols}x${size.rows}`, file, ...argv];
    this.#child = spawn('/usr/bin/python3', words, { env, cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#shown = (this.#shown + text).slice(-mostKept);
      onShown(this.#pid === null ? this.#takePid(text) : text);
    });
    this.#child.stdin!.on('error', () => {});
    this.exitCode = new Promise((resolve) => this.#child.once('close', (code) => resolve(code ?? -1)));
  }

  /** All that it showed so far, escape sequences and echo included. */
  get shown(): string {
    return this.#shown;
  }

  /** The pid of the program. */
  pid(): Promise<number> {
    return waitFor('the program on a terminal', () => this.#pid);
  }

  /** Another size of its window. */
  async resize(size: TerminalSize): Promise<void> {
    const path = readlinkSync(`/proc/${await this.pid()}/fd/0`);
    const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    try {
      setSize(fd, size);
    } finally {
      closeSync(fd);
    }
  }

  /** The first line is one write's, and comes whole. */
  #takePid(text: string): string {
    const [line = ''] = text.split('\n', 1);
    this.#pid = Number(line.slice('pid '.length));
    return text.slice(line.length + 1);
  }

  type(text: string): void {
    this.#child.stdin!.write(text);
  }

  /** The terminal takes no more output, until `flow`; keys still come. */
  stall(): void {
    this.#child.stdout!.pause();
  }

  flow(): void {
    this.#child.stdout!.resume();
  }

  /** Waits until what it showed matches. */
  shows(pattern: RegExp): Promise<RegExpExecArray> {
    // What it shows in the end is what explains why not.
    return waitFor(`the terminal to show ${pattern}`, () => pattern.exec(this.#shown)).catch((error: Error) => {
      throw new Error(`${error.message}; it shows:\n${this.#shown}`);
    });
  }

  /** Takes the terminal away, as closing its window does; waits until the program has ended. */
  async close(): Promise<void> {
    this.#child.stdin!.end();
    await this.exitCode;
  }

  /** Waits until the program has ended, and with it the terminal. */
  async ended(): Promise<void> {
    await this.exitCode;
  }
}

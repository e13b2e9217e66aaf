/** `stead dev` in a directory of a test, and what it and its program say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { steadBin } from './paths.ts';
import type { Stead } from './stead.ts';
import { Terminal } from './terminal.ts';
import { waitFor } from './wait.ts';

export interface Files {
  readonly directory: string;
  at(path: string): string;
  read(path: string): string;
  write(path: string, text: string): void;
  /** As an editor does: the new file beside, then renamed over the old one. */
  save(path: string, text: string): void;
}

let projects = 0;

/** A directory with these files. */
export function filesIn(stead: Stead, files: Readonly<Record<string, string>>): Files {
  const directory = stead.folder(`project-${++projects}`);
  const at = (path: string) => join(directory, path);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  return {
    directory,
    at,
    write,
    read: (path) => readFileSync(at(path), 'utf8'),
    save(path, text) {
      write(`${path}.tmp~`, text);
      renameSync(at(`${path}.tmp~`), at(path));
    },
  };
}

export interface DevOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: 'pipe' | 'ignore';
}

/** Without a terminal. */
export class Dev {
  readonly child: ChildProcess;
  /** All that it and its program have said. */
  said = '';
  readonly ended: Promise<number>;

  constructor(stead: Stead, files: Files, args: readonly string[], { env, stdin = 'ignore' }: DevOptions = {}) {
    // One pipe for both, as the order counts.
    this.child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', process.execPath, steadBin, 'dev', ...args], {
      cwd: files.directory,
      env: { ...stead.env, ...env },
      stdio: [stdin, 'pipe', 'ignore'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    this.ended = new Promise((resolve) => this.child.once('close', (code) => resolve(code ?? -1)));
  }

  /** Waits until it has said so. */
  async says(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    try {
      return await waitFor(`${pattern}`, () => pattern.exec(this.said), timeoutMs === undefined ? {} : { timeoutMs });
    } catch (error) {
      throw new Error(`${(error as Error).message}; it said:\n${this.said}`);
    }
  }

  /** Waits for the nth time. */
  async saysTimes(pattern: RegExp, times: number): Promise<void> {
    await this.says(new RegExp(`(?:${pattern.source}[\\s\\S]*){${times}}`, pattern.flags));
  }

  count(pattern: RegExp): number {
    return [...this.said.matchAll(new RegExp(pattern, 'g'))].length;
  }

  type(text: string): void {
    this.child.stdin!.write(text);
  }

  /** Ends it, as one who is done with it. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** On a terminal; a shell of that name runs the line. */
export function onTerminal(stead: Stead, files: Files, args: readonly string[]): Terminal {
  return new Terminal(process.execPath, ['node', steadBin, 'dev', ...args], {
    cwd: files.directory,
    env: { ...stead.env, TERM: 'xterm', NO_COLOR: '1' },
    size: { cols: 200, rows: 50 },
  });
}

/** Longer than a burst takes to be over: for what is not to happen. */
export const quietTime = (): Promise<void> => pause(900);

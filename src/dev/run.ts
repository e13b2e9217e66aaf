/** One execution of the program: in this process's own group, with its terminal, or whatever its output goes to. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { wallMs } from '../host/clock.ts';
import { type ProcessId, processStat } from '../host/process.ts';
import type { Endable } from './ending.ts';
import { Members } from './members.ts';
import type { Launch } from './program.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly tookMs: number;
}

export interface RunOptions {
  readonly launch: Pick<Launch, 'file' | 'argv' | 'env' | 'cwd' | 'isShell'>;
  /** The value of STEAD_RUN_ID that this run alone has. */
  readonly cookie: string;
  readonly stdio: StdioOptions;
  /** The program itself has ended; what it started may go on. */
  onExit(exit: Exit): void;
}

/** What a shell says of a program that is not there, or can't be executed. */
export const notFoundCode = 127;
const notExecutableCode = 126;

export class Run implements Endable {
  readonly child: ChildProcess;
  readonly cookie: string;
  readonly isShell: boolean;
  readonly startedMs = performance.now();
  /** Milliseconds since the epoch. */
  readonly beganAt = wallMs();
  /** null where it could not be started. */
  readonly main: ProcessId | null;
  exit: Exit | null = null;
  readonly #members: Members | null;

  constructor({ launch, cookie, stdio, onExit }: RunOptions) {
    this.cookie = cookie;
    this.isShell = launch.isShell;
    const env = { ...launch.env, STEAD_RUN_ID: cookie };
    this.child = spawn(launch.file, launch.argv, { cwd: launch.cwd, env, stdio });
    const { pid } = this.child;
    const stat = pid === undefined ? null : processStat(pid);
    this.main = pid === undefined || stat === null ? null : { pid, startTicks: stat.startTicks };
    this.#members = this.main === null ? null : new Members({ main: this.main, cookie });
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      if (this.exit !== null) return;
      this.exit = { code, signal, tookMs: performance.now() - this.startedMs };
      onExit(this.exit);
    };
    this.child.once('exit', ended);
    this.child.once('error', (error: NodeJS.ErrnoException) =>
      ended(error.code === 'ENOENT' ? notFoundCode : notExecutableCode, null),
    );
  }

  /** Everything of it that is alive, the program first. */
  members(): ProcessId[] {
    return this.#members?.find() ?? [];
  }

  whenExited(then: () => void): void {
    this.child.once('exit', then);
  }

  /** Twice, as a process may fork while it is looked for. */
  isGone(): boolean {
    if (this.main !== null && this.exit === null) return false;
    return this.members().length === 0 && this.members().length === 0;
  }
}

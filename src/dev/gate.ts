/** Runs the command that has to succeed before each start, and ends what it leaves running: before it is run again, and at the end. */
import { wallMs } from '../host/clock.ts';
import { Ending } from './ending.ts';
import type { GateTimes } from './gate-writes.ts';
import type { Surroundings } from './hooks.ts';
import { type Exit, Run } from './run.ts';
import type { Teller } from './words.ts';

export interface GateOptions {
  readonly command: string;
  readonly surroundings: Surroundings;
  /** What its STEAD_RUN_ID begins with. */
  readonly id: string;
  readonly signal: string;
  readonly stopTimeoutMs: number;
  readonly teller: Teller;
  onEnd(hasPassed: boolean): void;
}

/** How it is to be ended: as in EndingOptions. */
export interface GateEnd {
  readonly signal: string;
  readonly isTold: boolean;
}

export class Gate implements GateTimes {
  readonly #options: GateOptions;
  #run: Run | null = null;
  #ending: Ending | null = null;
  #gone: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** How often it has begun. */
  runs = 0;
  /** When the last one began and ended, in milliseconds since the epoch; it goes on where it has no end. */
  began = Number.NaN;
  over = Number.NaN;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** How the last one ended. */
  get exit(): Exit | null {
    return this.#run?.exit ?? null;
  }

  /** Runs it. */
  open(): void {
    const { signal } = this.#options;
    void this.#end({ signal, isTold: false }).then(() => this.#start());
  }

  /** Ends it, and what it has left; it is not run again. Resolves when nothing of it is left. */
  close(end: GateEnd): Promise<void> {
    this.#isClosed = true;
    return this.#end(end);
  }

  /** What is being ended. */
  kill(): void {
    this.#ending?.kill();
  }

  #start(): void {
    if (this.#isClosed) return;
    const { surroundings, command, id, onEnd } = this.#options;
    this.runs += 1;
    this.began = wallMs();
    this.over = Number.NaN;
    this.#run = new Run({
      launch: { ...surroundings, file: '/bin/sh', argv: ['-c', command], isShell: true },
      cookie: `${id}.before.0.${this.runs}`,
      stdio: ['ignore', 'inherit', 'inherit'],
      onExit: ({ code }) => {
        this.over = wallMs();
        if (!this.#isClosed) onEnd(code === 0);
      },
    });
  }

  #end({ signal, isTold }: GateEnd): Promise<void> {
    const { stopTimeoutMs: timeoutMs, teller } = this.#options;
    const run = this.#run;
    if (this.#ending !== null) return this.#gone;
    if (run === null || run.isGone()) return Promise.resolve();
    const end = { run, signal, isTold, timeoutMs, say: teller.warn, detail: teller.detail };
    this.#gone = new Promise((onGone) => {
      this.#ending = new Ending({ ...end, onGone });
    });
    return this.#gone.then(() => {
      this.#ending = null;
    });
  }
}

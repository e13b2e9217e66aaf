/**
 * How a run is ended. The signal goes to the program alone, once: it may have workers that it ends itself, one after the other. A shell passes no signal on, so what it
 * runs is told, too; and what is left when the program has ended. What takes longer is told after half of the time, whoever it is, and killed after all of it.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ProcessId, processStat, signalProcess } from '../host/process.ts';
import { signalNumber } from '../host/signals.ts';
import { readProcess } from '../metrics/proc-table.ts';
import { processLine } from '../metrics/process-line.ts';

/** Looks for an empty tree: soon at first, as most end at once, then ever more seldom. */
const firstLookMs = 5;
const lastLookMs = 250;
/** A tree that forks while it is killed is killed again, at most so often in one go. */
const killRounds = 20;
/** SIGKILL takes no time, unless the kernel itself waits for something. */
const stuckMs = 5000;

const shells = new Set(['sh', 'dash', 'bash', 'ash', 'zsh', 'ksh', 'mksh', 'busybox', 'fish']);

/** A run, or what is left of one. */
export interface Endable {
  /** null where it could not be started. */
  readonly main: ProcessId | null;
  /** How the program itself ended; null while it goes on. */
  readonly exit: object | null;
  /** All that is alive, the program first. */
  members(): readonly ProcessId[];
  isGone(): boolean;
  /** The program itself has ended: in the future only. */
  whenExited(then: () => void): void;
}

export interface EndingOptions {
  readonly run: Endable;
  readonly signal: string;
  /** The terminal has sent it to all in this process's group. */
  readonly isTold: boolean;
  readonly timeoutMs: number;
  onGone(): void;
  say(text: string): void;
  detail(text: string): void;
}

export class Ending {
  readonly #options: EndingOptions;
  readonly #told = new Set<string>();
  #timers: NodeJS.Timeout[] = [];
  #look: NodeJS.Timeout | null = null;
  #isKilled = false;

  constructor(options: EndingOptions) {
    this.#options = options;
    const { run, isTold, timeoutMs } = options;
    const members = run.members();
    for (const id of members) if (isTold && isInOwnGroup(id.pid)) this.#told.add(keyOf(id));
    this.#tell(isTold || run.exit !== null ? members : this.#front(members));
    run.whenExited(() => this.#afterMain());
    this.#timers = [setTimeout(() => this.#urge(), timeoutMs / 2), setTimeout(() => this.#giveUp(), timeoutMs)];
    if (run.main === null || run.exit !== null) this.#lookAgain(0);
  }

  /** SIGKILL to every member, until there is none or after some rounds. */
  kill(): void {
    this.#isKilled = true;
    for (let round = 0; round < killRounds; round++) {
      const members = this.#options.run.members();
      if (members.length === 0) break;
      for (const id of members) this.#send(id, 'SIGKILL');
    }
    this.#timers.push(setTimeout(() => this.#sayStuck(), stuckMs));
    this.#lookAgain(firstLookMs);
  }

  /** Nothing more comes of it. */
  abandon(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#look !== null) clearTimeout(this.#look);
  }

  /** The program, and what shells run for it. */
  #front(members: readonly ProcessId[]): ProcessId[] {
    const front = new Set(members.slice(0, 1).map(({ pid }) => pid));
    for (let grew = true; grew; ) {
      grew = false;
      for (const { pid } of members) {
        const parent = processStat(pid)?.ppid ?? 0;
        if (front.has(pid) || !front.has(parent) || !isShell(parent)) continue;
        front.add(pid);
        grew = true;
      }
    }
    return members.filter(({ pid }) => front.has(pid));
  }

  #afterMain(): void {
    // The terminal's Ctrl-C reaches no job that a shell has put into the background: it made them ignore it.
    const { run, signal } = this.#options;
    for (const id of run.members()) {
      if (!this.#told.has(keyOf(id))) continue;
      if (ignores(id.pid, signal)) this.#send(id, 'SIGTERM');
    }
    this.#tell(run.members());
    this.#lookAgain(0);
  }

  /** Whoever hasn't been told is. Ctrl-C may have been a signal to this process alone; and those who ignore it don't ignore TERM as a rule. */
  #urge(): void {
    const members = this.#options.run.members();
    if (this.#options.isTold) for (const id of members) this.#send(id, 'SIGTERM');
    this.#tell(members);
  }

  /** Each once. A stopped program could not act on it. */
  #tell(members: readonly ProcessId[]): void {
    const { signal, detail } = this.#options;
    const fresh = members.filter((id) => !this.#told.has(keyOf(id)));
    for (const id of fresh) {
      this.#told.add(keyOf(id));
      detail(`${signal} to pid ${id.pid} (${processLine(id.pid) ?? 'gone'})`);
      this.#send(id, signalNumber(signal) ?? 15);
      this.#send(id, 'SIGCONT');
    }
  }

  #send(id: ProcessId, signal: NodeJS.Signals | number): void {
    try {
      signalProcess(id, signal);
    } catch (error) {
      this.#options.say(`no signal can be sent to pid ${id.pid}: ${(error as Error).message}`);
    }
  }

  #giveUp(): void {
    const { run, timeoutMs, say } = this.#options;
    const members = run.members();
    if (members.length > 0) say(`not ended after ${timeoutMs / 1000} s, killed: ${describe(members)}`);
    this.kill();
  }

  #sayStuck(): void {
    this.#options.say(`still there after SIGKILL: ${describe(this.#options.run.members())}`);
  }

  #lookAgain(ms: number): void {
    if (this.#look !== null) clearTimeout(this.#look);
    this.#look = setTimeout(() => {
      if (this.#options.run.isGone()) {
        this.abandon();
        this.#options.onGone();
        return;
      }
      if (!this.#isKilled && this.#options.run.exit !== null) this.#tell(this.#options.run.members());
      this.#lookAgain(Math.min(lastLookMs, Math.max(firstLookMs, ms * 2)));
    }, ms);
  }
}

const keyOf = ({ pid, startTicks }: ProcessId): string => `${pid}:${startTicks}`;
const isInOwnGroup = (pid: number): boolean => readProcess(pid)?.pgid === readProcess(process.pid)?.pgid;
const isShell = (pid: number): boolean =>
  shells.has(basename((processLine(pid) ?? '').split(' ')[0]!.replace(/^-/, '')));

function ignores(pid: number, signal: string): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return (BigInt(`0x${mask}`) & (1n << BigInt((signalNumber(signal) ?? 1) - 1))) !== 0n;
  } catch {
    return false;
  }
}

export const describe = (members: readonly ProcessId[]): string =>
  members.map(({ pid }) => `pid ${pid} (${processLine(pid) ?? 'gone'})`).join(', ');

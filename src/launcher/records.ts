/**
 * Run and exit records: empty files in a run directory whose names say it (docs/launcher-contract.md).
 *
 *   claim                        made with O_EXCL: by the program-to-be, or by who wants the run never to happen
 *   run.PID.START.LPID.LSTART    the program runs or ran
 *   exit.STATUS.UPTIME           it ended: the shell's $?, and when, in seconds since boot
 *   note                         what the shell said of its end
 *   from.OUT.ERR                 made by the daemon before the launcher: how long the logs were when the run began
 *   main.PID.START               made by the daemon: the program put itself in the background, and this process is the main one now
 */
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../host/files.ts';
import type { ProcessId } from '../host/process.ts';
import { signalName } from '../host/signals.ts';

export interface RunRecord {
  readonly claimed: boolean;
  readonly program: ProcessId | null;
  readonly launcher: ProcessId | null;
  readonly exit: null | { readonly status: number; readonly uptimeMs: number };
  /** What the program left in its place when it put itself in the background. */
  readonly successor: ProcessId | null;
}

/** How a run ended. Both null: it can't be known (its launcher was killed). */
export interface ExitFacts {
  readonly code: number | null;
  readonly signal: string | null;
  readonly coreDumped: boolean;
  /** Status 130 or 141: shells say nothing of SIGINT and SIGPIPE, so `code` and `signal` are both given. */
  readonly ambiguous: boolean;
}

export const unknownExit: ExitFacts = { code: null, signal: null, coreDumped: false, ambiguous: false };

const nothing: RunRecord = { claimed: false, program: null, launcher: null, exit: null, successor: null };

/** What a run directory tells; everything absent if there is no such directory. */
export function readRun(directory: string): RunRecord {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return nothing;
    throw error;
  }
  return parseRun(names);
}

export function parseRun(names: readonly string[]): RunRecord {
  let { claimed, program, launcher, exit, successor } = nothing;
  for (const name of names) {
    const run = /^run\.(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(name);
    const main = /^main\.(\d+)\.(\d+)$/.exec(name);
    const end = /^exit\.(\d{1,3})\.(\d+(?:\.\d+)?)$/.exec(name);
    if (name === 'claim') claimed = true;
    else if (main) successor = { pid: Number(main[1]), startTicks: Number(main[2]) };
    else if (run) {
      program = { pid: Number(run[1]), startTicks: Number(run[2]) };
      launcher = { pid: Number(run[3]), startTicks: Number(run[4]) };
    } else if (end) exit = { status: Number(end[1]), uptimeMs: Math.round(Number(end[2]) * 1000) };
  }
  return { claimed, program, launcher, exit, successor };
}

/** Makes a run that has not happened yet never happen. False: it is claimed already, by its program or by another fence. */
export function fenceRun(directory: string): boolean {
  try {
    closeSync(openSync(join(directory, 'claim'), 'wx', 0o600));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Puts on record which process took the program's place. */
export function recordSuccessor(directory: string, { pid, startTicks }: ProcessId): void {
  closeSync(openSync(join(directory, `main.${pid}.${startTicks}`), 'w', 0o600));
}

/** How long the logs were when a run began, in bytes. */
export interface LogStart {
  readonly out: number;
  readonly err: number;
}

export function recordLogStart(directory: string, { out, err }: LogStart): void {
  closeSync(openSync(join(directory, `from.${out}.${err}`), 'w', 0o600));
}

/** Zeros where that is not on record. */
export function readLogStart(directory: string): LogStart {
  try {
    const record = readdirSync(directory).map((name) => /^from\.(\d+)\.(\d+)$/.exec(name));
    const found = record.find((match) => match !== null);
    return found ? { out: Number(found[1]), err: Number(found[2]) } : { out: 0, err: 0 };
  } catch {
    return { out: 0, err: 0 };
  }
}

/** What the shell said while it waited, at most 4 KB of it. */
export function readNote(directory: string): string {
  try {
    return readFileSync(join(directory, 'note')).subarray(0, 4096).toString('utf8').trim();
  } catch {
    return '';
  }
}

/** When the exit was recorded, in milliseconds since the epoch; null if unknown. */
export function exitRecordedAt(directory: string): number | null {
  try {
    const name = readdirSync(directory).find((entry) => entry.startsWith('exit.'));
    return name === undefined ? null : statSync(join(directory, name)).mtimeMs;
  } catch {
    return null;
  }
}

/**
 * Tells an exit code from a death by signal. Both give a status over 128 in a shell; but of a death it says so on stderr, in `note`
 * ("Killed", "Segmentation fault (core dumped)"), except for INT and PIPE, of which every shell is silent.
 */
export function describeStatus(status: number, note: string): ExitFacts {
  const number = status - 128;
  if (number < 1 || number > 64) return { ...unknownExit, code: status };
  if (note !== '')
    return { code: null, signal: signalName(number), coreDumped: note.includes('(core dumped)'), ambiguous: false };
  if (number === 2 || number === 13)
    return { code: status, signal: signalName(number), coreDumped: false, ambiguous: true };
  return { ...unknownExit, code: status };
}

import { isoTime, wallMs } from '../host/clock.ts';
import { ticksPerSecond } from '../host/process.ts';
import { describeStatus, exitRecordedAt, type RunRecord, readNote, unknownExit } from '../launcher/records.ts';
import { exitInWords } from '../lifecycle/words.ts';
import type { ExitView } from '../protocol/api.ts';

export interface EndedRun {
  readonly run: number;
  readonly record: RunRecord;
  /** Null: its launcher was killed before it could tell. */
  readonly status: number | null;
  /** Why stead ended it. */
  readonly cause: string | null;
  /** What is known of the kernel's OOM killer, to be put behind a SIGKILL; empty where it had no hand in it. */
  readonly oom: string;
}

/** The end of a run from its records. */
export function exitOfRecord(directory: string, { run, record, status, cause, oom }: EndedRun): ExitView {
  const facts = status === null ? unknownExit : describeStatus(status, readNote(directory));
  const { program, exit } = record;
  // Both count from boot: the kernel's start time in ticks, the record's in hundredths of a second.
  const upMs = program && exit ? Math.max(0, exit.uptimeMs - (program.startTicks * 1000) / ticksPerSecond) : null;
  return {
    at: isoTime(exitRecordedAt(directory) ?? wallMs()),
    run,
    pid: program?.pid ?? null,
    ...facts,
    upMs,
    reason: exitInWords(facts) + (facts.coreDumped ? ' (core dumped)' : '') + (facts.signal === 'SIGKILL' ? oom : ''),
    cause,
  };
}

/** Why a launcher gave up before its program ran, from what its shell said. */
export function unknownAt(directory: string): string {
  const note = readNote(directory).replace(/^.*launcher\.sh: (?:line )?\d+: /gm, '');
  return note === ''
    ? 'the launcher ended before the program ran'
    : `the launcher could not start it: ${note.split('\n')[0]}`;
}

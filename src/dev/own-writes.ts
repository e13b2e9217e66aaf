/**
 * Changes that the program makes itself: its log, its database, a file that it generates. Each would restart it, and it would make the next one. The kernel doesn't tell who
 * wrote a file, so it is taken for the program's if one of its processes has it open for writing; or if it changed soon after the start, or as long after it as the time before,
 * while the program's processes have written to a disk, and at least as much as the changed files hold. After some such restarts in a row, one upon the other, these files are
 * left out, and with one that was new all that are new beside it with its extension: it may have another name each time.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import type { ProcessId } from '../host/process.ts';
import { type Evidence, evidenceOf, quietly } from '../metrics/writers.ts';
import { clockSlackMs } from '../watch/known.ts';
import type { Change } from './step.ts';

/** Restarts for its own sake, before it is left alone. */
export const mostOwnRestarts = 5;
/** What a program generates at its start, it does soon. */
const soonMs = 5000;
/** What a timer of its own makes it write comes as long after each start: as long but for this share, and at most so much. */
const lateShare = 0.1;
const lateMs = 1000;

export interface Writer {
  /** All processes of the run, alive. */
  members(): readonly ProcessId[];
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
}

export interface Verdict {
  /** It is no reason for a restart. */
  readonly isLeftOut: boolean;
  /** Files that are left out from now on. */
  readonly fresh: readonly string[];
}

const counts: Verdict = { isLeftOut: false, fresh: [] };
const leftOut: Verdict = { isLeftOut: true, fresh: [] };

/** A change that was the program's own, or seemed so. */
interface Own {
  /** Since the start of the run. */
  readonly ageMs: number;
  /** The paths, and of what is new the place. */
  readonly names: readonly string[];
}

/** What the present run has written when one of its changes was last left out. */
interface Before {
  readonly beganAt: number;
  readonly written: number;
}

export class OwnWrites {
  readonly #cwd: string;
  /** By path, and by place (`dir/*.json`) for what is new there: how long after a start it changed when it came to be left out. */
  readonly #learned = new Map<string, number>();
  #inRow = 0;
  #last: Own | null = null;
  #before: Before = { beganAt: Number.NaN, written: 0 };

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  /** `at`: when it began, in milliseconds since the epoch. `writer` null: nothing runs. */
  judge({ paths }: Change, at: number, writer: Writer | null): Verdict {
    if (writer === null) return counts;
    const learned = paths.map((path) => this.#learnedOf(path, writer));
    const isLearned = learned.every((ageMs) => ageMs !== null);
    // Of the run before this one: it says nothing about this one.
    if (at < writer.beganAt) return isLearned ? leftOut : counts;
    const evidence = evidenceOf(
      paths.map((path) => this.#realOf(path)),
      writer.members(),
    );
    const names = paths.flatMap((path) => (this.#isNew(path, writer) ? [path, placeOf(path)] : [path]));
    const own = { ageMs: at - writer.beganAt, names };
    const isAgain = isLearned && this.#isOwnAgain(learned, { own, evidence, writer });
    if (!isAgain && this.#count(own, evidence) <= mostOwnRestarts) return counts;
    this.#before = { beganAt: writer.beganAt, written: evidence.written };
    return isAgain ? leftOut : { ...leftOut, fresh: this.#learn(paths, own, writer) };
  }

  /** What is left out is so only while it is the program's own: soon, as late as always, or again in one run, with as much written meanwhile. */
  #isOwnAgain(learned: readonly number[], { own, evidence, writer }: Asked): boolean {
    if (isSoon(own, evidence)) return true;
    if (!hasWritten(evidence)) return false;
    const since = this.#before.beganAt === writer.beganAt ? evidence.written - this.#before.written : 0;
    return learned.every((ageMs) => isAsLate(own.ageMs, ageMs)) || (since > 0 && since >= evidence.size);
  }

  /** How many in a row. One that comes late may be the first of many. */
  #count(own: Own, evidence: Evidence): number {
    const isOwn = isSoon(own, evidence) || hasWritten(evidence);
    const goesOn = isSoon(own, evidence) || (isOwn && this.#isAsBefore(own));
    this.#last = isOwn ? own : null;
    this.#inRow = goesOn ? this.#inRow + 1 : isOwn ? 1 : 0;
    return this.#inRow;
  }

  #isAsBefore({ ageMs, names }: Own): boolean {
    const last = this.#last;
    return last !== null && isAsLate(ageMs, last.ageMs) && names.some((name) => last.names.includes(name));
  }

  /** Gives those that are left out from now on. */
  #learn(paths: readonly string[], { ageMs, names }: Own, writer: Writer): string[] {
    const fresh = paths.filter((path) => this.#learnedOf(path, writer) === null);
    for (const name of names) this.#learned.set(name, ageMs);
    return fresh;
  }

  #learnedOf(path: string, writer: Writer): number | null {
    const ofPath = this.#learned.get(path);
    if (ofPath !== undefined) return ofPath;
    const ofPlace = this.#learned.get(placeOf(path));
    return ofPlace !== undefined && this.#isNew(path, writer) ? ofPlace : null;
  }

  /** Made by this run; or gone, as those of the runs before may be. */
  #isNew(path: string, { beganAt }: Writer): boolean {
    const stats = quietly(() => statSync(resolve(this.#cwd, path), { throwIfNoEntry: false }), undefined);
    // Some file systems keep no time of birth.
    return stats === undefined || (stats.birthtimeMs || stats.ctimeMs) >= beganAt - clockSlackMs;
  }

  #realOf(path: string): string {
    const full = resolve(this.#cwd, path);
    return quietly(() => realpathSync(full), full);
  }
}

interface Asked {
  readonly own: Own;
  readonly evidence: Evidence;
  readonly writer: Writer;
}

/** All files beside one with its extension. */
const placeOf = (path: string): string => `${dirname(path)}/*${extname(path)}`;

const hasWritten = ({ written, size }: Evidence): boolean => written > 0 && written >= size;

const isSoon = ({ ageMs }: Own, evidence: Evidence): boolean =>
  evidence.isOpen || (hasWritten(evidence) && ageMs <= soonMs);

const isAsLate = (ageMs: number, before: number): boolean =>
  Math.abs(ageMs - before) <= Math.min(lateMs, ageMs * lateShare);

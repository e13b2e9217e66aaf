/**
 * Notices what happens to one run, from its records alone: so it is the same for a run that this daemon launched and for one that it found.
 *
 * Until the program is on record, the run directory is watched. Then only the launcher is: the end of a pipe that it holds open (or, for an own
 * child, SIGCHLD) says that it is gone, and an exit record says how the program ended. A launcher that is gone without one was killed: its program,
 * if it lives, is looked at once a second, and its exit code will never be known.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, constants, type FSWatcher, fstatSync, openSync, readdirSync, readFileSync, watch } from 'node:fs';
import { Socket } from 'node:net';
import { isScarce } from '../host/fds.ts';
import { errnoOf } from '../host/files.ts';
import { isAlive, type ProcessId } from '../host/process.ts';
import { fenceRun, type RunRecord, readRun } from './records.ts';

/** How often the program of a killed launcher is looked at: nothing tells of its end. */
const orphanLookMs = 1000;
/** A claim without a run record: the program-to-be is between two system calls, or was killed there. */
const claimPatienceMs = 1000;
/** Open files that launchers' pipes leave to all else, clients and what a daemon opens later among it: what has no pipe is looked at instead. */
const reservedFds = 40;

export interface RunEvents {
  /** The program is on record as running. */
  launched(program: ProcessId, launcher: ProcessId): void;
  /** The run never happened and never will. */
  never(): void;
  /** The main program ended; `status` is null if its launcher was killed before it could tell. */
  ended(record: RunRecord, status: number | null): void;
}

export class RunWatch {
  #directory: string;
  readonly #events: RunEvents;
  #directoryWatch: FSWatcher | null = null;
  #pipe: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #launched = false;
  #done = false;
  /** The launcher is done, and a process that the program left is looked at instead. */
  #isFollowing = false;
  #child: ChildProcess | null = null;

  /** Give the child as soon as it is spawned; null for a run that was found. */
  constructor(directory: string, events: RunEvents) {
    this.#directory = directory;
    this.#events = events;
  }

  /** Before the launcher is spawned, so that nothing is missed. */
  watchDirectory(): void {
    try {
      this.#directoryWatch = watch(this.#directory, { persistent: false }, () => this.look());
      this.#directoryWatch.on('error', () => this.#closeDirectoryWatch());
    } catch {
      // No inotify instance or watch to be had: the launcher's end and this look every 10 ms say the same.
      this.#timer = setInterval(() => this.look(), 10);
    }
  }

  own(child: ChildProcess): void {
    this.#child = child;
    // It comes once; `once` would keep three objects more.
    child.on('exit', () => {
      this.#child = null;
      this.#launcherGone();
    });
  }

  /** Takes over a run that another daemon launched. */
  adopt(): void {
    this.look();
    if (this.#done || this.#launched) return;
    this.watchDirectory();
    this.look();
    // A launcher that never gets so far, as its daemon died with the spawn under way, leaves nothing to notice.
    if (!this.#done && !this.#launched) this.#later(claimPatienceMs, () => this.#launcherGone());
  }

  /** Its directory has another path now. */
  movedTo(directory: string): void {
    this.#directory = directory;
  }

  close(): void {
    this.#done = true;
    this.#closeDirectoryWatch();
    this.#pipe?.destroy();
    this.#pipe = null;
    if (this.#timer) clearTimeout(this.#timer);
    this.#child?.removeAllListeners();
    this.#child = null;
  }

  /** Reads the records and says what is new in them. */
  look(): void {
    if (this.#done || this.#isFollowing) return;
    const record = readRun(this.#directory);
    if (record.program && record.launcher && !this.#launched) {
      this.#launched = true;
      this.#closeDirectoryWatch();
      if (this.#timer) clearTimeout(this.#timer);
      this.#events.launched(record.successor ?? record.program, record.launcher);
      if (this.#done) return;
      if (record.exit === null && record.successor === null && this.#child === null) this.#watchLauncher(record);
    }
    if (record.successor !== null) this.follow(record.successor);
    else if (record.exit !== null) this.#finish(record);
  }

  /** The program ended and left this process in its place. */
  follow(successor: ProcessId): void {
    this.#done = false;
    this.#isFollowing = true;
    this.#watchOrphan(successor);
  }

  #finish(record: RunRecord): void {
    if (this.#done) return;
    this.close();
    if (record.program === null) this.#events.never();
    else this.#events.ended(record, record.successor === null ? (record.exit?.status ?? null) : null);
  }

  /** Both ends of the pipe on its fd 0 are the launcher's alone, so its end is the launcher's. */
  #watchLauncher(record: RunRecord): void {
    const fd = openLauncherPipe(record.launcher!);
    if (fd === null) {
      this.#launcherUnwatched(record);
      return;
    }
    this.#pipe = new Socket({ fd, readable: true, writable: false });
    this.#pipe.on('error', () => {});
    this.#pipe.once('close', () => this.#launcherGone());
    this.#pipe.resume();
  }

  #launcherUnwatched(record: RunRecord): void {
    if (!isAlive(record.launcher!)) this.#launcherGone();
    else
      this.#later(orphanLookMs, () => {
        this.look();
        if (!this.#done) this.#launcherUnwatched(record);
      });
  }

  /** No exit record can come any more, except one that is there already. */
  #launcherGone(): void {
    if (this.#done) return;
    this.look();
    if (this.#done || this.#isFollowing) return;
    const record = readRun(this.#directory);
    if (record.program === null) this.#neverOrLater(record);
    else this.#watchOrphan(record.program);
  }

  #watchOrphan(program: ProcessId): void {
    if (isAlive(program)) this.#later(orphanLookMs, () => this.#watchOrphan(program));
    else this.#finish(readRun(this.#directory));
  }

  #neverOrLater(record: RunRecord, waited = 0): void {
    if (!record.claimed && fence(this.#directory)) {
      this.#finish(readRun(this.#directory));
      return;
    }
    if (waited >= claimPatienceMs && !isClaimantAlive(this.#directory)) {
      this.#finish(readRun(this.#directory));
      return;
    }
    this.#later(50, () => {
      this.look();
      if (this.#done) return;
      const now = readRun(this.#directory);
      if (now.program === null) this.#neverOrLater(now, waited + 50);
      else this.#watchOrphan(now.program);
    });
  }

  #later(ms: number, then: () => void): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #closeDirectoryWatch(): void {
    this.#directoryWatch?.close();
    this.#directoryWatch = null;
  }
}

function fence(directory: string): boolean {
  try {
    return fenceRun(directory);
  } catch (error) {
    // No directory, no run.
    return errnoOf(error) === 'ENOENT';
  }
}

/** The read end of the launcher's pipe, or null: it is gone, it is another process now, or its fd 0 is no pipe. */
function openLauncherPipe(launcher: ProcessId): number | null {
  if (!isAlive(launcher)) return null;
  let fd: number;
  try {
    fd = openSync(`/proc/${launcher.pid}/fd/0`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  if (!isScarce(reservedFds) && fstatSync(fd).isFIFO() && isAlive(launcher)) return fd;
  closeSync(fd);
  return null;
}

/** Whether some process was started for this run directory and may still become its program. */
function isClaimantAlive(directory: string): boolean {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').includes(directory)) return true;
    } catch {
      // Gone meanwhile.
    }
  }
  return false;
}

/**
 * The output of one run: from the terminal's master into the FIFO `output`, from there into the log, by splices. So every byte is in one of the three at any instant, and
 * a SIGKILL of this process loses none: another one opens FIFO and log again and goes on. What is read here is read back from the log.
 *
 * The log is written at this open file's own offset, which begins at the file's end (splice refuses files that are opened for appending). So nothing else may append to it,
 * and offsets stay what they are when its head is punched out.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBytes } from '../../host/bytes.ts';
import { errnoOf } from '../../host/files.ts';
import { mkfifo, nextData, seekToEnd } from '../../host/native.ts';
import { splice } from '../../host/pty.ts';
import { setNonblock } from '../../host/socket-calls.ts';

/** A tty gives 4 KB a call at most; a pipe holds 16 such pieces. */
const pieceBytes = 64 * 1024;
const drainBytes = 1024 * 1024;

export interface RunPlaces {
  readonly runDirectory: string;
  readonly log: string;
  /** Of a run that goes on: its terminal's master, this object's from now on. */
  readonly master: number | null;
}

export class RunOutput {
  readonly master: number | null;
  /** By it the run's directory is reached after it was renamed. */
  readonly directory: number;
  readonly #fifo: number | null;
  readonly #log: number;
  #end: number;
  #isOver: boolean;
  #failure: string | null = null;
  #isOpen = true;

  /** Throws the system's errors; `master` is closed then. */
  constructor({ runDirectory, log, master }: RunPlaces) {
    const opened: number[] = master === null ? [] : [master];
    const keep = (fd: number) => {
      opened.push(fd);
      return fd;
    };
    try {
      this.master = master;
      this.directory = keep(openSync(encodeBytes(runDirectory), constants.O_RDONLY | constants.O_DIRECTORY));
      this.#fifo = master === null ? null : keep(openFifo(this.directory));
      const access = master === null ? constants.O_RDONLY : constants.O_RDWR;
      this.#log = keep(openSync(encodeBytes(log), access | constants.O_NOFOLLOW));
      this.#end = seekToEnd(this.#log);
      this.#isOver = master === null;
      if (master !== null) setNonblock(master, true);
    } catch (error) {
      for (const fd of opened) closeSync(fd);
      throw error;
    }
  }

  /** The offset in the log up to which all is there. */
  get end(): number {
    return this.#end;
  }

  /** Nobody has the terminal open any more, and all is in the log. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why the log takes nothing now (ENOSPC …); what came waits in the FIFO, and the program in its write. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Moves what is there, until nothing is or `most` bytes have gone. Gives how many. */
  move(most: number): number {
    let moved = 0;
    for (let last = -1; this.#isOpen && moved < most && last !== 0 && this.#fifo !== null; moved += last) {
      const isOver = this.#fill();
      last = this.#drain();
      // Not for good: whoever knows the terminal's path may open it again.
      this.#isOver = isOver && last === 0 && this.#failure === null;
    }
    return moved;
  }

  /**
   * Reads back from an offset, as far as there is something. Where that was punched out, or the file is shorter now, it goes on at `at`, behind.
   */
  read(buffer: Buffer, offset: number): { readonly at: number; readonly bytes: number } {
    const length = Math.min(buffer.length, this.#end - offset);
    if (length <= 0) return { at: offset, bytes: 0 };
    const bytes = readSync(this.#log, buffer, 0, length, offset);
    if (bytes === 0) return { at: this.#end, bytes: 0 };
    if (buffer[0] !== 0) return { at: offset, bytes };
    const data = nextData(this.#log, offset);
    if (data <= offset) return { at: offset, bytes };
    const at = Math.min(data, this.#end);
    return { at, bytes: readSync(this.#log, buffer, 0, Math.min(buffer.length, this.#end - at), at) };
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const fd of [this.master, this.#fifo, this.#log, this.directory]) if (fd !== null) closeSync(fd);
  }

  /** From the terminal into the FIFO, until either can't. True at the end. */
  #fill(): boolean {
    try {
      for (;;) {
        const moved = splice(this.master!, this.#fifo!, pieceBytes);
        if (moved === null) return false;
        if (moved === 0) return true;
      }
    } catch (error) {
      if (errnoOf(error) === 'EIO') return true;
      throw error;
    }
  }

  #drain(): number {
    const before = this.#end;
    try {
      for (;;) {
        const moved = splice(this.#fifo!, this.#log, drainBytes);
        if (moved === null || moved === 0) break;
        this.#end += moved;
      }
      this.#failure = null;
    } catch (error) {
      this.#failure = errnoOf(error);
      if (this.#failure === '') throw error;
    }
    return this.#end - before;
  }
}

/** Opened for both reading and writing, so that opening never waits and reading never ends. */
function openFifo(directory: number): number {
  const path = `/proc/self/fd/${directory}/output`;
  const flags = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const fd = openOrMake(path, flags);
  if (fstatSync(fd).isFIFO()) return fd;
  closeSync(fd);
  throw Object.assign(new Error(`${join('RUN_DIRECTORY', 'output')} is no FIFO`), { code: 'EINVAL' });
}

function openOrMake(path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    mkfifo(path, 0o600);
    return openSync(path, flags);
  }
}

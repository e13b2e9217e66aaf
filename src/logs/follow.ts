/**
 * Follows logs as they grow, over rotations. Nobody keeps a watch on a file that is being written: the kernel would queue an event per write, which cuts
 * the writer's speed to a third. So while bytes come, they are read every 10 ms without any watch; once a file is quiet, a watch
 * is armed, the file is looked at once more (what came in between is seen), and the first event closes the watch again.
 *
 * What was rotated away before it was read is read from the archives. A file that shrank was truncated: reading goes on at its start. A path that leads to
 * another file was replaced: the old one is read to its end first. A file that isn't there (yet) is waited for through its directory. Files are
 * read side by side, but the writer is called for one chunk at a time, and the next is only read when it has resolved.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogPlace } from './layout.ts';
import { Log } from './log.ts';
import { wakeOn } from './wake.ts';

export interface FollowedLog {
  readonly place: LogPlace;
  /** Where to begin. */
  readonly from: number;
  readonly write: (chunk: Uint8Array, offset: number) => void | Promise<void>;
  /** So many bytes were gone before they were read: rotated away, or cut off by somebody. */
  readonly missed?: (bytes: number) => void;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** When aborted, still write what the files hold at that moment. */
  readonly drain?: boolean;
}

/** Long enough that a writer doesn't notice us, short enough for who reads along. */
const restMs = 10;
const chunkBytes = 256 * 1024;

/** Writes what is appended to logs until aborted, then resolves. Throws what a writer throws, or the system's error. */
export async function followLogs(
  logs: readonly FollowedLog[],
  { signal, drain = false }: FollowOptions,
): Promise<void> {
  const inTurn = turns();
  const followers = logs.map(
    ({ place, from, write, missed }) =>
      new Follower(place, from, (chunk, at) => inTurn(() => write(chunk, at)), missed),
  );
  const endAll = () => {
    for (const follower of followers) follower.end();
  };
  signal.addEventListener('abort', endAll);
  if (signal.aborted) endAll();
  const follow = async (follower: Follower) => {
    try {
      await follower.run();
      if (drain && signal.aborted) await follower.readNew();
    } catch (error) {
      endAll();
      throw error;
    } finally {
      await follower.close();
    }
  };
  const results = await Promise.allSettled(followers.map(follow));
  signal.removeEventListener('abort', endAll);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

/** Runs one task after the other. */
function turns(): (task: () => void | Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (task) => {
    const next = last.then(task);
    last = next.catch(() => {});
    return next;
  };
}

class Follower {
  readonly #place: LogPlace;
  readonly #write: FollowedLog['write'];
  readonly #missed: NonNullable<FollowedLog['missed']>;
  #offset: number;
  #log: Log | null = null;
  /** One for each log: an AbortSignal warns of more than ten listeners. */
  readonly #ended = new AbortController();

  constructor(place: LogPlace, from: number, write: FollowedLog['write'], missed: FollowedLog['missed'] = () => {}) {
    this.#missed = missed;
    this.#place = place;
    this.#offset = from;
    this.#write = write;
  }

  end(): void {
    this.#ended.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      if (!(await this.readNew())) await this.#wait(signal);
      await rest(signal);
    }
  }

  /** Writes what is new as of now; false if nothing is. */
  async readNew(): Promise<boolean> {
    this.#log ??= await Log.open(this.#place);
    const log = this.#log;
    const hadNew = await this.#readAll(log);
    if (!(await log.isReplaced())) return hadNew;
    // What its writer still appends to the old one until now belongs before the new one's.
    const hadMore = await this.#readAll(log);
    if (!(await log.takeReplacement())) return hadNew || hadMore;
    this.#offset = log.fileStart;
    return true;
  }

  async close(): Promise<void> {
    await this.#log?.close();
    this.#log = null;
  }

  async #readAll(log: Log): Promise<boolean> {
    let hadNew = false;
    this.#offset = await log.refresh(this.#offset);
    const { end } = log;
    for (
      let chunk = await log.read(this.#offset, chunkBytes);
      chunk;
      chunk = await log.read(this.#offset, chunkBytes)
    ) {
      if (chunk.offset > this.#offset && hadAny(this.#offset)) this.#missed(chunk.offset - this.#offset);
      hadNew = true;
      await this.#write(chunk.bytes, chunk.offset);
      this.#offset = chunk.offset + chunk.bytes.length;
      if (this.#offset >= end) break;
    }
    return hadNew;
  }

  /** Until something happens to the file: on its path, or in its directory while it isn't there. */
  async #wait(signal: AbortSignal): Promise<void> {
    const wake = wakeOn(this.#place.file);
    signal.addEventListener('abort', wake.close);
    try {
      if (!signal.aborted && !(await this.readNew())) await wake.happened;
    } finally {
      signal.removeEventListener('abort', wake.close);
      wake.close();
    }
  }
}

/** Who begins at 0 takes what there is. */
const hadAny = (offset: number): boolean => offset > 0;

const rest = (signal: AbortSignal) => sleep(restMs, undefined, { signal }).catch(() => {});

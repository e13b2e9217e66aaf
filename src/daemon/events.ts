/**
 * What happened, in order: kept in `events.jsonl` (and, when that is full, in the one before it), followed over the API, and handed to hooks. An event's id grows
 * by one, also over restarts of the daemon, so that a follower that was away resumes after the last id that it saw. Not fsynced: it is a record, not a
 * promise.
 */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime, wallMs } from '../host/clock.ts';
import { readIfThere } from '../host/files.ts';
import type { Happening } from '../lifecycle/happenings.ts';
import type { EventView } from '../protocol/api.ts';
import { runHook } from './hooks.ts';
import type { Instance } from './instance.ts';

const mostBytes = 1024 * 1024;

export class Events {
  readonly #home: string;
  readonly #log: (line: string) => void;
  readonly #followers = new Set<(event: EventView) => void>();
  #lastId: number;
  #bytes: number;

  constructor(home: string, log: (line: string) => void) {
    this.#home = home;
    this.#log = log;
    this.#lastId = this.since(0).at(-1)?.id ?? 0;
    this.#bytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** 0: nothing has happened yet. */
  get lastId(): number {
    return this.#lastId;
  }

  get #path(): string {
    return join(this.#home, 'events.jsonl');
  }

  add(instance: Instance, { type, run, reason }: Happening): void {
    const { app, index } = instance;
    const exit = type === 'exit' && instance.lastExit !== null ? instance.lastExit : null;
    const event: EventView = {
      id: ++this.#lastId,
      at: isoTime(wallMs()),
      type,
      app: app.name,
      index,
      run,
      pid: instance.program?.pid ?? null,
      state: instance.model.state.name,
      reason: reason === '' ? null : reason,
      by: type === 'start' || type === 'stop' || type === 'delete' ? instance.by : null,
      code: exit?.code ?? null,
      signal: exit?.signal ?? null,
    };
    this.#keep(event);
    for (const follower of [...this.#followers]) follower(event);
    runHook(instance, event);
  }

  /** Those that are kept with an id over this, oldest first. */
  since(id: number): EventView[] {
    const text = [`${this.#path}.1`, this.#path].map((path) => safely(() => readIfThere(path)) ?? '').join('');
    return text.split('\n').flatMap((line) => {
      const event = safely(() => JSON.parse(line) as EventView);
      return event !== null && typeof event?.id === 'number' && event.id > id ? [event] : [];
    });
  }

  /** Called with each event from now on, until the returned function is. */
  follow(follower: (event: EventView) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #keep(event: EventView): void {
    const line = `${JSON.stringify(event)}\n`;
    try {
      if (this.#bytes > mostBytes) {
        renameSync(this.#path, `${this.#path}.1`);
        this.#bytes = 0;
      }
      appendFileSync(this.#path, line, { mode: 0o600 });
      this.#bytes += Buffer.byteLength(line);
    } catch (error) {
      this.#log(`event not kept: ${(error as Error).message}`);
    }
  }
}

function safely<T>(get: () => T): T | null {
  try {
    return get();
  } catch {
    return null;
  }
}

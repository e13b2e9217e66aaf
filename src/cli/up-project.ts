/** A config in the foreground, as `up` and `stead-pm2-runtime` have it: applied, shown, and ended with whoever asks for it; as PID 1 of a container, too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { act } from '../client/act.ts';
import { isInit, type OwnDaemon, startOwnDaemon } from '../client/as-init.ts';
import { whoAsks } from '../client/caller.ts';
import type { LoadedConfig } from '../client/config/load-config.ts';
import { request } from '../client/http.ts';
import { isBrokenOff } from '../client/unreachable.ts';
import { waitForEnd } from '../client/wait-for-end.ts';
import { escapeControls } from '../host/bytes.ts';
import type { ApplyResponse, WaitResponse } from '../protocol/api.ts';
import { exitCodeOf, SteadError } from '../protocol/errors.ts';
import { apply, tellAppliedShortly } from './apply-config.ts';
import { followProject, type LineForm } from './follow-project.ts';
import { OutputClosed, say } from './output.ts';
import { programExit } from './program-exit.ts';

export interface UpOptions {
  readonly isPruned: boolean;
  /** Some of its apps. */
  readonly isPartial: boolean;
  /** Goes on when nothing runs any more, until a signal comes. */
  readonly staysUp?: boolean;
  /** Says only what went wrong. */
  readonly isQuiet?: boolean;
  /** Before anything is started. */
  readonly delayMs?: number;
  readonly form?: LineForm;
}

/** Resolves with the exit code when nothing of it runs any more. */
export async function upProject(home: string, config: LoadedConfig, options: UpOptions): Promise<number> {
  // Asked quietly: before the first apply there is no daemon, and nothing to be told of that.
  const read = async () => (await request(home, 'list')).filter(({ file }) => file === config.file);
  const ending = new Ending(home, async () => (await read().catch(() => [])).map(({ name }) => name));
  let own: OwnDaemon | null = null;
  try {
    await ending.orAfter(options.delayMs ?? 0);
    if (ending.wasAsked) return 0;
    if (isInit()) own = await startOwnDaemon(home, say);
    const shown = new AbortController();
    const { ended } = await followProject({
      home,
      names: config.apps.flatMap(({ options: { name } }) => name ?? []),
      read,
      signal: shown.signal,
      ...(options.form !== undefined && { form: options.form }),
    });
    const closed = ended.then(() => new Promise<never>(() => {}));
    const names = await begin({ home, config, options, ending, closed });
    const results = await Promise.race([untilOver(home, names), closed]);
    if (options.staysUp === true) await Promise.race([ending.asked, closed]);
    await ending.over();
    shown.abort();
    await ended;
    return ending.wasAsked ? ending.code : lastCode(results);
  } catch (error) {
    // Who read along went away: with nobody to show it to, this is over, and what runs with it.
    if (error instanceof OutputClosed) await ending.ask();
    throw error;
  } finally {
    ending.close();
    await endOwn(home, own);
  }
}

interface Begun {
  readonly home: string;
  readonly config: LoadedConfig;
  readonly options: UpOptions;
  readonly ending: Ending;
  /** Rejects when who reads along is gone. */
  readonly closed: Promise<never>;
}

/** Applies it, and says so; the names of what there is. */
async function begin({ home, config, options, ending, closed }: Begun): Promise<readonly string[]> {
  const { isPruned, isPartial, isQuiet = false } = options;
  // A signal may come while they wait for each other.
  const applied = apply(home, config, { isPruned, isPartial, isDryRun: false, isAwaited: false });
  const all = ({ apps }: ApplyResponse) => apps.map(({ name }) => name);
  const answer = await Promise.race([
    applied,
    closed.catch(async (error) => {
      ending.knows(all(await applied));
      throw error;
    }),
  ]);
  const names = answer.apps.filter(({ change }) => change !== 'removed').map(({ name }) => name);
  tellAppliedShortly(answer, { isQuiet });
  ending.knows(names);
  return names;
}

/** Over a death of the daemon, too. */
async function untilOver(home: string, names: readonly string[]): Promise<WaitResponse['results']> {
  if (names.length === 0) return [];
  for (;;) {
    try {
      return (await waitForEnd(home, { select: names, timeoutMs: null })).results;
    } catch (error) {
      if (error instanceof SteadError && error.code === 'APP_NOT_FOUND') return [];
      if (!isBrokenOff(error)) throw error;
    }
  }
}

/** Of those that failed the one that ended last. */
function lastCode(results: WaitResponse['results']): number {
  const byEnd = results.toSorted((a, b) => (a.exit?.at ?? '').localeCompare(b.exit?.at ?? ''));
  return byEnd.map(programExit).findLast((code) => code !== 0) ?? 0;
}

/** In a container all ends with PID 1: nothing is left to end by the kernel alone. */
async function endOwn(home: string, own: OwnDaemon | null): Promise<void> {
  if (own === null) return;
  const body = { select: ['all'], caller: whoAsks(), wait: true };
  await act(home, 'stop', { body }).catch((error: Error) => say(`stead: ${error.message}`));
  await own.end();
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Ctrl-C and the like: the first ends the apps, the second kills them. */
class Ending {
  readonly #home: string;
  /** What there is so far, while that is not known yet. */
  readonly #look: () => Promise<readonly string[]>;
  readonly #handlers = new Map<NodeJS.Signals, () => void>();
  #names: readonly string[] | null = null;
  #asked: Promise<void> | null = null;
  #isWanted = false;
  #tellAsked: () => void = () => {};
  /** Resolves with the first signal. */
  readonly asked = new Promise<void>((resolve) => {
    this.#tellAsked = resolve;
  });
  code = 0;

  constructor(home: string, look: () => Promise<readonly string[]>) {
    this.#home = home;
    this.#look = look;
    for (const signal of signals) {
      const handler = () => void this.ask();
      this.#handlers.set(signal, handler);
      process.on(signal, handler);
    }
  }

  get wasAsked(): boolean {
    return this.#isWanted;
  }

  /** All that there is to end. */
  knows(names: readonly string[]): void {
    this.#names = names;
    if (this.#isWanted) this.#asked = Promise.resolve(this.#asked).then(() => this.#send('stop', names));
  }

  async ask(): Promise<void> {
    const isSecond = this.#isWanted;
    this.#isWanted = true;
    this.#tellAsked();
    const names = this.#names ?? (await this.#look());
    if (isSecond) return this.#send('signal', names);
    this.#asked = this.#send('stop', names);
    await this.#asked;
  }

  /** So long, unless a signal comes. */
  async orAfter(ms: number): Promise<void> {
    if (ms === 0) return;
    const isOver = new AbortController();
    await Promise.race([this.asked, sleep(ms, undefined, { signal: isOver.signal }).catch(() => {})]);
    isOver.abort();
  }

  /** Resolves when what was asked for is done. */
  async over(): Promise<void> {
    await this.#asked;
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  async #send(route: 'stop' | 'signal', select: readonly string[]): Promise<void> {
    if (select.length === 0) return;
    try {
      const more = route === 'stop' ? { wait: true } : { signal: 'SIGKILL' };
      const { results } = await act(this.#home, route, { body: { select, caller: whoAsks(), ...more } });
      const failed = results.find(({ error }) => error !== null);
      if (failed === undefined || route === 'signal') return;
      say(escapeControls(`stead: ${failed.error!.message}`));
      this.code = exitCodeOf(failed.error!.code);
    } catch (error) {
      say(escapeControls(`stead: ${(error as Error).message}`));
      if (route === 'stop') this.code = 1;
    }
  }
}

import { act } from '../../client/act.ts';
import { isInit, type OwnDaemon, startOwnDaemon } from '../../client/as-init.ts';
import { whoAsks } from '../../client/caller.ts';
import { request } from '../../client/http.ts';
import { isBrokenOff } from '../../client/unreachable.ts';
import { waitForEnd } from '../../client/wait-for-end.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { WaitResponse } from '../../protocol/api.ts';
import { exitCodeOf, SteadError } from '../../protocol/errors.ts';
import { apply, applyCalled, configFlags, loadCalled, tellAppliedShortly } from '../apply-config.ts';
import type { Call, Command } from '../command.ts';
import { followProject } from '../follow-project.ts';
import { OutputClosed, say } from '../output.ts';
import { programExit } from '../program-exit.ts';

export const command: Command = {
  name: 'up',
  usage: ['up [config file] [-f FILE…] [--env PROFILE] [--only NAMES] [-d]'],
  about: [
    'Applies a config file and shows what its apps print, each line with the name before it. Ctrl-C or SIGTERM ends all of them, those first that others do not wait for, and then the command, with 0; a second one kills. When none of them runs any more by itself it ends, too, with the exit code of the one that failed last. With -d it does the same in the background as apply.',
    'In a container it may be PID 1: it needs no other init, reaps what programs leave behind, and writes nowhere but to STEAD_HOME.',
  ],
  examples: [
    ['stead up', 'stead.config.yaml, .json, .js or .ts in this directory'],
    ['stead up -d', 'in the background; stead down ends it'],
    ['STEAD_HOME=/tmp/stead stead up -f /app/stead.config.yaml', 'as the command of a container'],
  ],
  flags: () => [
    ...configFlags,
    { name: 'detach', short: 'd', type: 'boolean', text: 'in the background' },
    { name: 'prune', type: 'boolean', text: 'end and forget what the file made and names no more' },
  ],
  hasJson: false,
  run: up,
};

async function up(call: Call): Promise<number> {
  if (call.values.detach === true) return applyCalled(call);
  const { home, values } = call;
  const config = await loadCalled(call);
  const own = isInit() ? await startOwnDaemon(home, say) : null;
  // Asked quietly: before the first apply there is no daemon, and nothing to be told of that.
  const read = async () => (await request(home, 'list')).filter(({ file }) => file === config.file);
  const ending = new Ending(home, async () => (await read().catch(() => [])).map(({ name }) => name));
  try {
    const shown = new AbortController();
    const { ended } = await followProject({
      home,
      names: config.apps.flatMap(({ options }) => options.name ?? []),
      read,
      signal: shown.signal,
    });
    const closed = ended.then(() => new Promise<never>(() => {}));
    const options = {
      isPruned: values.prune === true,
      isDryRun: false,
      // A signal may come while they wait for each other.
      isAwaited: false,
      isPartial: values.only !== undefined,
    };
    const applied = apply(home, config, options);
    const answer = await Promise.race([
      applied,
      closed.catch((error) =>
        applied.then(({ apps }) => {
          ending.knows(apps.map(({ name }) => name));
          throw error;
        }),
      ),
    ]);
    const names = answer.apps.filter(({ change }) => change !== 'removed').map(({ name }) => name);
    tellAppliedShortly(answer);
    ending.knows(names);
    const results = await Promise.race([untilOver(home, names), closed]);
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
    const names = this.#names ?? (await this.#look());
    if (isSecond) return this.#send('signal', names);
    this.#asked = this.#send('stop', names);
    await this.#asked;
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
